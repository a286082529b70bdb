import { assert, assertEquals } from "@std/assert";
import { compileFilter } from "../../lib/control/filter/compile.ts";
import { EventType } from "../../lib/wire/sessiond/recording.ts";
import {
  ProcessAttribute,
  ProcessValueType,
  TrackingPolicy,
} from "../../lib/wire/sessiond/session_state.ts";
import {
  Asking,
  channelRequest,
  eventRequest,
  KERNEL,
} from "./support/asking.ts";

function test(name: string, fn: (asking: Asking) => Promise<void>): void {
  Deno.test({
    name,
    permissions: "none",
    async fn() {
      const asking = new Asking();
      await asking.create("one");
      await fn(asking);
      await asking.daemon.close();
    },
  });
}

/** Names, types and states of the rules of a channel. */
async function rulesOf(asking: Asking, channelName = "channel0") {
  const { entries } = await asking.ask("LIST_EVENTS", {
    session: "one",
    domain: KERNEL,
    channelName,
  });
  return entries.map(({ name, type, enabled }) => [name, type, enabled]);
}

async function channelsOf(asking: Asking) {
  const whom = { session: "one", domain: KERNEL };
  return (await asking.ask("LIST_CHANNELS", whom)).entries;
}

const start = { session: "one" };

test("ENABLE_CHANNEL makes a channel with its attributes, raised to a page", async (asking) => {
  await asking.ask(
    "ENABLE_CHANNEL",
    channelRequest("one", {
      subBufferSize: 1024n,
      subBufferCount: 8n,
      overwrite: 1,
      switchTimerInterval: 5_000,
      traceFileSize: 65_536n,
      traceFileCount: 3n,
    }),
  );
  const [channel] = await channelsOf(asking);
  assertEquals(channel?.subBufferSize, 4096n);
  assertEquals(channel?.overwrite, 1);
  assertEquals(channel?.traceFileCount, 3n);
  const { attributes } = asking.recording("one").channels[0]!;
  assertEquals(attributes, {
    name: "ch",
    subBufferSize: 4096,
    subBufferCount: 8,
    overwrite: true,
    readOnDemand: false,
    switchTimer: 5_000,
    readTimer: 200_000,
  });
});

test("ENABLE_CHANNEL refuses what no ring buffer can be", async (asking) => {
  const code = (parts: Parameters<typeof channelRequest>[1]) =>
    asking.code("ENABLE_CHANNEL", channelRequest("one", parts));
  assertEquals(await code({ subBufferSize: 5000n }), "KERN_CHAN_FAIL");
  assertEquals(await code({ subBufferCount: 3n }), "KERN_CHAN_FAIL");
  assertEquals(await code({ subBufferCount: 1n }), "KERN_CHAN_FAIL");
  assertEquals(await code({ traceFileSize: 100n }), "KERN_CHAN_FAIL");
  assertEquals(await code({ subBufferSize: 1n << 62n }), "KERN_CHAN_FAIL");
  assertEquals(await code({ name: ".a" }), "INVALID_CHANNEL_NAME");
  assertEquals(await code({ name: "a/b" }), "INVALID_CHANNEL_NAME");
  assertEquals(await channelsOf(asking), []);
});

test("ENABLE_CHANNEL and DISABLE_CHANNEL switch a channel on and off", async (asking) => {
  const enable = () => asking.code("ENABLE_CHANNEL", channelRequest("one"));
  const disable = (channelName: string) =>
    asking.code("DISABLE_CHANNEL", {
      session: "one",
      domain: KERNEL,
      channelName,
    });
  assertEquals(await disable("ch"), "NO_CHANNEL");
  assertEquals(await enable(), "OK");
  assertEquals(await enable(), "KERN_CHAN_EXIST");
  assertEquals(await disable("nope"), "KERN_CHAN_NOT_FOUND");
  assertEquals(await disable("ch"), "OK");
  assertEquals(await disable("ch"), "OK");
  assertEquals((await channelsOf(asking))[0]?.enabled, false);
  assertEquals(await enable(), "OK");
  assertEquals((await channelsOf(asking))[0]?.enabled, true);
});

test("ENABLE_CHANNEL and new channels are refused once recording has begun", async (asking) => {
  await asking.enable("one");
  await asking.ask("START_TRACE", start);
  const refused = "TRACE_ALREADY_STARTED";
  assertEquals(
    await asking.code("ENABLE_CHANNEL", channelRequest("one")),
    refused,
  );
  assertEquals(
    await asking.code("ENABLE_EVENT", eventRequest("one", {}, "new")),
    refused,
  );
  assertEquals(
    await asking.code("ENABLE_EVENT", eventRequest("one", { name: "a*" })),
    "OK",
  );
});

test("ENABLE_EVENT makes the default channel, unless another has a name", async (asking) => {
  await asking.enable("one");
  assertEquals((await channelsOf(asking)).map(({ name }) => name), [
    "channel0",
  ]);
  await asking.ask("ENABLE_EVENT", eventRequest("one", {}, "other"));
  assertEquals(
    await asking.code("ENABLE_EVENT", eventRequest("one", { name: "b" })),
    "NEED_CHANNEL_NAME",
  );
});

test("ENABLE_EVENT of all events makes a rule for tracepoints and one for system calls", async (asking) => {
  const type = EventType.ALL;
  await asking.ask("ENABLE_EVENT", eventRequest("one", { type, name: "" }));
  assertEquals(await rulesOf(asking), [
    ["*", EventType.TRACEPOINT, 1],
    ["*", EventType.SYSCALL, 1],
  ]);
});

test("ENABLE_EVENT refuses a rule that is there, and enables one that was disabled", async (asking) => {
  const request = eventRequest("one", { name: "a**b" });
  const disable = eventRequest("one", { name: "a*b", type: EventType.ALL });
  assertEquals(await asking.code("ENABLE_EVENT", request), "OK");
  assertEquals(await asking.code("ENABLE_EVENT", request), "KERN_EVENT_EXIST");
  assertEquals(await asking.code("DISABLE_EVENT", disable), "OK");
  assertEquals(await rulesOf(asking), [["a*b", EventType.TRACEPOINT, 0]]);
  assertEquals(asking.recording("one").channels[0]?.rules, []);
  assertEquals(await asking.code("ENABLE_EVENT", request), "OK");
  assertEquals(await rulesOf(asking), [["a*b", EventType.TRACEPOINT, 1]]);
});

test("ENABLE_EVENT hands a filter to the tracer as a tree", async (asking) => {
  const filter = "n > 5";
  const bytecode = compileFilter(filter);
  await asking.ask("ENABLE_EVENT", eventRequest("one", { filter, bytecode }));
  const [rule] = asking.recording("one").channels[0]!.rules;
  assertEquals(rule?.filter?.kind, "binary");
});

test("ENABLE_EVENT refuses filters that are half there, wrong or too much", async (asking) => {
  const code = (parts: Parameters<typeof eventRequest>[1]) =>
    asking.code("ENABLE_EVENT", eventRequest("one", parts));
  const bytecode = compileFilter("n > 5");
  assertEquals(await code({ filter: "n > 5" }), "INVALID");
  assertEquals(await code({ bytecode }), "INVALID");
  assertEquals(await code({ filter: "n >", bytecode }), "FILTER_INVAL");
  const exclusions = [{ name: "x" }];
  assertEquals(await code({ exclusions }), "NOT_SUPPORTED");
  assertEquals(await code({ logLevelType: 1 }), "NOT_SUPPORTED");
  assertEquals(await code({ type: 99 }), "UND");
  assertEquals(await channelsOf(asking), []);
});

test("ENABLE_EVENT tells why the tracer refuses, in the log", async (asking) => {
  assertEquals(
    await asking.code(
      "ENABLE_EVENT",
      eventRequest("one", { name: "no_such_event" }),
    ),
    "KERN_ENABLE_FAIL",
  );
  assertEquals(await rulesOf(asking), []);
  assert(asking.lines.some((line) => line.includes("no event no_such_event")));
});

test("DISABLE_EVENT takes a name, a type, or all of a channel", async (asking) => {
  const all = EventType.ALL;
  const disable = (parts: Parameters<typeof eventRequest>[1], channel = "") =>
    asking.code("DISABLE_EVENT", eventRequest("one", parts, channel));
  assertEquals(await disable({ type: all, name: "" }), "NO_CHANNEL");
  for (const name of ["a", "b"]) await asking.enable("one", name);
  const type = EventType.SYSCALL;
  await asking.ask("ENABLE_EVENT", eventRequest("one", { type, name: "a" }));
  assertEquals(await disable({ type: all, name: "nope" }), "NO_EVENT");
  assertEquals(
    await disable({ type: all, name: "a" }, "x"),
    "KERN_CHAN_NOT_FOUND",
  );
  assertEquals(await disable({ type: all, name: "a", logLevel: 1 }), "UNK");
  assertEquals(await disable({ type, name: "a" }), "OK");
  assertEquals(await rulesOf(asking), [["a", 0, 1], ["b", 0, 1], ["a", 5, 0]]);
  assertEquals(await disable({ type: all, name: "" }), "OK");
  assertEquals(await rulesOf(asking), [["a", 0, 0], ["b", 0, 0], ["a", 5, 0]]);
});

test("ADD_CONTEXT reaches one channel or all, and makes one where there is none", async (asking) => {
  const add = (type: number, channelName = "") =>
    asking.code("ADD_CONTEXT", {
      session: "one",
      domain: KERNEL,
      channelName,
      context: {
        ...{ type, counterType: 0, counterConfig: 0n, counterName: "" },
        ...{ provider: "", name: "" },
      },
    });
  assertEquals(await add(0), "OK");
  assertEquals(await add(2, "nope"), "KERN_CHAN_NOT_FOUND");
  assertEquals(await add(2, "channel0"), "OK");
  assertEquals(await add(2, "channel0"), "OK");
  assertEquals(await add(12), "KERN_CONTEXT_UNAVAILABLE");
  assertEquals(await add(99), "INVALID");
  const [channel] = asking.recording("one").channels;
  assertEquals(channel?.contexts, ["pid", "procname"]);
  await asking.ask("START_TRACE", start);
  assertEquals(await add(3), "TRACE_ALREADY_STARTED");
});

test("trackers follow the policy, and a set its values", async (asking) => {
  const attribute = ProcessAttribute.PID;
  const whom = { session: "one", domain: KERNEL, attribute };
  const value = (number: bigint) => ({
    ...{ ...whom, valueType: ProcessValueType.PID, number, name: "" },
  });
  const policy = async () =>
    (await asking.ask("TRACKER_GET_POLICY", whom)).policy;
  const add = (pid: bigint) =>
    asking.code("TRACKER_ADD_INCLUDE_VALUE", value(pid));
  assertEquals(await policy(), TrackingPolicy.INCLUDE_ALL);
  const invalid = "PROCESS_ATTR_TRACKER_INVALID_TRACKING_POLICY";
  assertEquals(await add(1n), invalid);
  assertEquals(await asking.code("TRACKER_GET_INCLUSION_SET", whom), invalid);
  await asking.ask("TRACKER_SET_POLICY", {
    ...whom,
    policy: TrackingPolicy.INCLUDE_SET,
  });
  assertEquals(await add(1n), "OK");
  assertEquals(await add(1n), "PROCESS_ATTR_EXISTS");
  assertEquals(await add(-1n), "INVALID");
  assertEquals(await add(2n), "OK");
  assertEquals(asking.recording("one").pids, [1, 2]);
  assertEquals(
    await asking.code("TRACKER_REMOVE_INCLUDE_VALUE", value(3n)),
    "PROCESS_ATTR_MISSING",
  );
  await asking.ask("TRACKER_REMOVE_INCLUDE_VALUE", value(1n));
  const { values } = await asking.ask("TRACKER_GET_INCLUSION_SET", whom);
  assertEquals(values.map(({ number }) => number), [2n]);
  await asking.ask("TRACKER_SET_POLICY", {
    ...whom,
    policy: TrackingPolicy.EXCLUDE_ALL,
  });
  assertEquals(asking.recording("one").pids, []);
});

test("trackers of other attributes than the process id are refused, and said what helps", async (asking) => {
  const one = { session: "one", domain: KERNEL };
  const policy = TrackingPolicy.INCLUDE_SET;
  const number = { valueType: ProcessValueType.PID, number: 1n, name: "" };
  const { PID, VPID, ...users } = ProcessAttribute;
  for (const attribute of [VPID, ...Object.values(users)]) {
    asking.lines.length = 0;
    assertEquals(
      await asking.code("TRACKER_SET_POLICY", { ...one, attribute, policy }),
      "NOT_SUPPORTED",
    );
    const what = attribute === VPID ? "by vpid: use --pid" : "by user or group";
    assert(asking.lines.some((line) => line.includes(what)), `${attribute}`);
    assertEquals(
      await asking.code("TRACKER_ADD_INCLUDE_VALUE", {
        ...{ ...one, attribute, ...number },
      }),
      "NOT_SUPPORTED",
    );
  }
  assertEquals(
    await asking.code("TRACKER_SET_POLICY", { ...one, attribute: PID, policy }),
    "OK",
  );
  assertEquals(
    await asking.code("TRACKER_GET_POLICY", { ...one, attribute: 99 }),
    "INVALID",
  );
});

test("LIST_TRACEPOINT_FIELDS has one nameless field for an event without any", async (asking) => {
  const { entries } = await asking.ask("LIST_TRACEPOINT_FIELDS", {
    domain: KERNEL,
  });
  assertEquals(
    entries.map((
      { event, name, notWritten },
    ) => [event.name, name, notWritten]),
    [
      ["fake_tick", "n", false],
      ["fake_tick", "text", false],
      ["fake_empty", "", true],
    ],
  );
});

test("SAVE_SESSION writes to the user's home, and never over a file unasked", async (asking) => {
  const request = {
    ...{ sessionToSave: "one", url: "", overwrite: false },
    ...{ omitName: false, omitOutput: false },
  };
  assertEquals(await asking.code("SAVE_SESSION", request), "OK");
  assertEquals(await asking.code("SAVE_SESSION", request), "SAVE_FILE_EXIST");
  const again = { ...request, overwrite: true };
  assertEquals(await asking.code("SAVE_SESSION", again), "OK");
  assertEquals([...asking.outputs.saved.keys()], [
    "/home/1000/.lttng/sessions/one.lttng",
  ]);
  const climbing = { ...request, url: "/a/../b" };
  assertEquals(await asking.code("SAVE_SESSION", climbing), "INVALID");
});
