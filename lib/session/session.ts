/** One session: what it is, what it records, and the order of what is done to it. */

import type { Consumer } from "./consumer.ts";
import { refuse } from "./errors.ts";
import type { Destination } from "./destination.ts";
import type { Caller } from "./host.ts";
import type { ChunkLocation } from "./output.ts";
import type { Channel } from "./recording_state.ts";
import type { SnapshotRing } from "./snapshot_ring.ts";
import type { Tracing } from "./tracer.ts";

/** What kind of session. */
export type SessionType = "regular" | "snapshot" | "live";

/** What creating a session decides. */
export interface SessionOptions {
  readonly name: string;
  readonly type: SessionType;
  readonly owner: Caller;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The daemon made up its name, which has the time in it. */
  readonly isNamedByTime: boolean;
  /** Microseconds; 0 where it is not live. */
  readonly liveTimer: number;
}

/** The kernel's part of a session. */
export interface KernelDomain {
  readonly tracing: Tracing;
  /** In the order of their making. */
  readonly channels: Map<string, Channel>;
  /** A channel was made by its name. */
  hasNamedChannel: boolean;
  /** Which processes are traced; `undefined`: all. */
  tracked: TrackedProcesses | undefined;
}

/** Which processes are traced. */
export interface TrackedProcesses {
  /** A `TrackingPolicy` other than "all". */
  readonly policy: number;
  readonly pids: ReadonlySet<number>;
}

/** Where snapshots go. */
export interface SnapshotOutput {
  readonly id: number;
  readonly name: string;
  readonly destination: Destination;
  /** Bytes; 0: no bound. */
  readonly maximumSize: bigint;
}

/** How the last rotation went. */
export interface Rotation {
  readonly id: bigint;
  state: "ongoing" | "completed" | "error";
  location: ChunkLocation | undefined;
  /** Settles with the rotation; never rejects. */
  done: Promise<void>;
}

/** What makes a session rotate by itself. */
export interface RotationSchedules {
  /** Microseconds. */
  period: bigint | undefined;
  /** Bytes. */
  size: bigint | undefined;
}

/** A session. */
export class Session {
  readonly options: SessionOptions;
  destination: Destination;
  /** Where its buffers were to be; told, and of no use here. */
  shmPath = "";
  isActive = false;
  isDestroyed = false;
  wasStarted = false;
  kernel: KernelDomain | undefined;
  /** Takes the trace; which one, the type decides. */
  consumer: Consumer | undefined;
  ring: SnapshotRing | undefined;
  /** The time that a relay daemon was last told, milliseconds since 1970. */
  relayCreationTime: number | undefined;
  /** The tracer's buffers were not empty yet when the last stop ended. */
  hasMore = false;
  /** Settles when what the last stop left behind is stored, or time is up. */
  stopping: Promise<void> | undefined;
  readonly snapshotOutputs: SnapshotOutput[] = [];
  snapshotCount = 0;
  /** Number of the next snapshot output. */
  nextSnapshotOutput = 1;
  rotation: Rotation | undefined;
  readonly schedules: RotationSchedules = {
    period: undefined,
    size: undefined,
  };
  rotatedSinceStop = false;
  clearedSinceStop = false;
  /** Bytes of the consumer when the current chunk began. */
  chunkStartBytes = 0;
  /** Ends with the session: timers. */
  readonly timers = new Map<string, Disposable>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions, destination: Destination) {
    this.options = options;
    this.destination = destination;
  }

  get name(): string {
    return this.options.name;
  }

  get isSnapshot(): boolean {
    return this.options.type === "snapshot";
  }

  get isLive(): boolean {
    return this.options.type === "live";
  }

  /**
   * Runs `act` when what was asked before is done.
   *
   * @throws {CommandError} SESS_NOT_FOUND where that destroyed it.
   */
  inTurn<T>(act: () => Promise<T> | T): Promise<T> {
    const result = this.#turn.then(() =>
      this.isDestroyed ? refuse("SESS_NOT_FOUND") : act()
    );
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Settles when what was asked so far is done. */
  get idle(): Promise<unknown> {
    return this.#turn;
  }

  /** Starts a timer in place of the one of this name, or ends that. */
  setTimer(name: string, timer: Disposable | undefined): void {
    this.timers.get(name)?.[Symbol.dispose]();
    if (timer === undefined) this.timers.delete(name);
    else this.timers.set(name, timer);
  }
}
