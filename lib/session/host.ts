/** What the session daemon's state needs of the world; tests bring their own. */

import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { RelayOutputOptions } from "./relay_output.ts";
import type { SnapshotContent } from "./snapshot_ring.ts";
import type { TraceOutput } from "./output.ts";
import type { Tracer } from "./tracer.ts";

/** Whose request it is. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
}

/** A relay daemon, and what a session is called there. */
export type RelayDestination = Omit<
  RelayOutputOptions,
  "connectTimeoutMs" | "signal" | "sender" | "domain"
>;

/** A directory, and whose files are made there. */
export interface LocalDestination {
  readonly path: string;
  readonly owner: Caller;
}

/** Where traces and saved sessions go. */
export interface Outputs {
  /** @throws {Error} When the directory cannot be made. */
  openLocal(destination: LocalDestination): TraceOutput;
  /** @throws {Error} When the relay daemon cannot be reached, or refuses. */
  connectRelay(
    destination: RelayDestination,
    signal: AbortSignal,
  ): Promise<TraceOutput>;
  /** @throws {Error} When the directory cannot be written. */
  writeSnapshot(
    destination: LocalDestination,
    content: SnapshotContent,
  ): Promise<void>;
  /** @throws {Error} When the relay daemon does not take it all in time. */
  sendSnapshot(
    destination: RelayDestination,
    name: string,
    content: SnapshotContent,
  ): Promise<void>;
  /**
   * Writes a saved session.
   *
   * @throws {Deno.errors.AlreadyExists} When it is there and not to be
   * replaced.
   */
  save(
    owner: Caller,
    path: string,
    text: string,
    overwrite: boolean,
  ): void;
  /** Whether that user may read a file. */
  mayRead(caller: Caller, path: string): boolean;
  /** The home that the user database has. */
  homeOf(uid: number): string | undefined;
}

/** Everything that is not the daemon's own. */
export interface DaemonHost {
  /** Traces the kernel. */
  readonly tracer: Tracer;
  /** Whether the daemon may trace the kernel at all: it runs as root. */
  readonly mayTraceKernel: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly outputs: Outputs;
  /** Calls `act` again and again; ends with the result. */
  every(milliseconds: number, act: () => void): Disposable;
  /**
   * How long a stop and a destroy may take, milliseconds.
   *
   * @default {5000}
   */
  readonly stopTimeoutMs?: number;
  /**
   * Pause between two tries to reach a relay daemon, milliseconds.
   *
   * @default {1000}
   */
  readonly retryMs?: number;
}
