/** What is recorded: the client against a stock session daemon and its `lttng`. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import {
  childText,
  elementsAt,
  parseXml,
  type XmlElement,
} from "../../lib/control/xml.ts";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { ustMissing } from "../support/ust_app.ts";
import { clientOf } from "./support/client.ts";

const options = { programs: SESSIOND_PROGRAMS };
const withApplication = {
  programs: [...SESSIOND_PROGRAMS, "gcc"],
  skip: await ustMissing(),
};

/** The channels of session `s`, as `lttng` lists them for programs. */
async function listedChannels(sessiond: Sessiond): Promise<XmlElement[]> {
  const text = await sessiond.lttng("--mi", "xml", "list", "s");
  return elementsAt(
    parseXml(text),
    ...["output", "sessions", "session", "domains", "domain"],
    ...["channels", "channel"],
  );
}

/** Runs `use` with session `s`, which records nowhere. */
async function inSession(
  use: (client: SessionDaemon, sessiond: Sessiond) => Promise<void>,
): Promise<void> {
  await using sessiond = await startSessiond();
  const client = await clientOf(sessiond);
  await client.createSession("s");
  await use(client, sessiond);
  assert(sessiond.child.running, sessiond.child.stderr);
}

async function codeOf(promise: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => promise, ControlError)).code;
}

stockTest(
  "enableChannel() makes the channel that lttng lists",
  options,
  () =>
    inSession(async (client, sessiond) => {
      await client.enableChannel("s", "ust", {
        ...{ name: "c", eventLossMode: "overwrite", subBufferSize: 8192 },
        ...{ subBufferCount: 8, switchTimerInterval: 500_000 },
        ...{ readTimerInterval: 100_000, monitorTimerInterval: 0 },
        ...{ traceFileSize: 65_536, traceFileCount: 4 },
      });
      const [channel] = await listedChannels(sessiond);
      const [attributes] = elementsAt(channel!, "attributes");
      assertEquals(childText(channel!, "name"), "c");
      const names = [
        ...["overwrite_mode", "subbuffer_size", "subbuffer_count"],
        ...["switch_timer_interval", "read_timer_interval"],
        ...["monitor_timer_interval", "tracefile_size", "tracefile_count"],
      ];
      assertEquals(names.map((name) => childText(attributes!, name)), [
        ...["OVERWRITE", "8192", "8", "500000", "100000", "0", "65536", "4"],
      ]);
      assertEquals(await client.listChannels("s", "ust"), [{
        ...{ name: "c", enabled: true, eventLossMode: "overwrite" },
        ...{ subBufferSize: 8192, subBufferCount: 8, output: "mmap" },
        ...{ switchTimerInterval: 500_000, readTimerInterval: 100_000 },
        ...{
          monitorTimerInterval: 0,
          liveTimerInterval: 0,
          blockingTimeout: 0,
        },
        ...{ traceFileSize: 65_536, traceFileCount: 4 },
        ...{ discardedEvents: 0n, lostPackets: 0n },
      }]);
    }),
);

stockTest(
  "disableChannel() and enableChannel() switch a channel",
  options,
  () =>
    inSession(async (client, sessiond) => {
      await client.enableChannel("s", "ust", { name: "c" });
      await client.disableChannel("s", "ust", "c");
      const enabled = async () =>
        childText((await listedChannels(sessiond))[0]!, "enabled");
      assertEquals(await enabled(), "false");
      assertEquals((await client.listChannels("s", "ust"))[0]?.enabled, false);
      await client.enableChannel("s", "ust", { name: "c" });
      assertEquals(await enabled(), "true");
      const again = client.enableChannel("s", "ust", { name: "c" });
      assertEquals(await codeOf(again), 57);
    }),
);

stockTest(
  "enableEvent() makes the rules that lttng lists",
  options,
  () =>
    inSession(async (client, sessiond) => {
      await client.enableChannel("s", "ust", { name: "c" });
      await client.enableEvent("s", "ust", { name: "plain" }, "c");
      await client.enableEvent("s", "ust", {
        name: "levelled",
        logLevel: { type: "range", level: 6 },
        filter: 'a > 1 && b == "x*"',
      }, "c");
      const events = elementsAt(
        (await listedChannels(sessiond))[0]!,
        "events",
        "event",
      )
        .map((event) =>
          ["name", "loglevel", "loglevel_type", "filter_expression"]
            .map((name) => childText(event, name))
        ).toSorted();
      assertEquals(events, [
        ["levelled", "TRACE_INFO", "RANGE", 'a > 1 && b == "x*"'],
        ["plain", undefined, undefined, undefined],
      ]);
      const listed = (await client.listEvents("s", "ust", "c"))
        .map(({ name, filter, logLevel }) => [name, filter, logLevel])
        .toSorted();
      assertEquals(listed, [
        ["levelled", 'a > 1 && b == "x*"', { type: "range", level: 6 }],
        ["plain", undefined, undefined],
      ]);
    }),
);

stockTest(
  "disableEvent() disables one rule, then all",
  options,
  () =>
    inSession(async (client) => {
      await client.enableEvent("s", "ust", { name: "one" });
      await client.enableEvent("s", "ust", { name: "two" });
      await client.disableEvent("s", "ust", "one");
      const enabled = async () =>
        (await client.listEvents("s", "ust", "channel0"))
          .filter(({ enabled }) => enabled).map(({ name }) => name);
      assertEquals(await enabled(), ["two"]);
      await client.disableEvent("s", "ust");
      assertEquals(await enabled(), []);
      assertEquals(await codeOf(client.disableEvent("s", "ust", "no")), 76);
    }),
);

stockTest(
  "listEvents() survives rules with exclusions",
  options,
  () =>
    inSession(async (client, sessiond) => {
      await client.enableEvent("s", "ust", {
        name: "demo:*",
        exclusions: ["demo:a", "demo:b*"],
        filter: "i < 3",
        logLevel: { type: "single", level: 4 },
      }, "c");
      await client.enableEvent("s", "ust", { name: "plain" }, "c");
      const events = await client.listEvents("s", "ust", "c");
      const nothing = {
        ...{ probe: undefined, functionEntry: undefined },
        ...{ userspaceProbe: undefined, type: "tracepoint", enabled: true },
      };
      assertEquals(
        events.toSorted((a, b) => a.name < b.name ? -1 : 1) as unknown[],
        [
          {
            ...nothing,
            ...{ name: "demo:*", exclusions: ["demo:a", "demo:b*"] },
            ...{ filter: "i < 3", logLevel: { type: "single", level: 4 } },
          },
          {
            ...nothing,
            ...{ name: "plain", exclusions: [], filter: undefined },
            logLevel: undefined,
          },
        ],
      );
      assert(sessiond.child.running);
    }),
);

stockTest(
  "listEvents() refuses a channel that is not there",
  options,
  () =>
    inSession(async (client) => {
      assertEquals(await codeOf(client.listEvents("s", "ust", "c")), 59);
      await client.enableChannel("s", "ust", { name: "c" });
      assertEquals(await codeOf(client.listEvents("s", "ust", "d")), 59);
      assertEquals(await codeOf(client.listEvents("s", "kernel", "c")), 39);
      assertEquals(await client.listEvents("s", "ust", "c"), []);
    }),
);

stockTest(
  "lists leave a session without tracers as it is",
  options,
  () =>
    inSession(async (client) => {
      assertEquals(await client.listChannels("s", "ust"), []);
      assertEquals(await client.listEvents("s", "jul"), []);
      assertEquals(
        await client.getTrackingPolicy("s", "ust", "vpid"),
        "include all",
      );
      assertEquals(await client.listDomains("s"), []);
    }),
);

stockTest(
  "enableEvent() makes agents' rules",
  options,
  () =>
    inSession(async (client, sessiond) => {
      await client.enableEvent("s", "jul", {
        name: "my.logger",
        logLevel: { type: "range", level: 800 },
      });
      await client.enableEvent("s", "python", {});
      const domains = await client.listDomains("s");
      assertEquals(
        domains.map(({ type, bufferType }) => `${type} ${bufferType}`)
          .toSorted(),
        ["jul per-uid", "python per-uid", "ust per-uid"],
      );
      const [rule] = await client.listEvents("s", "jul");
      assertEquals([rule?.name, rule?.logLevel, rule?.filter], [
        "my.logger",
        { type: "range", level: 800 },
        '(logger_name == "my.logger") && (int_loglevel >= 800)',
      ]);
      const text = await sessiond.lttng("list", "s");
      assert(
        text.includes("- my.logger [enabled] (loglevel <= JUL_INFO)"),
        text,
      );
      await client.disableEvent("s", "jul", "my.logger");
      assertEquals((await client.listEvents("s", "jul"))[0]?.enabled, false);
    }),
);

stockTest(
  "addContext() adds the fields that a saved session has",
  options,
  () =>
    inSession(async (client) => {
      await client.enableChannel("s", "ust", { name: "c" });
      await client.enableChannel("s", "ust", { name: "d" });
      for (const name of ["vpid", "perf:thread:instructions", "$app.p:x"]) {
        await client.addContext("s", "ust", name, "c");
      }
      await client.addContext("s", "ust", "procname");
      const contexts = await client.listContexts("s", "ust");
      assertEquals(contexts.get("c")?.toSorted(), [
        ...["$app.p:x", "perf_thread_instructions", "procname", "vpid"],
      ]);
      assertEquals(contexts.get("d"), ["procname"]);
      assertEquals(
        await codeOf(client.addContext("s", "ust", "vpid", "c")),
        77,
      );
      assertEquals(await codeOf(client.addContext("s", "ust", "pid", "c")), 78);
      assertEquals(
        await codeOf(client.addContext("s", "ust", "vtid", "x")),
        59,
      );
    }),
);

stockTest(
  "kernel requests are refused as lttng's are",
  options,
  () =>
    inSession(async (client) => {
      const refused = [
        () => client.listTracepoints("kernel"),
        () => client.listSyscalls(),
        () => client.enableChannel("s", "kernel", { name: "k" }),
        () =>
          client.enableEvent("s", "kernel", {
            ...{ name: "p", type: "userspace-probe" },
            userspaceProbe: { path: "/bin/sh", functionName: "main" },
          }),
        () =>
          client.enableEvent("s", "kernel", {
            ...{ name: "p", type: "probe" },
            probe: { symbol: "do_sys_open", offset: 16n },
          }),
        () => client.addContext("s", "kernel", "pid"),
      ];
      for (const call of refused) assertEquals(await codeOf(call()), 79);
    }),
);

stockTest(
  "listTracepoints() and listTracepointFields() show an application's",
  withApplication,
  () =>
    inSession(async (client, sessiond) => {
      const application = await sessiond.startApplication();
      const points = await client.listTracepoints("ust");
      const point = points.find(({ name }) => name === "tp:tptest");
      assertEquals(point, {
        ...{ name: "tp:tptest", type: "tracepoint" },
        ...{ pid: application.child.pid, logLevel: 13 },
        ...{ syscall32: false, syscall64: false },
      });
      const fields = await client.listTracepointFields("ust");
      assertEquals(
        fields.filter(({ event }) => event.name === "tp:tptest")
          .map(({ name, type }) => `${name} ${type}`).toReversed(),
        [
          ...["intfield integer", "negative integer", "network integer"],
          ...["floatfield float", "stringfield string"],
          ...["_payload_length integer", "payload string"],
        ],
      );
      const none = fields.find(({ name }) => name === "");
      assertEquals([none?.type, none?.notWritten], ["other", true]);
      assertEquals(await client.listTracepoints("jul"), []);
    }),
);
