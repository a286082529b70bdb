/** Checks that a relay daemon answers the first command of a live viewer. */

import { assert, assertEquals } from "@std/assert";
import { within } from "../support/process.ts";
import type { RelayProcess } from "../support/relay_process.ts";

const HEADER_BYTES = 16;
const CONNECT = 1;
const CONNECT_BYTES = 20;
const COMMAND_CLIENT = 1;
const ANSWER_MILLISECONDS = 5_000;

/** Sends CONNECT to the live port and checks the version in the answer. */
export async function checkViewerConnect(relay: RelayProcess): Promise<void> {
  const request = new DataView(new ArrayBuffer(HEADER_BYTES + CONNECT_BYTES));
  request.setBigUint64(0, BigInt(CONNECT_BYTES));
  request.setUint32(8, CONNECT);
  request.setBigUint64(16, 0xffff_ffff_ffff_ffffn);
  request.setUint32(24, 2);
  request.setUint32(28, 4);
  request.setUint32(32, COMMAND_CLIENT);
  using connection = await Deno.connect({
    hostname: relay.hostname,
    port: relay.ports.live,
  });
  await connection.write(new Uint8Array(request.buffer));
  const answer = new Uint8Array(CONNECT_BYTES);
  await within(
    "the answer to a viewer's CONNECT",
    readExactly(connection, answer),
    ANSWER_MILLISECONDS,
  );
  const view = new DataView(answer.buffer);
  assertEquals(view.getUint32(8), 2, "major number");
  assert(view.getUint32(12) >= 13, `minor number ${view.getUint32(12)}`);
}

async function readExactly(
  connection: Deno.Conn,
  buffer: Uint8Array,
): Promise<void> {
  for (let at = 0; at < buffer.length;) {
    const count = await connection.read(buffer.subarray(at));
    if (count === null) throw new Error(`Connection ended after ${at} bytes`);
    at += count;
  }
}
