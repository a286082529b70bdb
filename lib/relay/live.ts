/** The live port: greets viewers; what else they ask is not served yet. */

import { Code } from "../base/errors.ts";
import { MAJOR, NEWEST_MINOR } from "../base/ids.ts";
import { LIVE_PAYLOAD_BYTES } from "../base/limits.ts";
import {
  viewerCommandNames,
  viewerCommands,
  viewerHeader,
  ViewerType,
} from "../wire/live.ts";
import type { Collector } from "./collector.ts";
import { lossReason, type Peer } from "./peer.ts";

/** Serves one viewer until it ends, by either side. */
export async function serveViewer(
  collector: Collector,
  peer: Peer,
): Promise<void> {
  let failure: string | undefined;
  try {
    failure = await greet(collector, peer);
  } catch (error) {
    failure = lossReason(error);
  }
  if (failure !== undefined) {
    collector.log.warning(`Live connection of ${peer} closed: ${failure}`);
  }
  peer.close();
}

/** Returns why the connection closes; undefined when the viewer left. */
async function greet(
  collector: Collector,
  peer: Peer,
): Promise<string | undefined> {
  const buffer = new Uint8Array(viewerHeader.size + LIVE_PAYLOAD_BYTES);
  const { request, reply } = viewerCommands.CONNECT;
  for (let have = 0, size: number = viewerHeader.size;;) {
    if (have < size) {
      const count = await peer.conn.read(buffer.subarray(have));
      if (count === null) return undefined;
      have += count;
      continue;
    }
    const header = viewerHeader.decode(buffer);
    const name = viewerCommandNames.get(header.command);
    if (name !== "CONNECT") {
      await peer.reply(new Uint8Array([0, 0, 0, Code.UNKNOWN]));
      return `${name ?? `command ${header.command}`} is not served`;
    }
    if (header.dataSize > LIVE_PAYLOAD_BYTES) {
      return `CONNECT: a payload of ${header.dataSize} bytes > ` +
        LIVE_PAYLOAD_BYTES;
    }
    size = viewerHeader.size + Number(header.dataSize);
    if (have < size) continue;
    const connect = request.decode(
      buffer.subarray(viewerHeader.size, size),
      NEWEST_MINOR,
    );
    if (connect.major !== MAJOR) {
      return `the viewer speaks ${connect.major}.${connect.minor}`;
    }
    const viewerSessionId = connect.type === ViewerType.COMMAND
      ? collector.newViewerId()
      : 0n;
    await peer.reply(reply.encode({
      viewerSessionId,
      major: MAJOR,
      minor: NEWEST_MINOR,
      type: 0,
    }, NEWEST_MINOR));
    buffer.copyWithin(0, size, have);
    have -= size;
    size = viewerHeader.size;
  }
}
