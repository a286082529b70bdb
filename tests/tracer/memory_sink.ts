/** A sink that keeps a trace in memory, and can be told to wait or to fail. */

import type { PacketInfo, StreamSink, TraceSink } from "../../lib/ctf/sink.ts";
import {
  METADATA_HEADER_SIZE,
  METADATA_PACKET_SIZE,
} from "../../lib/ctf/metadata_packet.ts";

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
    this.metadata += metadataText(bytes);
    this.log.push("metadata");
  }

  async replaceMetadata(bytes: Uint8Array): Promise<void> {
    await this.before("new metadata");
    this.metadata = metadataText(bytes);
    this.log.push("new metadata");
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

/** The text of metadata packets. */
export function metadataText(packets: Uint8Array): string {
  let text = "";
  for (let at = 0; at < packets.length; at += METADATA_PACKET_SIZE) {
    const view = new DataView(
      packets.buffer,
      packets.byteOffset + at,
      METADATA_PACKET_SIZE,
    );
    const end = view.getUint32(24, true) / 8;
    text += new TextDecoder().decode(
      packets.subarray(at + METADATA_HEADER_SIZE, at + end),
    );
  }
  return text;
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
