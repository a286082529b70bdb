/** Saved sessions: XML as session daemons write it, and as others might. */

import { assertEquals, assertThrows } from "@std/assert";
import { parseSavedChannels } from "../../lib/control/saved_session.ts";
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

const nothing = {
  ...{ logLevel: undefined, filter: undefined, exclusions: [] },
  ...{ probe: undefined, functionEntry: undefined, userspaceProbe: undefined },
};

test("parseSavedChannels() reads an event rule with all that it may have", () => {
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
  assertEquals(parseSavedChannels(document), [{
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

test("parseSavedChannels() reads where the kernel's probes are", () => {
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
  const [channel] = parseSavedChannels(document);
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

test("parseSavedChannels() reads every kind of context", () => {
  const document = saved(
    "",
    `<context><type>VPID</type></context>
    <context><type>CALLSTACK_USER</type></context>
    <context><perf><type>0</type><config>1</config>
      <name>perf_thread_cycles</name></perf></context>
    <context><app><provider_name>p</provider_name>
      <ctx_name>c</ctx_name></app></context>`,
  );
  assertEquals(parseSavedChannels(document)[0]?.contexts, [
    ...["vpid", "callstack-user", "perf_thread_cycles", "$app.p:c"],
  ]);
});

test("parseSavedChannels() refuses what is no saved session", () => {
  assertThrows(
    () => parseSavedChannels("<other/>"),
    SyntaxError,
    "Not a saved session",
  );
  assertThrows(
    () => parseSavedChannels(saved("", "", "PASCAL")),
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
