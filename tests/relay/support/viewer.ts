/** A viewer without sockets: payloads go straight to what answers them. */

import { assertEquals } from "@std/assert";
import type { Minor } from "../../../lib/base/ids.ts";
import { type AfterConnect, Viewer } from "../../../lib/relay/viewer.ts";
import { readAt } from "../../../lib/relay/file_range.ts";
import {
  AttachStatus,
  NextIndexStatus,
  Seek,
  viewerCommands,
} from "../../../lib/wire/live.ts";
import type { World } from "./world.ts";

type RequestOf<N extends AfterConnect> = ReturnType<
  (typeof viewerCommands)[N]["request"]["decode"]
>;
type ReplyOf<N extends AfterConnect> = ReturnType<
  (typeof viewerCommands)[N]["reply"]["decode"]
>;

/** A viewer that has said CONNECT. */
export class TestViewer implements Disposable {
  readonly #viewer: Viewer;
  readonly #minor: Minor;

  constructor(world: World, minor = 15) {
    this.#minor = minor as Minor;
    this.#viewer = new Viewer(world.collector, this.#minor);
  }

  /** Sends a command, both ways as bytes. */
  call<N extends AfterConnect>(name: N, request: RequestOf<N>): ReplyOf<N> {
    const command = viewerCommands[name] as unknown as {
      request: { encode(value: RequestOf<N>, minor: number): Uint8Array };
      reply: { decode(bytes: Uint8Array, minor: number): ReplyOf<N> };
    };
    const payload = command.request.encode(request, this.#minor);
    const { bytes, range } = this.#viewer.answer(name, payload);
    const whole = new Uint8Array(bytes.length + (range?.length ?? 0));
    whole.set(bytes);
    if (range !== undefined) {
      const tail = whole.subarray(bytes.length);
      assertEquals(readAt(range.file, range.offset, tail), true);
    }
    return command.reply.decode(whole, this.#minor);
  }

  list() {
    return this.call("LIST_SESSIONS", {}).sessions;
  }

  /** ATTACH_SESSION, after CREATE_SESSION. */
  tryAttach(sessionId: bigint, seek: number = Seek.BEGINNING) {
    this.call("CREATE_SESSION", {});
    return this.call("ATTACH_SESSION", { sessionId, offset: 0n, seek });
  }

  /** The streams of a session; fails where it cannot be attached to. */
  attach(sessionId: bigint, seek: number = Seek.BEGINNING) {
    const { status, streams } = this.tryAttach(sessionId, seek);
    assertEquals(status, AttachStatus.OK);
    return streams;
  }

  detach(sessionId: bigint): number {
    return this.call("DETACH_SESSION", { sessionId }).status;
  }

  newStreams(sessionId: bigint) {
    return this.call("GET_NEW_STREAMS", { sessionId });
  }

  index(streamId: bigint) {
    return this.call("GET_NEXT_INDEX", { streamId });
  }

  packet(streamId: bigint, offset: bigint, length: number) {
    return this.call("GET_PACKET", { streamId, offset, length });
  }

  metadata(streamId: bigint): { status: number; text: string } {
    const { status, metadata } = this.call("GET_METADATA", { streamId });
    return { status, text: new TextDecoder().decode(metadata) };
  }

  /** First byte of every packet that is there now, and the status after. */
  drain(streamId: bigint): [packets: number[], status: number] {
    const packets: number[] = [];
    for (;;) {
      const { status, offset, packetSize } = this.index(streamId);
      if (status !== NextIndexStatus.OK) return [packets, status];
      const { packet } = this.packet(
        streamId,
        offset,
        Number(packetSize / 8n),
      );
      packets.push(packet[0] ?? -1);
    }
  }

  [Symbol.dispose](): void {
    this.#viewer[Symbol.dispose]();
  }
}
