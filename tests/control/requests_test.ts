/**
 * Each method asks what `lttng` asks, byte for byte: the daemon here answers
 * only to the bytes that were recorded under the command line.
 */

import { assertEquals, assertRejects } from "@std/assert";
import type { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import { waitFor } from "../support/process.ts";
import { Replay } from "./support/replay.ts";

type Call = (client: SessionDaemon) => Promise<unknown>;

/** Command lines, and the calls that must ask the same with success. */
const calls: readonly (readonly [string, Call])[] = [
  [
    "create none --no-output",
    (c) => c.createSessionExt({ name: "none", output: "none" }),
  ],
  ["create none --no-output", (c) => c.createSession("none")],
  [
    "create local --output=/home/client/traces",
    (c) => c.createSession("local", "/home/client/traces"),
  ],
  [
    "create net --set-url=net://127.0.0.1:15342:15343/sub/dir",
    (c) =>
      c.createSessionExt({
        name: "net",
        output: { url: "net://127.0.0.1:15342:15343/sub/dir" },
      }),
  ],
  [
    "create net6 --set-url=net6://[::1]:15342",
    (c) => c.createSession("net6", "net6://[::1]:15342"),
  ],
  [
    "create apart --ctrl-url=tcp://127.0.0.1:15342 --data-url=tcp://127.0.0.1:15343/data",
    (c) =>
      c.createSessionExt({
        name: "apart",
        output: {
          controlUrl: "tcp://127.0.0.1:15342",
          dataUrl: "tcp://127.0.0.1:15343/data",
        },
      }),
  ],
  [
    "create lively --live=500000 --set-url=net://127.0.0.1:15342:15343",
    (c) =>
      c.createSessionLive("lively", "net://127.0.0.1:15342:15343", 500_000),
  ],
  [
    "create snapnone --snapshot --no-output",
    (c) => c.createSessionSnapshot("snapnone"),
  ],
  [
    "create snapnet --snapshot --set-url=net://127.0.0.1:15342:15343",
    (c) => c.createSessionSnapshot("snapnet", "net://127.0.0.1:15342:15343"),
  ],
  [
    "enable-channel -u -s none first",
    (c) => c.enableChannel("none", "ust", { name: "first" }),
  ],
  [
    "enable-channel -u -s none second --subbuf-size=64k --num-subbuf=8 --discard --switch-timer=1s --monitor-timer=0 --read-timer=0 --tracefile-size=1M --tracefile-count=3 --blocking-timeout=inf",
    (c) =>
      c.enableChannel("none", "ust", {
        ...{ name: "second", subBufferSize: 65_536, subBufferCount: 8 },
        ...{ eventLossMode: "discard", switchTimerInterval: 1_000_000 },
        ...{ monitorTimerInterval: 0, readTimerInterval: 0 },
        ...{ traceFileSize: 1_048_576, traceFileCount: 3 },
        blockingTimeout: Infinity,
      }),
  ],
  [
    "enable-channel -u -s none third --overwrite --buffers-uid",
    (c) =>
      c.enableChannel("none", "ust", {
        name: "third",
        eventLossMode: "overwrite",
        bufferType: "per-uid",
      }),
  ],
  [
    "disable-channel -u -s none third",
    (c) => c.disableChannel("none", "ust", "third"),
  ],
  [
    "enable-event -u -s none -c first demo:*",
    (c) => c.enableEvent("none", "ust", { name: "demo:*" }, "first"),
  ],
  [
    "enable-event -u -s none -c first --all",
    (c) => c.enableEvent("none", "ust", {}, "first"),
  ],
  [
    "enable-event -u -s none -c first tp:tptest --loglevel=INFO",
    (c) =>
      c.enableEvent("none", "ust", {
        name: "tp:tptest",
        logLevel: { type: "range", level: 6 },
      }, "first"),
  ],
  [
    "enable-event -u -s none -c first tp:tptest --loglevel-only=TRACE_WARNING",
    (c) =>
      c.enableEvent("none", "ust", {
        name: "tp:tptest",
        logLevel: { type: "single", level: 4 },
      }, "first"),
  ],
  [
    "enable-event -u -s none -c first 'tp:t*' --filter 'intfield < 3'",
    (c) =>
      c.enableEvent("none", "ust", {
        name: "tp:t*",
        filter: "intfield < 3",
      }, "first"),
  ],
  [
    "enable-event -j -s none my.logger --loglevel=INFO",
    (c) =>
      c.enableEvent("none", "jul", {
        name: "my.logger",
        logLevel: { type: "range", level: 800 },
      }),
  ],
  [
    "enable-event -j -s none my.logger --filter 'int_loglevel > 3' --loglevel-only=WARNING",
    (c) =>
      c.enableEvent("none", "jul", {
        name: "my.logger",
        filter: "int_loglevel > 3",
        logLevel: { type: "single", level: 900 },
      }),
  ],
  ["enable-event -j -s none --all", (c) => c.enableEvent("none", "jul", {})],
  [
    "enable-event -p -s none --all --loglevel=DEBUG",
    (c) =>
      c.enableEvent("none", "python", {
        logLevel: { type: "range", level: 10 },
      }),
  ],
  [
    "enable-event -p -s none app",
    (c) => c.enableEvent("none", "python", { name: "app" }),
  ],
  [
    "disable-event -u -s none -c first demo:*",
    (c) => c.disableEvent("none", "ust", "demo:*", { channel: "first" }),
  ],
  [
    "disable-event -u -s none -c first --all-events",
    (c) => c.disableEvent("none", "ust", undefined, { channel: "first" }),
  ],
  [
    "disable-event -j -s none my.logger",
    (c) => c.disableEvent("none", "jul", "my.logger"),
  ],
  [
    "disable-event -j -s none --all-events",
    (c) => c.disableEvent("none", "jul"),
  ],
  [
    "add-context -u -s none -c first -t vpid -t procname",
    (c) => c.addContext("none", "ust", "procname", "first"),
  ],
  [
    "add-context -u -s none -t perf:thread:cycles",
    (c) => c.addContext("none", "ust", "perf:thread:cycles"),
  ],
  [
    "add-context -u -s none -c first -t perf:thread:raw:r1a8:mine",
    (c) => c.addContext("none", "ust", "perf:thread:raw:r1a8:mine", "first"),
  ],
  [
    "add-context -u -s none -c first -t '$app.provider:name'",
    (c) => c.addContext("none", "ust", "$app.provider:name", "first"),
  ],
  [
    "track -u -s none --vpid=1,2",
    (c) => c.addInclusion("none", "ust", "vpid", 2),
  ],
  [
    "track -u -s none --vuid=0,root,daemon",
    (c) => c.addInclusion("none", "ust", "vuid", "daemon"),
  ],
  [
    "track -u -s none --vgid=root",
    (c) => c.addInclusion("none", "ust", "vgid", "root"),
  ],
  [
    "track -u -s none --vpid=1,2",
    (c) => c.setTrackingPolicy("none", "ust", "vpid", "include set"),
  ],
  [
    "untrack -u -s none --vpid=2",
    (c) => c.removeInclusion("none", "ust", "vpid", 2),
  ],
  [
    "untrack -u -s none --vuid --all",
    (c) => c.setTrackingPolicy("none", "ust", "vuid", "exclude all"),
  ],
  ["start local", (c) => c.startTracing("local")],
  ["stop local", (c) => c.stopTracing("local")],
  ["clear local", (c) => c.clearSession("local")],
  ["regenerate metadata -s local", (c) => c.regenerateMetadata("local")],
  ["regenerate statedump -s local", (c) => c.regenerateStatedump("local")],
  [
    "enable-rotation -s local --timer=10s",
    (c) => c.addRotationSchedule("local", "periodic", 10_000_000),
  ],
  [
    "enable-rotation -s local --size=100M",
    (c) => c.addRotationSchedule("local", "size", 104_857_600),
  ],
  ["snapshot -s snap record", (c) => c.snapshotRecord("snap")],
  [
    "snapshot -s snap record --name=mine --max-size=10M /home/client/other",
    (c) =>
      c.snapshotRecord("snap", {
        ...{ name: "mine", maximumSize: 10_485_760 },
        url: "/home/client/other",
      }),
  ],
  ["snapshot -s snap del-output 1", (c) => c.snapshotDelOutput("snap", 1)],
  [
    "snapshot -s snap del-output again",
    (c) => c.snapshotDelOutput("snap", "again"),
  ],
  [
    "snapshot -s snap add-output --name=again --max-size=1M /home/client/again",
    (c) =>
      c.snapshotAddOutput("snap", {
        ...{ name: "again", maximumSize: 1_048_576 },
        url: "/home/client/again",
      }),
  ],
  [
    "ctl set-consumer-url none net://127.0.0.1:15342:15343/moved",
    (c) => c.setConsumerUri("none", "net://127.0.0.1:15342:15343/moved"),
  ],
  [
    "ctl set-consumer-url shm /home/client/moved",
    (c) => c.enableConsumer("shm", "/home/client/moved"),
  ],
  [
    "ctl set-consumer-url shm tcp://127.0.0.1 tcp://127.0.0.1",
    (c) => c.setConsumerUri("shm", "tcp://127.0.0.1", "tcp://127.0.0.1"),
  ],
  [
    "save local --output-path=/home/client/saved",
    (c) => c.saveSession({ session: "local", directory: "/home/client/saved" }),
  ],
  ["save local --output-path=/home/client/saved --force", (c) =>
    c.saveSession({
      ...{ session: "local", directory: "/home/client/saved" },
      overwrite: true,
    })],
  [
    "save --all --output-path=/home/client/all",
    (c) => c.saveSession({ directory: "/home/client/all" }),
  ],
  ["destroy local", (c) => c.destroySession("local")],
  ["destroy none", (c) => c.destroySession("none")],
  ["destroy snap --no-wait", (c) => c.destroySessionNoWait("snap")],
];

for (const [line, call] of calls) {
  const source = String(call).replaceAll(/\s+/g, " ");
  const method = /c\s*\.(\w+)\(/.exec(source)?.[1];
  Deno.test(`${method}() asks what lttng ${line} asks`, () =>
    Replay.of(line, "taken", async (client, log) => {
      await call(client);
      // The first may have been whether requests are serialized.
      await waitFor("the request", () => log.at(-1) === line);
    }));
}

/** Command lines that are refused, with the code, and the calls for them. */
const refusals: readonly (readonly [string, number, Call])[] = [
  ["create local --no-output", 28, (c) => c.createSession("local")],
  ["create a/b --no-output", 73, (c) => c.createSession("a/b")],
  [
    "enable-channel -u -s none fourth --buffers-pid",
    24,
    (c) =>
      c.enableChannel("none", "ust", { name: "fourth", bufferType: "per-pid" }),
  ],
  [
    "enable-channel -k -s none kernel --output=splice",
    79,
    (c) => c.enableChannel("none", "kernel", { name: "kernel" }),
  ],
  [
    "disable-channel -u -s none missing",
    59,
    (c) => c.disableChannel("none", "ust", "missing"),
  ],
  [
    "enable-event -u -s none unnamed",
    83,
    (c) => c.enableEvent("none", "ust", { name: "unnamed" }),
  ],
  [
    "enable-event -u -s net tp:tptest",
    104,
    (c) => c.enableEvent("net", "ust", { name: "tp:tptest" }),
  ],
  [
    "enable-event -k -s none --all",
    79,
    (c) => c.enableEvent("none", "kernel", { type: "all" }),
  ],
  [
    "enable-event -k -s none --syscall openat,close",
    79,
    (c) => c.enableEvent("none", "kernel", { type: "syscall", name: "openat" }),
  ],
  [
    "enable-event -k -s none --probe=do_sys_open+0x10 probed",
    79,
    (c) =>
      c.enableEvent("none", "kernel", {
        ...{ type: "probe", name: "probed" },
        probe: { symbol: "do_sys_open" },
      }),
  ],
  [
    "enable-event -k -s none --function=do_fork entered",
    79,
    (c) =>
      c.enableEvent("none", "kernel", {
        ...{ type: "function", name: "entered" },
        probe: { symbol: "do_fork" },
      }),
  ],
  ["enable-event -k -s none --userspace-probe=/bin/sh:main userprobe", 79, (
    c,
  ) =>
    c.enableEvent("none", "kernel", {
      ...{ type: "userspace-probe", name: "userprobe" },
      userspaceProbe: { path: "/bin/sh", functionName: "main" },
    })],
  [
    "enable-event -k -s none --tracepoint sched_switch --filter 'prev_tid > 5'",
    79,
    (c) =>
      c.enableEvent("none", "kernel", {
        name: "sched_switch",
        filter: "prev_tid > 5",
      }),
  ],
  [
    "disable-event -u -s none -c first missing",
    76,
    (c) => c.disableEvent("none", "ust", "missing", { channel: "first" }),
  ],
  [
    "disable-event -k -s none --all-events",
    72,
    (c) => c.disableEvent("none", "kernel"),
  ],
  [
    "add-context -u -s none -c first -t pid",
    78,
    (c) => c.addContext("none", "ust", "pid", "first"),
  ],
  [
    "add-context -u -s none -c missing -t vtid",
    59,
    (c) => c.addContext("none", "ust", "vtid", "missing"),
  ],
  ["list -k", 79, (c) => c.listTracepoints("kernel")],
  ["list -k --syscall", 79, (c) => c.listSyscalls()],
  [
    "untrack -u -s none --vpid=77",
    115,
    (c) => c.removeInclusion("none", "ust", "vpid", 77),
  ],
  ["start net", 72, (c) => c.startTracing("net")],
  ["start missing", 23, (c) => c.startTracing("missing")],
  ["rotate none", 50, (c) => c.rotateSession("none")],
  [
    "snapshot -s snap record --max-size=1k",
    90,
    (c) => c.snapshotRecord("snap", { maximumSize: 1024 }),
  ],
  [
    "snapshot -s snap add-output /home/client/more",
    31,
    (c) => c.snapshotAddOutput("snap", { url: "/home/client/more" }),
  ],
  ["snapshot -s snap del-output 7", 97, (c) => c.snapshotDelOutput("snap", 7)],
  [
    "snapshot -s apart add-output --ctrl-url=tcp://127.0.0.1:1 --data-url=tcp://127.0.0.1:2",
    124,
    (c) =>
      c.snapshotAddOutput("apart", {
        url: "tcp://127.0.0.1:1",
        dataUrl: "tcp://127.0.0.1:2",
      }),
  ],
  [
    "ctl register-consumer none /home/client/consumer",
    79,
    (c) => c.registerConsumer("none", "/home/client/consumer"),
  ],
  [
    "save missing --output-path=/home/client/saved",
    23,
    (c) =>
      c.saveSession({ session: "missing", directory: "/home/client/saved" }),
  ],
];

for (const [line, code, call] of refusals) {
  Deno.test(`lttng ${line} and the library are refused alike`, () =>
    Replay.of(line, "refused", async (client, log) => {
      const error = await assertRejects(() => call(client), ControlError);
      assertEquals([log.at(-1), error.code], [line, code]);
      assertEquals(error.message.startsWith(`${error.text}: `), true);
    }));
}
