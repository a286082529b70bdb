/** The live port: takes viewers' commands off the wire and sends the replies. */

import { Code } from "../base/errors.ts";
import { agreedMinor, MAJOR, NEWEST_MINOR } from "../base/ids.ts";
import { LIVE_PAYLOAD_BYTES, LIVE_REPLY_BYTES } from "../base/limits.ts";
import {
  viewerCommandNames,
  viewerCommands,
  viewerHeader,
  ViewerType,
} from "../wire/live.ts";
import type { Collector } from "./collector.ts";
import { lossReason, type Peer } from "./peer.ts";
import { type Reply, Viewer } from "./viewer.ts";
import { readAt } from "./file_range.ts";

/** Serves one viewer until it ends, by either side. */
export async function serveViewer(
  collector: Collector,
  peer: Peer,
): Promise<void> {
  const connection = new Connection(collector, peer);
  let failure: string | undefined;
  try {
    failure = await connection.serve();
  } catch (error) {
    failure = lossReason(error);
  } finally {
    connection.viewer?.[Symbol.dispose]();
  }
  if (failure !== undefined) {
    collector.log.warning(`Live connection of ${peer} closed: ${failure}`);
  }
  peer.close();
}

class Connection {
  readonly #collector: Collector;
  readonly #peer: Peer;
  /** Set by CONNECT. */
  viewer: Viewer | undefined;

  constructor(collector: Collector, peer: Peer) {
    this.#collector = collector;
    this.#peer = peer;
  }

  /** Returns why the connection closes; undefined when the viewer left. */
  async serve(): Promise<string | undefined> {
    const buffer = new Uint8Array(viewerHeader.size + LIVE_PAYLOAD_BYTES);
    for (let have = 0, size: number = viewerHeader.size;;) {
      if (have < size) {
        const count = await this.#peer.conn.read(buffer.subarray(have));
        if (count === null) return undefined;
        have += count;
        continue;
      }
      const { command, dataSize } = viewerHeader.decode(buffer);
      const name = viewerCommandNames.get(command) ?? `command ${command}`;
      if (dataSize > LIVE_PAYLOAD_BYTES) {
        return `${name}: a payload of ${dataSize} bytes > ` +
          LIVE_PAYLOAD_BYTES;
      }
      size = viewerHeader.size + Number(dataSize);
      if (have < size) continue;
      const payload = buffer.subarray(viewerHeader.size, size);
      const failure = await this.#answer(command, payload);
      if (failure !== undefined) return failure;
      buffer.copyWithin(0, size, have);
      have -= size;
      size = viewerHeader.size;
    }
  }

  /** Returns why the connection has to close, where it has. */
  async #answer(
    command: number,
    payload: Uint8Array,
  ): Promise<string | undefined> {
    const name = viewerCommandNames.get(command);
    if (name === "CONNECT") return await this.#connect(payload);
    if (this.viewer === undefined) {
      return `${name ?? `command ${command}`} before CONNECT`;
    }
    if (name === undefined) {
      await this.#peer.reply(new Uint8Array([0, 0, 0, Code.UNKNOWN]));
      return `command ${command} is not known`;
    }
    await this.#send(this.viewer.answer(name, payload));
    return undefined;
  }

  async #connect(payload: Uint8Array): Promise<string | undefined> {
    const { request, reply } = viewerCommands.CONNECT;
    const { major, minor, type } = request.decode(payload, NEWEST_MINOR);
    if (major !== MAJOR) return `the viewer speaks ${major}.${minor}`;
    if (type !== ViewerType.COMMAND && type !== ViewerType.NOTIFICATION) {
      return `a viewer of unknown type ${type}`;
    }
    this.viewer ??= new Viewer(
      this.#collector,
      agreedMinor(NEWEST_MINOR, minor),
    );
    await this.#peer.reply(reply.encode({
      viewerSessionId: type === ViewerType.COMMAND
        ? this.#collector.newViewerId()
        : 0n,
      major: MAJOR,
      minor: NEWEST_MINOR,
      type: 0,
    }, NEWEST_MINOR));
    return undefined;
  }

  /** One write a reply, but for those too large to be held in memory. */
  async #send({ bytes, range }: Reply): Promise<void> {
    if (range === undefined) return await this.#peer.reply(bytes);
    const { file, length } = range;
    let head = bytes.length;
    for (let done = 0; done < length || head > 0;) {
      const count = Math.min(length - done, LIVE_REPLY_BYTES);
      const piece = new Uint8Array(head + count);
      if (head > 0) piece.set(bytes);
      if (!readAt(file, range.offset + done, piece.subarray(head))) {
        throw new Error("A file became shorter while it was sent");
      }
      await this.#peer.reply(piece);
      head = 0;
      done += count;
    }
  }
}
