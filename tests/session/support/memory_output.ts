/** Outputs in memory, which a test makes slow, absent or broken. */

import type {
  LocalDestination,
  Outputs,
  RelayDestination,
} from "../../../lib/session/host.ts";
import type {
  ChunkLocation,
  OutputStream,
  TraceOutput,
} from "../../../lib/session/output.ts";
import type { SnapshotContent } from "../../../lib/session/snapshot_ring.ts";

/** A trace in memory. */
export class MemoryOutput implements TraceOutput {
  /** What was done, in order: `metadata`, `packet channel0_0`, `rotate`, … */
  readonly actions: string[] = [];
  /** The packets that it took, as they were then. */
  readonly packets: Uint8Array[] = [];
  readonly #lost = Promise.withResolvers<Error>();
  readonly lost = this.#lost.promise;
  #isLost: Error | undefined;
  /** Packets and new metadata wait while it is set. */
  #gate: PromiseWithResolvers<void> | undefined;
  /** Its metadata, in the pieces that it came in. */
  readonly metadata: Uint8Array[] = [];
  /** Why metadata cannot be replaced; found out before, or at it. */
  refusesReplacing: Error | undefined;
  failsReplacing: Error | undefined;
  /** What {@linkcode waitUntilStored} says. */
  missing: readonly string[] = [];
  isClosed = false;
  archives = 0;

  openStream(name: string): Promise<OutputStream> {
    this.actions.push(`stream ${name}`);
    return Promise.resolve({
      writePacket: async (content) => {
        await this.#gate?.promise;
        if (this.#isLost !== undefined) throw this.#isLost;
        this.actions.push(`packet ${name}`);
        this.packets.push(content.slice());
      },
      beacon: () => {
        this.actions.push(`beacon ${name}`);
        return Promise.resolve();
      },
    });
  }

  writeMetadata(bytes: Uint8Array): Promise<void> {
    this.actions.push("metadata");
    this.metadata.push(bytes);
    return Promise.resolve();
  }

  async replaceMetadata(bytes: Uint8Array): Promise<void> {
    await this.#gate?.promise;
    if (this.failsReplacing !== undefined) throw this.failsReplacing;
    this.actions.push("new metadata");
    this.metadata.splice(0, this.metadata.length, bytes);
  }

  checkReplacing(): void {
    if (this.refusesReplacing !== undefined) throw this.refusesReplacing;
  }

  waitUntilStored(): Promise<readonly string[]> {
    return Promise.resolve(this.missing);
  }

  rotate(): Promise<ChunkLocation> {
    this.actions.push("rotate");
    return this.#archive();
  }

  archive(): Promise<ChunkLocation> {
    this.actions.push("archive");
    return this.#archive();
  }

  clear(): Promise<void> {
    this.actions.push("clear");
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** Packets and new metadata wait until the result is called. */
  hold(): () => void {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate;
    return () => {
      this.#gate = undefined;
      gate.resolve();
    };
  }

  /** Breaks, as a relay daemon that vanishes. */
  break(reason: string): void {
    this.#isLost = new Error(reason);
    this.#lost.resolve(this.#isLost);
    this.#gate?.resolve();
  }

  /** How often something was done. */
  count(action: string): number {
    return this.actions.filter((one) => one.startsWith(action)).length;
  }

  #archive(): Promise<ChunkLocation> {
    const path = `/archive/${this.archives++}`;
    return Promise.resolve({ kind: "local", path });
  }
}

/** A snapshot that was taken. */
export interface TakenSnapshot {
  /** Where it went. */
  readonly path: string;
  readonly content: SnapshotContent;
}

/** Outputs that remember. */
export class MemoryOutputs implements Outputs {
  /** Every output that was opened, in order. */
  readonly opened: MemoryOutput[] = [];
  readonly snapshots: TakenSnapshot[] = [];
  readonly saved = new Map<string, string>();
  /** Why nothing can be opened; `undefined`: it can. */
  failure: string | undefined;
  /** How often a relay daemon was asked for. */
  connects = 0;

  openLocal(_destination: LocalDestination): TraceOutput {
    return this.#open();
  }

  connectRelay(_destination: RelayDestination): Promise<TraceOutput> {
    this.connects++;
    try {
      return Promise.resolve(this.#open());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writeSnapshot(
    { path }: LocalDestination,
    content: SnapshotContent,
  ): Promise<void> {
    this.snapshots.push({ path, content });
    return Promise.resolve();
  }

  sendSnapshot(
    { hostname }: RelayDestination,
    name: string,
    content: SnapshotContent,
  ): Promise<void> {
    this.snapshots.push({ path: `${hostname}/${name}`, content });
    return Promise.resolve();
  }

  save(_owner: unknown, path: string, text: string, overwrite: boolean): void {
    if (this.saved.has(path) && !overwrite) {
      throw new Deno.errors.AlreadyExists(path);
    }
    this.saved.set(path, text);
  }

  mayRead(_caller: unknown, path: string): boolean {
    return !path.includes("secret");
  }

  homeOf(uid: number): string {
    return `/home/${uid}`;
  }

  #open(): MemoryOutput {
    if (this.failure !== undefined) throw new Error(this.failure);
    const output = new MemoryOutput();
    this.opened.push(output);
    return output;
  }
}
