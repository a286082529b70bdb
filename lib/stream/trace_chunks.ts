/** The trace chunks of one session: which is current, and how to leave it. */

import { CloseCommand } from "../wire/relay.ts";
import { deadlineOf } from "./bounded.ts";
import type { ChunkOptions, RotateOptions } from "./client_options.ts";
import type { ControlChannel } from "./control_channel.ts";
import { RelayVersionError } from "./errors.ts";
import type { PacketSender } from "./packet_sender.ts";
import { type OpenStream, secondsSince1970 } from "./relay_stream.ts";
import {
  chunkIsGone,
  closeChunk,
  type ClosedChunk,
  rotateStreams,
} from "./rotation.ts";

/** Creates, leaves and closes trace chunks; one rotation at a time. */
export class TraceChunks {
  readonly #control: ControlChannel;
  readonly #packets: PacketSender;
  readonly #streams: () => Iterable<OpenStream>;
  #current: bigint | undefined;
  #announced: bigint | undefined;
  #next = 0n;
  #rotating = false;

  constructor(
    control: ControlChannel,
    packets: PacketSender,
    streams: () => Iterable<OpenStream>,
  ) {
    this.#control = control;
    this.#packets = packets;
    this.#streams = streams;
  }

  /** The current chunk's id; unset without one. */
  get current(): bigint | undefined {
    return this.#current;
  }

  /**
   * The chunk that streams are added to from now on: commands keep their
   * order, so it may be one whose creation is under way.
   */
  get announced(): bigint | undefined {
    return this.#announced;
  }

  /** Makes a chunk that exists the current one. */
  use(chunkId: bigint): void {
    this.#current = this.#announced = chunkId;
    this.#next = chunkId + 1n;
  }

  /** Creates a chunk and makes it the current one. */
  async create(options: ChunkOptions = {}): Promise<bigint> {
    const chunkId = options.id ?? this.#next;
    this.#announced = chunkId;
    await this.#control.request("CREATE_TRACE_CHUNK", {
      chunkId,
      creationTimestamp: secondsSince1970(options.creationTime ?? new Date()),
      overrideName: options.overrideName ?? "",
    });
    this.use(chunkId);
    return chunkId;
  }

  /** Moves all streams to a new chunk or to none and closes the old one. */
  async rotate(options: RotateOptions): Promise<ClosedChunk> {
    const { newChunk = true, closeCommand = CloseCommand.MOVE_TO_COMPLETED } =
      options;
    const deadline = deadlineOf(options);
    if (this.#control.minor < 11) {
      throw new RelayVersionError(
        `Rotation needs a relay daemon of 2.11: 2.${this.#control.minor} was agreed`,
      );
    }
    const old = this.#current;
    if (old === undefined) {
      throw new TypeError("Cannot rotate: there is no trace chunk");
    }
    if (this.#rotating) throw new TypeError("A rotation is under way already");
    this.#rotating = true;
    try {
      const target = newChunk ? await this.create() : undefined;
      await this.#register(target);
      const path = await closeChunk(this.#control, old, closeCommand);
      if (target === undefined) this.#current = this.#announced = undefined;
      const finished = await chunkIsGone(this.#control, old, deadline);
      return { path, finished };
    } finally {
      this.#rotating = false;
    }
  }

  async #register(target: bigint | undefined): Promise<void> {
    // Streams that were added meanwhile are in the new chunk already.
    const streams = [...this.#streams()]
      .filter(({ chunkId }) => chunkId !== target);
    for (const stream of streams) stream.chunkId = target;
    this.#packets.hold();
    try {
      await rotateStreams(this.#control, streams, target);
    } finally {
      this.#packets.release();
    }
  }
}
