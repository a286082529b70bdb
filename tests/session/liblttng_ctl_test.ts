/** Programs linked with liblttng-ctl drive our session daemon as they drive a stock one. */

import { assert, assertEquals } from "@std/assert";
import { tracefsTest } from "../kernel/support/tracefs.ts";
import { readTrace } from "../support/babeltrace.ts";
import { ctlCommand, ctlMissing } from "../support/ctl.ts";
import {
  ChildProgram,
  type ProgramOptions,
  run,
  waitFor,
} from "../support/process.ts";
import { type RelayProcess, startRelay } from "../support/relay_process.ts";
import { SESSIOND_PROGRAMS, startSessiond } from "../support/sessiond.ts";
import type { StockUser } from "../support/sessiond_user.ts";
import { stockMissing, stockTest } from "../support/stock.ts";
import { ROOT_DAEMON_PROGRAMS, RootDaemon } from "./support/root_daemon.ts";
import { RunningDaemon } from "./support/running_daemon.ts";
import { denoIsPrivate, SessiondPlace } from "./support/sessiond_process.ts";

const PATIENCE_MS = 60_000;
const EVENTS = 1000;

const missing = await ctlMissing();

/** What `sessions` prints, without what differs from run to run. */
async function answers(user: StockUser): Promise<string[]> {
  const { home } = user;
  const { code, stdout, stderr } = await run(
    await ctlCommand(user, "sessions", home),
  );
  assertEquals(code, 0, stdout + stderr);
  return stdout.replaceAll(home, "HOME")
    .replace(/\d{8}-\d{6}/g, "DATETIME").trim().split("\n");
}

/**
 * Where a stock daemon refuses before it has read a request whole, the client
 * cannot send the rest, now and then. Ours reads first.
 */
function isWhole(line: string): boolean {
  return !line.endsWith(": Fatal error of the session daemon");
}

stockTest(
  "lttng sessiond answers a program with liblttng-ctl as a stock one does",
  {
    programs: SESSIOND_PROGRAMS,
    skip: missing ?? (Deno.uid() === 0 ? denoIsPrivate() : undefined),
  },
  async () => {
    await using stock = await startSessiond();
    await using ours = await SessiondPlace.make();
    await ours.start("--no-kernel");
    const expected = await answers(stock.user);
    const found = await answers(ours.user);
    assert(expected.length > 150, expected.join("\n"));
    assert(found.every(isWhole), found.join("\n"));
    assertEquals(
      found.filter((_, index) => isWhole(expected[index] ?? "")),
      expected.filter(isWhole),
    );
  },
);

/**
 * What `recording` prints, with the codes of LTTng 2.13. A stock daemon cannot
 * be asked: it takes LTTng's kernel modules. Of liblttng-ctl itself are that
 * `lttng_list_tracker_pids` looks at virtual ids, whatever the domain, and that
 * `lttng_untrack_pid` keeps to itself what is missing.
 */
const RECORDING = Deno.readTextFileSync(
  new URL("../golden/sessiond/liblttng_ctl_recording.txt", import.meta.url),
);

/** How to run `recording`, and what the kernel that it records has. */
interface Recorded {
  readonly command: (...args: string[]) => Promise<ProgramOptions>;
  readonly home: string;
  readonly hostname: string;
  readonly tracepoint: string;
  readonly field: string;
  /** Has events happen, while they are recorded. */
  readonly produce: () => void;
}

/** Runs `recording`, and asserts what it printed; returns the events' number. */
async function record(relay: RelayProcess, one: Recorded): Promise<number> {
  const { home, hostname, tracepoint, field } = one;
  const { control, data } = relay.ports;
  const url = `net://127.0.0.1:${control}:${data}`;
  const filter = `${field} < 1000000`;
  await using child = new ChildProgram(
    await one.command(home, url, tracepoint, field, filter),
  );
  await waitFor(
    "the recording",
    () => !child.running || child.stdout.includes("\nrecording\n"),
    PATIENCE_MS,
  );
  one.produce();
  await child.writeLine("");
  const { code } = await child.ended;
  const printed = child.stdout.replaceAll(home, "HOME")
    .replaceAll(hostname, "HOSTNAME").replaceAll(tracepoint, "TRACEPOINT")
    .replaceAll(filter, "FILTER").replaceAll(`${control}`, "CONTROL")
    .replaceAll(`${data}`, "DATA").replace(/\d{8}-\d{6}/g, "DATETIME")
    .replace(/\d{8}T\d{6}[+-]\d{4}/g, "DATETIME");
  assertEquals(printed, RECORDING);
  assertEquals(code, 0);
  const reading = await readTrace(relay.output);
  assertEquals([reading.code, reading.discardedEvents], [0, 0]);
  return reading.events.filter((line) => line.includes(` ${tracepoint}: `))
    .length;
}

stockTest(
  "SessionDaemon records for a program with liblttng-ctl, to a relay daemon",
  { programs: [...SESSIOND_PROGRAMS, "babeltrace2"], skip: missing },
  async () => {
    await using relay = await startRelay("ours");
    await using daemon = await RunningDaemon.start();
    const events = await record(relay, {
      command: (...args) => ctlCommand(daemon.user, "recording", ...args),
      home: daemon.user.home,
      hostname: "target",
      tracepoint: "fake_tick",
      field: "n",
      produce: () => daemon.tracer.recordings.get("recorded")!.produce(EVENTS),
    });
    assertEquals(events, EVENTS);
  },
);

tracefsTest(
  "lttng sessiond records the kernel for a program with liblttng-ctl",
  async () => {
    await using stack = new AsyncDisposableStack();
    const relay = stack.use(await startRelay("ours"));
    const { home, child } = stack.use(await RootDaemon.start());
    const namespace = `--mount=/proc/${child.pid}/ns/mnt`;
    const events = await record(relay, {
      async command(...args) {
        const root = { home, uid: 0 };
        const options = await ctlCommand(root, "recording", ...args);
        return {
          ...options,
          command: ["nsenter", namespace, ...options.command],
        };
      },
      home,
      hostname: Deno.hostname(),
      tracepoint: "sched_switch",
      field: "next_prio",
      // Whoever waits makes switches.
      produce: () => {},
    });
    assert(events > 0);
  },
  { skip: missing ?? stockMissing("babeltrace2", ...ROOT_DAEMON_PROGRAMS) },
);
