/**
 * Sessions whose relay daemon is behind a slow link: what it stores and what is
 * counted as lost are all that happened, metadata comes whole, and commands
 * return in time. All rates run side by side, as 512 kB take 82 s at 50 kbit/s.
 */

import { assert, assertEquals } from "@std/assert";
import { tracefsMissing } from "../kernel/support/tracefs.ts";
import { countEvents, readMetadata } from "../support/babeltrace.ts";
import { waitFor } from "../support/process.ts";
import {
  type RelayKind,
  type RelayProcess,
  startRelay,
} from "../support/relay_process.ts";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { slowNetworkMissing } from "../support/slow_network.ts";
import { stockTest } from "../support/stock.ts";
import { ThrottledLink } from "../support/throttle.ts";
import { RunningDaemon } from "./support/running_daemon.ts";
import { SlowKernel } from "./support/slow_kernel.ts";

/** The bound of a stop, and what a busy machine may add to it. */
const STOP_MILLISECONDS = 5_000;
const PATIENCE_MILLISECONDS = 4_000;
/** Until the relay daemon has all metadata, and a packet after it. */
const METADATA_MILLISECONDS = 150_000;
/** Until it has what the sockets held at the end. */
const REST_MILLISECONDS = 60_000;

const METADATA_BYTES = 512_000;
/**
 * What a session of the kernel has at 50 kbit/s, unless `SLOW_LINK` is `full`:
 * there is a stop, a destroy and a rest to come after it, in two minutes.
 */
const LEAST_METADATA_BYTES = Deno.env.get("SLOW_LINK") === "full"
  ? METADATA_BYTES
  : 384_000;

/** How much of the kernel's metadata a link can have in this time; unset: all. */
function metadataBytesAt(rate: number): number | undefined {
  if (rate <= 50) return LEAST_METADATA_BYTES;
  return rate <= 100 ? METADATA_BYTES : undefined;
}

const PROGRAMS = [...SESSIOND_PROGRAMS, "lttng-relayd", "babeltrace2"];
const noKernel = tracefsMissing() ?? await slowNetworkMissing();

/** A session that records, and how its test looks at it. */
interface SlowSession {
  readonly name: string;
  readonly relay: RelayProcess;
  lttng(...args: string[]): Promise<{ stdout: string; stderr: string }>;
  /** Whether the relay daemon has all metadata, and packets. */
  isFlowing(directory: string): boolean;
  checkMetadata(directory: string): Promise<void>;
  /** What happened; to be asked between stop and destroy. */
  produced(): number;
  /** What was counted as lost; to be asked after destroy. */
  discarded(): number;
}

/** What has to be so of every session behind a slow link. */
async function check(session: SlowSession): Promise<void> {
  const { name, relay } = session;
  const directory = await waitFor(
    `the metadata of ${name}`,
    () => {
      const found = directoryOf(relay, name);
      return found !== undefined && session.isFlowing(found) && found;
    },
    METADATA_MILLISECONDS,
  );
  await session.checkMetadata(directory);
  const bound = STOP_MILLISECONDS + PATIENCE_MILLISECONDS;
  const stop = await timed(() => session.lttng("stop", name));
  assert(stop < bound, `The stop of ${name} took ${stop} ms`);
  const produced = session.produced();
  const destroy = await timed(() => session.lttng("destroy", name));
  assert(destroy < bound, `The destroy of ${name} took ${destroy} ms`);
  const discarded = session.discarded();
  assert(discarded > 0, `${name}: nothing filled the buffers`);
  await waitFor(
    `${produced} events of ${name}, ${discarded} of them discarded`,
    async () => {
      const { events, told } = await countEvents(directory);
      // The last losses come after the last packet that could tell of them.
      assert(told <= discarded, `${told} > ${discarded}`);
      return events + discarded === produced;
    },
    REST_MILLISECONDS,
  );
}

/** The directory of a session of a relay daemon, once it has one. */
function directoryOf(relay: RelayProcess, name: string): string | undefined {
  for (const host of Deno.readDirSync(relay.output)) {
    for (const entry of Deno.readDirSync(`${relay.output}/${host.name}`)) {
      const path = `${relay.output}/${host.name}/${entry.name}`;
      if (entry.name.startsWith(`${name}-`)) return path;
    }
  }
  return undefined;
}

/** Runs `act`, and gives how long it took, in ms. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

/** A step beside others; what each leaves open is looked at with its test. */
function beside(
  context: Deno.TestContext,
  name: string,
  skip: string | undefined,
  fn: () => Promise<void>,
): Promise<boolean> {
  if (skip !== undefined) console.log(`Skipped: ${name}: ${skip}`);
  return context.step({
    name,
    ignore: skip !== undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    sanitizeExit: false,
    fn,
  });
}

/** Through the proxy, of a tracer that needs no root. */
async function checkProxied(
  daemon: RunningDaemon,
  rate: number,
  kind: RelayKind,
): Promise<void> {
  await using relay = await startRelay(kind);
  await using link = new ThrottledLink(relay.ports, rate * 1_000);
  const name = `proxied${rate}`;
  const { control, data } = link.ports;
  const url = `net://127.0.0.1:${control}:${data}`;
  const inSession = `--session=${name}`;
  await daemon.lttng("create", name, "--set-url", url);
  await daemon.lttng(
    ...["enable-channel", "--kernel", "ch", inSession],
    ...["--subbuf-size=4k", "--num-subbuf=2"],
  );
  await daemon.lttng(
    ...["enable-event", "--kernel", "fake_tick", "--channel=ch", inSession],
  );
  await daemon.lttng("start", name);
  const recording = daemon.tracer.recordings.get(name)!;
  const channel = recording.channels[0]!;
  const metadata = new Uint8Array(
    await new Blob(recording.metadata as Uint8Array<ArrayBuffer>[])
      .arrayBuffer(),
  );
  assert(metadata.length >= METADATA_BYTES);
  let bytes: number | undefined;
  await check({
    name,
    relay,
    lttng: (...args) => daemon.tryLttng(...args),
    isFlowing(directory) {
      recording.produce(1_000, "event of a busy machine");
      const size = sizeOf(`${directory}/kernel/metadata`);
      if (size >= metadata.length) bytes ??= link.bytes;
      return size >= metadata.length && sizeOf(`${directory}/kernel/ch_0`) > 0;
    },
    async checkMetadata(directory) {
      const stored = await Deno.readFile(`${directory}/kernel/metadata`);
      assertEquals(stored, metadata);
      // No packet took its time from it, though they waited all the while.
      assert(bytes! < metadata.length + 20_000, `${bytes} bytes were sent`);
    },
    produced: () => channel.produced,
    discarded: () =>
      channel.statistics().reduce((sum, { discarded }) => sum + discarded, 0),
  });
}

/** Through a link with a token bucket, of all the kernel's events. */
async function checkKernel(
  kernel: SlowKernel,
  relay: RelayProcess,
  rate: number,
): Promise<void> {
  const { daemon } = kernel;
  const name = `kernel${rate}`;
  await check({
    name,
    relay,
    lttng: (...args) => daemon.tryLttng(...args),
    isFlowing: (directory) =>
      kernel.isOverrun(name) &&
      sizeOf(`${directory}/kernel/ch_0`) > kernel.subBufferSize,
    async checkMetadata(directory) {
      const { classes } = await readMetadata(directory);
      for (const [event, text] of kernel.classesOf(name)) {
        assertEquals(classes.get(event), text);
      }
    },
    produced: () => kernel.produced(name),
    discarded: () => kernel.discarded(name),
  });
}

const rows: readonly (readonly [number, RelayKind])[] = [
  [50, "ours"],
  [100, "stock"],
  [400, "stock"],
  [3_200, "ours"],
];

stockTest(
  "sessions behind slow links lose no metadata, and no event without a word",
  { programs: PROGRAMS },
  async (context) => {
    await using daemon = await RunningDaemon.start();
    daemon.tracer.metadataBytes = METADATA_BYTES;
    const steps = rows.map(([rate, kind]) =>
      beside(
        context,
        `${rate} kbit/s through a proxy (${kind} relay daemon)`,
        undefined,
        () => checkProxied(daemon, rate, kind),
      )
    );
    await using kernel = noKernel === undefined
      ? await SlowKernel.start(rows.map(([rate]) => rate))
      : undefined;
    for (const [rate, kind] of rows) {
      const step = beside(
        context,
        `${rate} kbit/s of all kernel events (${kind} relay daemon)`,
        noKernel,
        () => checkKernel(kernel!, kernel!.relays[kind], rate),
      );
      steps.push(step);
      // The next begins when this one records: the slowest needs its time.
      await kernel?.record(
        `kernel${rate}`,
        rate,
        kind,
        metadataBytesAt(rate),
      );
    }
    await Promise.all(steps);
  },
);
