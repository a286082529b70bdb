/** A sink that keeps a trace in memory, and can be told to wait or to fail. */

import type { PacketInfo, StreamSink, TraceSink } from "../../lib/ctf/sink.ts";
import { METADATA_HEADER_SIZE } from "../../lib/ctf/metadata_packet.ts";

/** A packet as it was handed over, its bytes copied. */
export interface StoredPacket {
  readonly stream: string;
  readonly content: Uint8Array;
  readonly info: PacketInfo;
}

/** Keeps what it is given, and in which order. */
export class MemorySink implements TraceSink {
  /** What happened: `open NAME`, `metadata`, `packet NAME`, `close …`. */
  readonly log: string[] = [];
  readonly packets: StoredPacket[] = [];
  /** Text of all metadata. */
  metadata = "";
  /** Runs before each operation; what it throws or waits for, the caller does. */
  before: (operation: string) => Promise<void> | void = () => {};

  async writeMetadata(bytes: Uint8Array): Promise<void> {
    await this.before("metadata");
    for (let at = 0; at < bytes.length; at += 4096) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, 4096);
      const end = view.getUint32(24, true) / 8;
      this.metadata += new TextDecoder().decode(
        bytes.subarray(at + METADATA_HEADER_SIZE, at + end),
      );
    }
    this.log.push("metadata");
  }

  async openStream(name: string): Promise<StreamSink> {
    await this.before(`open ${name}`);
    this.log.push(`open ${name}`);
    return {
      writePacket: async (content, info) => {
        await this.before(`packet ${name}`);
        this.packets.push({ stream: name, content: content.slice(), info });
        this.log.push(`packet ${name}`);
      },
      close: async () => {
        await this.before(`close ${name}`);
        this.log.push(`close ${name}`);
      },
    };
  }

  async close(): Promise<void> {
    await this.before("close");
    this.log.push("close");
  }
}

/** Something to wait for that a test opens. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();

  get passed(): Promise<void> {
    return this.#opened.promise;
  }

  open(): void {
    this.#opened.resolve();
  }
}
