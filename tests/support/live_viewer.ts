/** Stock babeltrace2 programs that follow live sessions of a relay daemon under test. */

import { assert, assertEquals } from "@std/assert";
import { viewerCommands, viewerHeader } from "../../lib/wire/live.ts";
import { ChildProgram, waitFor } from "./process.ts";
import { RawPeer } from "./raw_peer.ts";
import type { RelayProcess } from "./relay_process.ts";

const ATTACH_MILLISECONDS = 15_000;
const END_MILLISECONDS = 15_000;
/** The viewer version whose replies have a fixed size. */
const MINOR = 4;
const CONNECT_BYTES = 20;
const ENTRY_BYTES = 339;

/** Which session to follow. */
export interface LiveSession {
  readonly name: string;
  /** Of the producer; this machine's if absent. */
  readonly hostname?: string;
}

/** Running viewers; those that still run at disposal are killed. */
export interface Viewers extends AsyncDisposable {
  readonly programs: readonly LiveViewer[];
}

/** One running viewer. */
export class LiveViewer implements AsyncDisposable {
  readonly #program: ChildProgram;

  constructor(url: string) {
    this.#program = new ChildProgram({
      command: ["babeltrace2", "--input-format=lttng-live", url],
    });
  }

  /** What it printed so far; nothing until its buffer of 4 KiB is full. */
  get text(): string {
    return this.#program.stdout;
  }

  /** Its standard error so far. */
  get errors(): string {
    return this.#program.stderr;
  }

  get running(): boolean {
    return this.#program.running;
  }

  /** Sends a signal, such as SIGSTOP. */
  signal(signal: Deno.Signal): void {
    this.#program.signal(signal);
  }

  /** Waits for its end, as a success, and returns all lines it printed. */
  async lines(): Promise<string[]> {
    await waitFor(
      "the end of a viewer",
      () => !this.running,
      END_MILLISECONDS,
    );
    const { code } = await this.#program.ended;
    assertEquals(code, 0, this.errors);
    return this.text.split("\n").filter((line) => line !== "");
  }

  /** The values of an integer field in what it printed until its end. */
  async values(field = "intfield"): Promise<number[]> {
    const pattern = new RegExp(`\\b${field} = (\\d+)`);
    return (await this.lines()).map((line) => Number(pattern.exec(line)?.[1]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/** Starts viewers and returns once all of them are attached. */
export async function startViewers(
  relay: RelayProcess,
  count: number,
  session: LiveSession,
): Promise<Viewers> {
  const { name, hostname = Deno.hostname() } = session;
  const stack = new AsyncDisposableStack();
  const url = `net://127.0.0.1:${relay.ports.live}/host/${hostname}/${name}`;
  const programs = Array.from(
    { length: count },
    () => stack.use(new LiveViewer(url)),
  );
  try {
    await waitFor(`${count} viewers are attached to ${name}`, async () => {
      for (const { running, errors } of programs) assert(running, errors);
      return (await attachedViewers(relay)).get(name) === count;
    }, ATTACH_MILLISECONDS);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return {
    programs,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** How many viewers are attached to each session that the daemon lists. */
async function attachedViewers(
  relay: RelayProcess,
): Promise<Map<string, number>> {
  const { CONNECT, LIST_SESSIONS } = viewerCommands;
  using viewer = await RawPeer.connect({ port: relay.ports.live });
  const greeting = { viewerSessionId: 0n, major: 2, minor: MINOR, type: 1 };
  await viewer.send(
    header(CONNECT.number, CONNECT_BYTES),
    CONNECT.request.encode(greeting, MINOR),
    header(LIST_SESSIONS.number, 0),
  );
  await viewer.read(CONNECT_BYTES);
  const head = await viewer.read(4);
  const count = new DataView(head.buffer, head.byteOffset).getUint32(0);
  const entries = await viewer.read(count * ENTRY_BYTES);
  const { sessions } = LIST_SESSIONS.reply
    .decode(Uint8Array.from([...head, ...entries]), MINOR);
  return new Map(sessions.map((it) => [it.sessionName, it.clients]));
}

function header(command: number, payloadBytes: number): Uint8Array {
  const dataSize = BigInt(payloadBytes);
  return viewerHeader.encode({ dataSize, command, commandVersion: 0 });
}
