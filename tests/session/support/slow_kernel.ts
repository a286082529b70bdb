/**
 * Our session daemon with this machine's kernel in one network namespace, relay
 * daemons in another, and a slow link between them for each of its sessions.
 */

import { readMetadata } from "../../support/babeltrace.ts";
import { ChildProgram } from "../../support/process.ts";
import {
  type RelayKind,
  type RelayProcess,
  startRelay,
} from "../../support/relay_process.ts";
import { SlowNetwork } from "../../support/slow_network.ts";
import { endCounts, kernelCounts } from "./kernel_counts.ts";
import { RootDaemon } from "./root_daemon.ts";

const CHANNEL = "ch";
const SUB_BUFFER_BYTES = 8 * 1024;
/** What the load does: it has to be among the events of each session. */
const LOAD_EVENTS = /^sched_/;
const LOAD_CALLS = ["read", "write"];

/** What a test says of a session, and learns of it. */
interface Recorded {
  readonly classes: ReadonlyMap<string, string>;
  /** Whether its ring buffers were full. */
  isOverrun: boolean;
}

/** A world for kernel sessions behind slow links. */
export class SlowKernel implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #network: SlowNetwork;
  readonly #rates: readonly number[];
  /** Event classes of all the kernel's events, as text by their names. */
  readonly #classes: ReadonlyMap<string, string>;
  readonly #sessions = new Map<string, Recorded>();
  #load: ChildProgram[] = [];
  readonly subBufferSize = SUB_BUFFER_BYTES;

  private constructor(
    stack: AsyncDisposableStack,
    network: SlowNetwork,
    rates: readonly number[],
    readonly relays: Readonly<Record<RelayKind, RelayProcess>>,
    readonly daemon: RootDaemon,
    classes: ReadonlyMap<string, string>,
  ) {
    this.#stack = stack;
    this.#network = network;
    this.#rates = rates;
    this.#classes = classes;
  }

  /** Makes it, with a link for each of `rates`, kbit/s. */
  static async start(rates: readonly number[]): Promise<SlowKernel> {
    await using stack = new AsyncDisposableStack();
    const network = stack.use(
      await SlowNetwork.make(rates.map((rate) => rate * 1_000)),
    );
    const relay = { enter: network.enter("relay") };
    const relays = {
      ours: stack.use(await startRelay("ours", relay)),
      stock: stack.use(await startRelay("stock", relay)),
    };
    const daemon = stack.use(await RootDaemon.start(network.enter("target")));
    const classes = await allClasses(daemon);
    return new SlowKernel(
      stack.move(),
      network,
      rates,
      relays,
      daemon,
      classes,
    );
  }

  /**
   * Begins to record behind the link of `rate`: all events, or as many as make
   * `metadataBytes`. Once all links have a session, the load begins.
   */
  async record(
    session: string,
    rate: number,
    kind: RelayKind,
    metadataBytes: number | undefined,
  ): Promise<void> {
    const { control, data } = this.relays[kind].ports;
    const host = this.#network.address(this.#rates.indexOf(rate), "relay");
    const url = `net://${host}:${control}:${data}`;
    await this.daemon.lttng("create", session, "--set-url", url);
    const inSession = `--session=${session}`;
    await this.daemon.lttng(
      ...["enable-channel", "--kernel", CHANNEL, inSession],
      ...[`--subbuf-size=${SUB_BUFFER_BYTES}`, "--num-subbuf=8"],
    );
    const enable = (...args: string[]) =>
      this.daemon.lttng(
        ...["enable-event", "--kernel", inSession, `--channel=${CHANNEL}`],
        ...args,
      );
    let classes = this.#classes;
    if (metadataBytes === undefined) await enable("--all");
    else {
      classes = choose(classes, metadataBytes);
      const calls = LOAD_CALLS.flatMap(phasesOf);
      const names = [...classes.keys()].filter((one) => !calls.includes(one));
      await enable(names.join(","));
      await enable("--syscall", LOAD_CALLS.join(","));
    }
    await this.daemon.lttng("start", session);
    this.#sessions.set(session, { classes, isOverrun: false });
    if (this.#sessions.size === this.#rates.length) this.#startLoad();
  }

  /** Event classes that its metadata has to have, as text by their names. */
  classesOf(session: string): ReadonlyMap<string, string> {
    return this.#sessions.get(session)!.classes;
  }

  /**
   * Whether the ring buffers of a session were full. The load ends when those
   * of all sessions were.
   */
  isOverrun(session: string): boolean {
    const recorded = this.#sessions.get(session);
    if (recorded === undefined) return false;
    const { pid } = this.daemon.child;
    recorded.isOverrun ||= kernelCounts(pid, session, CHANNEL).lost > 0;
    const all = [...this.#sessions.values()];
    if (all.every(({ isOverrun }) => isOverrun)) this.#stopLoad();
    return recorded.isOverrun;
  }

  /** What the kernel counted; to be asked between stop and destroy. */
  produced(session: string): number {
    return kernelCounts(this.daemon.child.pid, session, CHANNEL).produced;
  }

  /** What the daemon said at the session's end. */
  discarded(session: string): number {
    return endCounts(this.daemon.child.stderr, session).discarded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#load) await program.kill();
    await this.#stack[Symbol.asyncDispose]();
  }

  #startLoad(): void {
    // Two system calls a byte, on two processors.
    const command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1"];
    for (let count = 0; count < 2; count++) {
      this.#load.push(new ChildProgram({ command }));
    }
  }

  #stopLoad(): void {
    for (const program of this.#load) program.signal("SIGTERM");
  }
}

/** What a session that is not behind a slow link says of the kernel's events. */
async function allClasses(daemon: RootDaemon): Promise<Map<string, string>> {
  const output = `${daemon.home}/all`;
  await daemon.lttng("create", "all", "--output", output);
  await daemon.lttng("enable-event", "--kernel", "--all");
  await daemon.lttng("start");
  await daemon.lttng("destroy");
  const { classes } = await readMetadata(output);
  const own = [...classes].filter(([name]) =>
    !name.startsWith("lttng_statedump_")
  );
  return new Map(own);
}

/** The load's events, and others until they make so many bytes. */
function choose(
  classes: ReadonlyMap<string, string>,
  bytes: number,
): Map<string, string> {
  const chosen = new Map<string, string>();
  let size = 0;
  const isWanted = (name: string) =>
    LOAD_EVENTS.test(name) || LOAD_CALLS.flatMap(phasesOf).includes(name);
  const add = (accept: (name: string) => boolean) => {
    for (const [name, text] of classes) {
      if (size >= bytes || !accept(name)) continue;
      chosen.set(name, text);
      size += text.length;
    }
  };
  add(isWanted);
  add((name) => !chosen.has(name) && !name.startsWith("syscall_"));
  return chosen;
}

function phasesOf(call: string): string[] {
  return [`syscall_entry_${call}`, `syscall_exit_${call}`];
}
