/** How long a reply to a viewer is, and what it says: replies have no header. */

import * as limits from "../base/limits.ts";
import {
  AttachStatus,
  CreateViewerSessionStatus,
  DetachStatus,
  MetadataStatus,
  NewStreamsStatus,
  NextIndexStatus,
  PacketStatus,
  sessionEntry2_15,
  sessionEntry2_4,
  streamEntry,
  type ViewerCommand,
  type ViewerCommandName,
  viewerCommands,
} from "../wire/live.ts";
import type { Message } from "../wire/message.ts";
import { WireError } from "../wire/struct.ts";

/** What a viewer command is sent with. */
export type RequestOf<N extends ViewerCommandName> = Parameters<
  (typeof viewerCommands)[N]["request"]["encode"]
>[0];

/** What a viewer command is answered with. */
export type ReplyOf<N extends ViewerCommandName> = ReturnType<
  (typeof viewerCommands)[N]["reply"]["decode"]
>;

/** Which statuses there are. */
const statuses: Partial<Record<ViewerCommandName, ReadonlySet<number>>> = {
  ATTACH_SESSION: valuesOf(AttachStatus),
  CREATE_SESSION: valuesOf(CreateViewerSessionStatus),
  DETACH_SESSION: valuesOf(DetachStatus),
  GET_METADATA: valuesOf(MetadataStatus),
  GET_NEW_STREAMS: valuesOf(NewStreamsStatus),
  GET_NEXT_INDEX: valuesOf(NextIndexStatus),
  GET_PACKET: valuesOf(PacketStatus),
};

/** The minor that brought the second layout of LIST_SESSIONS. */
const LIST_CHANGED_IN = 15;

/** The row of a command, with the types of its request and reply. */
export function rowOf<N extends ViewerCommandName>(
  name: N,
): ViewerCommand<RequestOf<N>, ReplyOf<N>> {
  return viewerCommands[name] as unknown as ViewerCommand<
    RequestOf<N>,
    ReplyOf<N>
  >;
}

/** Finds the end of one reply in bytes that come in any pieces. */
export class ReplyFrame {
  readonly #name: ViewerCommandName;
  readonly #minor: number;
  /** Most bytes of packet that were asked for. */
  readonly #packetBytes: number;
  /** Up to where entries of varying length were measured, and how many. */
  #end = 0;
  #entries = 0;

  constructor(name: ViewerCommandName, minor: number, request: object) {
    this.#name = name;
    this.#minor = minor;
    this.#packetBytes = "length" in request ? Number(request.length) : 0;
  }

  /**
   * Size of the reply that `bytes` begin with, or the least that it can have
   * as far as they tell; all of it is there when that is not more than they
   * are.
   *
   * @throws {WireError} It announces more than a reply may have.
   */
  size(bytes: Uint8Array): number {
    const fixed = this.#fixedSize();
    if (bytes.length < fixed) return fixed;
    switch (this.#name) {
      case "LIST_SESSIONS":
        return this.#listSize(bytes, fixed);
      case "ATTACH_SESSION":
      case "GET_NEW_STREAMS": {
        if (!announcesStreams(this.#name, bytes)) return fixed;
        const count = this.#announced(bytes, "streamCount");
        this.#check("streamCount", count, limits.STREAMS_PER_SESSION);
        return fixed + count * streamEntry.size;
      }
      case "GET_PACKET": {
        const length = this.#announced(bytes, "length");
        this.#check("length", length, this.#packetBytes);
        return fixed + length;
      }
      case "GET_METADATA": {
        // The stock daemon sends as many bytes whatever the status.
        const view = viewOf(bytes);
        const length = view.getBigUint64(layoutOf(this.#name).offsets.length!);
        this.#check("length", length, limits.LIVE_METADATA_BYTES);
        return fixed + Number(length);
      }
      default:
        return fixed;
    }
  }

  #fixedSize(): number {
    return layoutOf(this.#name).size;
  }

  #announced(bytes: Uint8Array, key: string): number {
    return viewOf(bytes).getUint32(layoutOf(this.#name).offsets[key]!);
  }

  #check(key: string, value: number | bigint, most: number): void {
    if (value <= most) return;
    throw new WireError(
      `${layoutOf(this.#name).name}.${key}`,
      `${value} > ${most}`,
    );
  }

  #listSize(bytes: Uint8Array, fixed: number): number {
    const count = this.#announced(bytes, "sessionCount");
    this.#check("sessionCount", count, limits.SESSIONS);
    if (this.#minor < LIST_CHANGED_IN) {
      return fixed + count * sessionEntry2_4.size;
    }
    const { size, offsets } = sessionEntry2_15;
    if (this.#entries === 0) this.#end = Math.max(this.#end, fixed);
    for (; this.#entries < count; this.#entries++) {
      const head = this.#end;
      if (bytes.length < head + size) {
        return head + size * (count - this.#entries);
      }
      const view = viewOf(bytes);
      const hostname = view.getUint32(head + offsets.hostnameLength!);
      const name = view.getUint32(head + offsets.sessionNameLength!);
      this.#check("hostnameLength", hostname, limits.HOSTNAME_BYTES);
      this.#check("sessionNameLength", name, limits.SESSION_NAME_BYTES);
      this.#end = head + size + hostname + name;
    }
    return this.#end;
  }
}

/**
 * Decodes a whole reply.
 *
 * @throws {WireError} It makes no sense.
 */
export function decodeReply<N extends ViewerCommandName>(
  name: N,
  minor: number,
  bytes: Uint8Array,
): ReplyOf<N> {
  if (hasStreams(name) && !announcesStreams(name, bytes)) {
    // What the count says then means nothing: no entries follow.
    bytes = bytes.slice();
    viewOf(bytes).setUint32(layoutOf(name).offsets.streamCount!, 0);
  }
  const reply = rowOf(name).reply.decode(bytes, minor);
  if (typeof reply === "object" && "status" in reply) {
    const status = Number(reply.status);
    if (statuses[name]?.has(status) === false) {
      throw new WireError(
        `${layoutOf(name).name}.status`,
        `there is no status ${status}`,
      );
    }
  }
  return reply;
}

function layoutOf(name: ViewerCommandName) {
  // The fixed part is the same in all layouts of a reply.
  return (viewerCommands[name].reply as Message<unknown>).layouts[0]!;
}

function hasStreams(name: ViewerCommandName): boolean {
  return name === "ATTACH_SESSION" || name === "GET_NEW_STREAMS";
}

/** Whether entries follow: 1, OK, is the only status with any. */
function announcesStreams(name: ViewerCommandName, bytes: Uint8Array): boolean {
  const status = viewOf(bytes).getUint32(layoutOf(name).offsets.status!);
  return status === AttachStatus.OK;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function valuesOf(table: Record<string, number>): ReadonlySet<number> {
  return new Set(Object.values(table));
}
