/** Saved sessions: XML as session daemons write it, and as others might. */

import { assertEquals, assertThrows } from "@std/assert";
import { parseSavedSessions } from "../../lib/control/saved_session.ts";
import { parseXml } from "../../lib/control/xml.ts";

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** A saved session with these events and contexts in one channel. */
function saved(events: string, contexts = "", type = "UST"): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<sessions>
	<session>
		<name>s</name>
		<domains>
			<domain>
				<type>${type}</type>
				<buffer_type>PER_UID</buffer_type>
				<channels>
					<channel>
						<name>c</name>
						<events>${events}</events>
						<contexts>${contexts}</contexts>
					</channel>
				</channels>
			</domain>
		</domains>
		<started>false</started>
	</session>
</sessions>
`;
}

/** The channels of a saved session, in few words. */
function channelsOf(document: string) {
  return parseSavedSessions(document).flatMap(({ domains }) =>
    domains.flatMap(({ type, channels }) =>
      channels.map(({ attributes, contexts, events }) => ({
        domain: type,
        name: attributes.name,
        contexts: contexts.map(({ name }) => name),
        events,
      }))
    )
  );
}

const nothing = {
  ...{ logLevel: undefined, filter: undefined, exclusions: [] },
  ...{ probe: undefined, functionEntry: undefined, userspaceProbe: undefined },
};

test("parseSavedSessions() reads an event rule with all that it may have", () => {
  const document = saved(`
    <event>
      <name>demo:*</name>
      <enabled>true</enabled>
      <type>TRACEPOINT</type>
      <loglevel_type>RANGE</loglevel_type>
      <loglevel>6</loglevel>
      <filter>a &lt; 3 &amp;&amp; s == "x&#65;"</filter>
      <exclusions>
        <exclusion>demo:a</exclusion>
        <exclusion>demo:b*</exclusion>
      </exclusions>
    </event>`);
  assertEquals(channelsOf(document), [{
    domain: "ust",
    name: "c",
    contexts: [],
    events: [{
      ...nothing,
      ...{ name: "demo:*", type: "tracepoint", enabled: true },
      logLevel: { type: "range", level: 6 },
      filter: 'a < 3 && s == "xA"',
      exclusions: ["demo:a", "demo:b*"],
    }],
  }]);
});

test("parseSavedSessions() reads where the kernel's probes are", () => {
  const event = (type: string, attributes: string) =>
    `<event><name>n</name><enabled>false</enabled><type>${type}</type>
    <attributes>${attributes}</attributes></event>`;
  const document = saved(
    event(
      "KPROBE",
      `<probe_attributes><symbol_name>open</symbol_name>
      <address>0</address><offset>16</offset></probe_attributes>`,
    ) +
      event(
        "FUNCTION_ENTRY",
        `<function_attributes><symbol_name>fork</symbol_name>
        </function_attributes>`,
      ) +
      event(
        "USERSPACE_PROBE",
        `<userspace_probe_function_attributes>
        <lookup_method>FUNCTION_ELF</lookup_method>
        <binary_path>/bin/sh</binary_path>
        <function_name>main</function_name>
        </userspace_probe_function_attributes>`,
      ) +
      event(
        "USERSPACE_PROBE",
        `<userspace_probe_tracepoint_attributes>
        <lookup_method>TRACEPOINT_SDT</lookup_method>
        <binary_path>/bin/sh</binary_path>
        <provider_name>p</provider_name>
        <probe_name>q</probe_name>
        </userspace_probe_tracepoint_attributes>`,
      ),
    "",
    "KERNEL",
  );
  const [channel] = channelsOf(document);
  assertEquals(channel?.domain, "kernel");
  assertEquals(
    channel?.events.map((
      { type, probe, functionEntry, userspaceProbe },
    ) => [type, probe, functionEntry, userspaceProbe]),
    [
      [
        "probe",
        { symbol: "open", address: 0n, offset: 16n },
        undefined,
        undefined,
      ],
      ["function-entry", undefined, "fork", undefined],
      ["userspace-probe", undefined, undefined, {
        ...{ path: "/bin/sh", lookup: "elf", functionName: "main" },
      }],
      ["userspace-probe", undefined, undefined, {
        ...{ path: "/bin/sh", lookup: "sdt" },
        ...{ providerName: "p", probeName: "q" },
      }],
    ],
  );
});

test("parseSavedSessions() reads every kind of context", () => {
  const document = saved(
    "",
    `<context><type>VPID</type></context>
    <context><type>CALLSTACK_USER</type></context>
    <context><perf><type>0</type><config>1</config>
      <name>perf_thread_cycles</name></perf></context>
    <context><app><provider_name>p</provider_name>
      <ctx_name>c</ctx_name></app></context>`,
  );
  assertEquals(channelsOf(document)[0]?.contexts, [
    ...["vpid", "callstack-user", "perf_thread_cycles", "$app.p:c"],
  ]);
});

test("parseSavedSessions() reads channels, trackers, schedules and outputs", () => {
  const document = `<sessions><session>
    <name>s</name>
    <shared_memory_path>/dev/shm/s</shared_memory_path>
    <domains><domain><type>UST</type><buffer_type>PER_PID</buffer_type>
      <channels><channel>
        <name>c</name><enabled>false</enabled>
        <overwrite_mode>OVERWRITE</overwrite_mode>
        <subbuffer_size>65536</subbuffer_size>
        <subbuffer_count>8</subbuffer_count>
        <switch_timer_interval>1</switch_timer_interval>
        <read_timer_interval>2</read_timer_interval>
        <output_type>MMAP</output_type>
        <blocking_timeout>-1</blocking_timeout>
        <monitor_timer_interval>3</monitor_timer_interval>
        <tracefile_size>4</tracefile_size>
        <tracefile_count>5</tracefile_count>
        <live_timer_interval>0</live_timer_interval>
        <events/>
        <contexts><context><perf><type>3</type><config>65538</config>
          <name>perf_cpu_x</name></perf></context></contexts>
      </channel></channels>
      <process_attr_trackers>
        <vuid_process_attr_tracker><process_attr_values>
          <vuid><id>7</id></vuid><vuid><name>root</name></vuid>
        </process_attr_values></vuid_process_attr_tracker>
        <vpid_process_attr_tracker><process_attr_values/>
        </vpid_process_attr_tracker>
      </process_attr_trackers>
    </domain></domains>
    <started>true</started>
    <attributes><live_timer_interval>9</live_timer_interval>
      <rotation_schedules><periodic><time_us>10</time_us></periodic>
      <size_threshold><bytes>11</bytes></size_threshold></rotation_schedules>
    </attributes>
    <output><consumer_output><enabled>true</enabled><destination><net_output>
      <control_uri>tcp4://127.0.0.1:1/</control_uri>
      <data_uri>tcp4://127.0.0.1:2/</data_uri>
    </net_output></destination></consumer_output></output>
  </session></sessions>`;
  const counter = { counterType: 3, counterConfig: 65_538n };
  assertEquals(parseSavedSessions(document), [{
    ...{ name: "s", shmPath: "/dev/shm/s", started: true },
    ...{ snapshotMode: false, liveTimerInterval: 9 },
    ...{ rotationPeriod: 10, rotationSize: 11, snapshotOutputs: [] },
    output: {
      controlUrl: "tcp4://127.0.0.1:1/",
      dataUrl: "tcp4://127.0.0.1:2/",
    },
    domains: [{
      ...{ type: "ust", bufferType: "per-pid" },
      channels: [{
        attributes: {
          ...{ name: "c", bufferType: "per-pid", eventLossMode: "overwrite" },
          ...{ subBufferSize: 65_536, subBufferCount: 8, output: "mmap" },
          ...{ switchTimerInterval: 1, readTimerInterval: 2 },
          ...{ monitorTimerInterval: 3, blockingTimeout: Infinity },
          ...{ traceFileSize: 4, traceFileCount: 5 },
        },
        ...{ enabled: false, events: [] },
        contexts: [{
          name: "perf_cpu_x",
          block: {
            ...{ type: 13, ...counter, counterName: "perf_cpu_x" },
            ...{ provider: "", name: "" },
          },
        }],
      }],
      trackers: [
        { attribute: "vuid", values: [7, "root"] },
        { attribute: "vpid", values: [] },
      ],
    }],
  }]);
});

test("parseSavedSessions() reads where snapshots go", () => {
  const document = `<sessions><session><attributes>
    <snapshot_mode>true</snapshot_mode></attributes>
    <output><snapshot_outputs>
      <output><name>one</name><max_size>5</max_size><consumer_output>
        <destination><path>/x</path></destination></consumer_output></output>
      <output><name>two</name><max_size>0</max_size><consumer_output>
        <destination><net_output><control_uri>c</control_uri>
        <data_uri>d</data_uri></net_output></destination>
        </consumer_output></output>
    </snapshot_outputs></output></session></sessions>`;
  const [session] = parseSavedSessions(document);
  assertEquals([session?.name, session?.output], [undefined, "none"]);
  assertEquals(session?.snapshotOutputs, [
    { name: "one", maximumSize: 5, url: "/x" },
    { name: "two", maximumSize: undefined, url: "c", dataUrl: "d" },
  ]);
});

test("parseSavedSessions() refuses what is no saved session", () => {
  assertThrows(
    () => parseSavedSessions("<other/>"),
    SyntaxError,
    "Not a saved session",
  );
  assertThrows(
    () => parseSavedSessions(saved("", "", "PASCAL")),
    SyntaxError,
    'Unknown word in a saved session: "PASCAL"',
  );
});

test("parseXml() passes over what tells nothing", () => {
  const root = parseXml(
    `<?xml version="1.0"?><!-- <x> --><a b="1" c='<'>x<![CDATA[<&]]><d/>y</a>\n`
      .replace("'<'", "'&lt;'"),
  );
  assertEquals(root, {
    name: "a",
    text: "x<&y",
    children: [{ name: "d", text: "", children: [] }],
  });
});

for (
  const [document, message] of [
    ["", "Not exactly one element"],
    ["text", "Not exactly one element"],
    ["<a/><b/>", "Not exactly one element"],
    ["<a>", "The element a does not end"],
    ["<a></b>", "The element b ends where it is not open"],
    ["</a>", "The element a ends where it is not open"],
    ["<a>&nope;</a>", "Unknown entity &nope;"],
    ["<a>&</a>", "Unknown entity &"],
    ["<a>&#x110000;</a>", "Unknown entity &#x110000;"],
    ["<a", "Not XML at character 1"],
    ["<!DOCTYPE a><a/>", "Not XML at character 1"],
    ["<a>".repeat(100), "Elements nested deeper than 64"],
  ] as const
) {
  test(`parseXml() refuses ${document.slice(0, 20) || "nothing"}`, () => {
    assertThrows(() => parseXml(document), SyntaxError, message);
  });
}
