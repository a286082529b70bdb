/**
 * `lttng view` beside babeltrace2 on traces of the stock session daemon,
 * stored by it or by our relay daemon: each byte of both outputs is the same.
 */

import { assert, assertEquals } from "@std/assert";
import { assertSameText } from "../cli/support/view_process.ts";
import { stockTest } from "../support/stock.ts";
import { traceDirectories } from "../support/trees.ts";
import { type UstApplication, ustMissing } from "../support/ust_app.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

const NEEDS = { programs: PROGRAMS, skip: await ustMissing() };
/** Events that the application `fields` records in one round. */
const ROUND = 92;
const SMALL_PACKETS = ["--subbuf-size=4096", "--num-subbuf=64"];

/** Everything in the shortest and in the longest form. */
const SHORT: readonly string[] = [];
const LONG: readonly string[] = [
  ...["--fields=all", "--names=all", "--clock-date", "--clock-gmt"],
];
/** Each option alone, and those that change what another does. */
const OPTIONS: readonly (readonly string[])[] = [
  SHORT,
  LONG,
  ["--clock-cycles"],
  ["--clock-date"],
  ["--clock-gmt"],
  ["--clock-seconds"],
  ["--clock-seconds", "--clock-date", "--no-delta"],
  ["--no-delta"],
  ...[
    ...["trace", "trace:hostname", "trace:domain", "trace:procname"],
    ...["trace:vpid", "loglevel", "emf", "loglevel,emf,trace:domain"],
  ].map((fields) => [`--fields=${fields}`]),
  ...["payload", "context", "scope", "header", "none", "scope,payload"]
    .map((names) => [`--names=${names}`]),
];

const CONTEXTS: readonly string[] = [
  ...["vpid", "vtid", "procname", "pthread_id", "ip"],
  ...["cgroup_ns", "ipc_ns", "mnt_ns", "net_ns", "pid_ns", "time_ns"],
  ...["user_ns", "uts_ns"],
  ...["vuid", "veuid", "vsuid", "vgid", "vegid", "vsgid"],
  // Nobody provides it: its value is the variant's empty structure.
  "$app.provider:context",
];
/** What a kernel counts itself, so that a virtual machine has it, too. */
const COUNTERS: readonly string[] = [
  ...["page-fault", "context-switches", "cpu-migrations", "task-clock"]
    .map((counter) => `perf:thread:${counter}`),
];

/** What is recorded, and what of it is compared. */
interface Recording {
  readonly name: string;
  /** Arguments of `lttng create` in place of a local output directory. */
  readonly create?: (world: World) => readonly string[];
  readonly channel?: readonly string[];
  readonly contexts?: readonly string[];
  /** Arguments of `lttng enable-event` after the events. */
  readonly event?: readonly string[];
  readonly applications: readonly ("app" | "fields")[];
  /** Rounds of events from when the session is started until it is destroyed. */
  readonly script: (
    world: World,
    applications: readonly UstApplication[],
  ) => Promise<void>;
  /** How many events are to be read; what the tracer left of them if absent. */
  readonly events?: number;
  /** Whether the tracer could not but lose some. */
  readonly lossy?: boolean;
  readonly options?: readonly (readonly string[])[];
}

const RECORDINGS: readonly Recording[] = [
  {
    name: "fields, contexts and log levels of every kind",
    contexts: CONTEXTS,
    applications: ["fields"],
    script: async (_, [application]) => await application!.emit(1),
    events: ROUND,
    options: OPTIONS,
  },
  {
    name: "several applications in buffers of their user",
    contexts: ["vpid", "procname"],
    applications: ["fields", "app", "app", "fields"],
    script: emitAtOnce,
    events: 2 * 3 * ROUND + 2 * 3,
  },
  {
    name: "several applications in buffers of their own",
    channel: ["--buffers-pid"],
    contexts: ["vtid"],
    applications: ["fields", "app", "app", "fields"],
    script: emitAtOnce,
    events: 2 * 3 * ROUND + 2 * 3,
  },
  {
    name: "what a filter on a field that is not written lets through",
    event: ["--filter", "filtered == 1"],
    applications: ["fields"],
    script: async (_, [application]) => await application!.emit(3),
    // The integers of one round, and the floats and enumerators 1 of all.
    events: 20 + 3 + 3,
  },
  {
    name: "what a log level lets through",
    event: ["--loglevel=TRACE_WARNING"],
    applications: ["fields"],
    script: async (_, [application]) => await application!.emit(2),
    events: 2 * 5,
  },
  {
    name: "archives of a session that is rotated",
    channel: SMALL_PACKETS,
    applications: ["fields", "app"],
    script: async (world, [fields, application]) => {
      for (let rotation = 0; rotation < 2; rotation++) {
        await fields!.emit(2);
        await application!.emit(200);
        await world.lttng("rotate");
      }
      await application!.emit(10);
    },
    events: 2 * (2 * ROUND + 200) + 10,
  },
  {
    name: "snapshots that have packets in common",
    create: (world) => ["--snapshot", `--output=${localTraces(world)}`],
    applications: ["fields"],
    script: async (world, [application]) => {
      for (let snapshot = 0; snapshot < 3; snapshot++) {
        await application!.emit(1);
        await world.lttng("snapshot", "record");
      }
    },
    events: 3 * ROUND,
  },
  {
    name: "archives of a session that discards events",
    channel: ["--subbuf-size=4096", "--num-subbuf=2"],
    applications: ["app"],
    script: emitTooMuch,
    lossy: true,
  },
  {
    name: "archives of a session that overwrites packets",
    channel: ["--subbuf-size=4096", "--num-subbuf=2", "--overwrite"],
    applications: ["app"],
    script: emitTooMuch,
    lossy: true,
  },
  {
    name: "a ring of trace files",
    channel: [
      ...SMALL_PACKETS,
      ...["--tracefile-size=8192", "--tracefile-count=2"],
    ],
    applications: ["app"],
    script: async (_, [application]) => await application!.emit(600),
  },
  {
    name: "a session that went through the relay daemon",
    create: (world) => [`--set-url=${world.url()}`],
    channel: SMALL_PACKETS,
    contexts: ["procname"],
    applications: ["fields", "app"],
    script: emitAtOnce,
    events: 3 * ROUND + 3,
  },
  {
    name: "a live session that the relay daemon stored",
    create: (world) => ["--live=100000", `--set-url=${world.url()}`],
    applications: ["fields", "app"],
    script: emitAtOnce,
    events: 3 * ROUND + 3,
  },
];

async function emitTooMuch(
  world: World,
  [application]: readonly UstApplication[],
): Promise<void> {
  for (let rotation = 0; rotation < 2; rotation++) {
    await application!.emit(20_000);
    await world.lttng("rotate");
  }
}

async function emitAtOnce(
  _: World,
  applications: readonly UstApplication[],
): Promise<void> {
  await Promise.all(applications.map((application) => application.emit(3)));
}

stockTest("lttng view prints as babeltrace2 does", NEEDS, async (context) => {
  await using world = await World.start(SECOND_KIND, {});
  for (const recording of RECORDINGS) {
    await context.step(recording.name, async () => {
      try {
        await record(world, recording);
        await compare(world, recording);
      } finally {
        await forget(world);
      }
    });
  }
});

async function record(world: World, recording: Recording): Promise<void> {
  const local = [`--output=${localTraces(world)}`];
  const create = recording.create?.(world) ?? local;
  const { channel = [], contexts = [], event = [] } = recording;
  await world.lttng("create", "demo", ...create);
  await world.lttng("enable-channel", "--userspace", ...channel, "ch");
  const ofChannel = ["--userspace", "--channel=ch"];
  await world.lttng("enable-event", ...ofChannel, "fields:*,tp:*", ...event);
  if (contexts.length > 0) {
    const types = contexts.map((type) => `--type=${type}`);
    await world.lttng("add-context", ...ofChannel, ...types);
  }
  const applications: UstApplication[] = [];
  for (const [number, program] of recording.applications.entries()) {
    const name = `${program}-${number}`;
    applications.push(
      program === "app"
        ? await world.application(name)
        : await world.sessiond.startFieldsApplication(name),
    );
  }
  await world.lttng("start");
  await recording.script(world, applications);
  for (const application of applications) await application.finish();
  await world.lttng("stop");
  await world.lttng("destroy");
  await world.settle();
}

/** Where the session daemon stores traces itself. */
function localTraces(world: World): string {
  return `${world.sessiond.user.home}/traces`;
}

async function compare(world: World, recording: Recording): Promise<void> {
  const local = localTraces(world);
  const remote = await Deno.stat(local).then(() => false, () => true);
  const directory = remote ? world.output : local;
  for (const options of recording.options ?? [SHORT, LONG]) {
    const { stdout, stderr } = await assertSameText(directory, ...options);
    assertEquals(stderr !== "", recording.lossy ?? false, stderr);
    const events = stdout.split("\n").length - 1;
    assertEquals(events, recording.events ?? events, options.join(" "));
    assert(events > 0);
  }
  await compareParts(directory);
}

/** Ends what a failed recording left, and removes all traces. */
async function forget(world: World): Promise<void> {
  await world.sessiond.tryLttng("destroy", "--all");
  for (const directory of [localTraces(world), world.output]) {
    const entries = await Array.fromAsync(Deno.readDir(directory))
      .catch(() => []);
    for (const { name } of entries) {
      await Deno.remove(`${directory}/${name}`, { recursive: true });
    }
  }
  await Deno.remove(localTraces(world)).catch(() => {});
}

/** Each trace by itself, and the middle third of all of them. */
async function compareParts(directory: string): Promise<void> {
  const traces = await traceDirectories(directory);
  for (const trace of traces.length > 1 ? traces : []) {
    await assertSameText(`${directory}/${trace}`);
  }
  const { stdout } = await assertSameText(directory, "--clock-seconds");
  const times = [...stdout.matchAll(/^\[(\d+\.\d{9})\]/gm)]
    .map((match) => match[1]!);
  const third = Math.floor(times.length / 3);
  const [begin, end] = [times[third]!, times[2 * third]!];
  const range = [`--begin=${begin}`, `--end=${end}`];
  const middle = await assertSameText(directory, ...range);
  const inside = times.filter((time) => time >= begin && time <= end);
  assertEquals(middle.stdout.split("\n").length - 1, inside.length);
}

stockTest(
  "lttng view prints the counters of perf as babeltrace2 does",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const recording: Recording = {
      name: "counters",
      contexts: COUNTERS,
      applications: ["fields"],
      script: async (_, [application]) => await application!.emit(1),
    };
    await record(world, recording);
    const { stdout } = await assertSameText(localTraces(world));
    if (stdout === "") {
      console.log(
        "Nothing to compare: the kernel lets no application count for itself",
      );
      return;
    }
    assertEquals(stdout.split("\n").length - 1, ROUND);
    assert(stdout.includes("perf_thread_task_clock = "));
  },
);
