/** The client socket of a session daemon: one request a connection, all at once. */

import { errorText } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { SystemError } from "../os/libc.ts";
import type { UnixListener, UnixPeer } from "../os/unix_listener.ts";
import { lttngErrorNumber } from "../wire/lttng_error.ts";
import type { SessionDaemon } from "./daemon.ts";
import {
  commandNumber,
  encodeCode,
  fileCount,
  PAYLOAD_BYTES_MAXIMUM,
  payloadBytes,
  REQUEST_BYTES,
} from "./requests.ts";

/** How long a client may take to send its request, milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long a client may take to take its reply, milliseconds. */
const REPLY_TIMEOUT_MS = 60_000;
/** Most clients at once: more are turned away. */
const CLIENTS_MAXIMUM = 512;

/** What the server needs. */
export interface ServerOptions {
  readonly daemon: SessionDaemon;
  readonly log: Log;
  /** Which bounds hold; tests have their own. */
  readonly requestTimeoutMs?: number;
}

/** Serves clients until the listener is closed. */
export async function serveClients(
  listener: UnixListener,
  options: ServerOptions,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const peer of listener) {
    if (clients.size >= CLIENTS_MAXIMUM) {
      options.log.warning(
        `A client was turned away: ${CLIENTS_MAXIMUM} are served already`,
      );
      peer.close();
      continue;
    }
    const served = serveClient(peer, options).catch((error) => {
      options.log.debug(`A client was lost: ${errorText(error)}`);
    }).finally(() => {
      peer.close();
      clients.delete(served);
    });
    clients.add(served);
  }
  await Promise.all(clients);
}

async function serveClient(
  peer: UnixPeer,
  { daemon, log, requestTimeoutMs = REQUEST_TIMEOUT_MS }: ServerOptions,
): Promise<void> {
  const request = await withTimeout(
    requestTimeoutMs,
    (signal) => readRequest(peer, signal),
  );
  // One that only looked whether a daemon is there, or was too slow.
  if (request === undefined) return;
  const number = commandNumber(request);
  let reply: Uint8Array;
  if (request.length < REQUEST_BYTES + payloadBytes(request)) {
    log.warning(
      `A request was refused: ${payloadBytes(request)} bytes follow > ` +
        `${PAYLOAD_BYTES_MAXIMUM}`,
    );
    reply = encodeCode(number, lttngErrorNumber("INVALID"));
  } else {
    const { uid, gid } = peer.credentials;
    reply = await daemon.handle(request, { uid, gid });
  }
  try {
    await withTimeout(
      REPLY_TIMEOUT_MS,
      (signal) => peer.writeAll(reply, signal),
    );
  } catch (error) {
    // `lttng destroy --no-wait` does not stay for the reply.
    if (!(error instanceof SystemError)) throw error;
  }
}

/** A whole request; only its beginning where too much would follow. */
async function readRequest(
  peer: UnixPeer,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const start = new Uint8Array(REQUEST_BYTES);
  if (!await peer.readFully(start, signal)) return undefined;
  const rest = payloadBytes(start);
  if (rest > PAYLOAD_BYTES_MAXIMUM) return start;
  const request = new Uint8Array(REQUEST_BYTES + rest);
  request.set(start);
  const payload = request.subarray(REQUEST_BYTES);
  if (!await peer.readFully(payload, signal)) return undefined;
  // The descriptors come with one byte; unread, it would cost the client its
  // reply.
  const hasFiles = fileCount(start) > 0;
  if (hasFiles && !await peer.readFully(new Uint8Array(1), signal)) {
    return undefined;
  }
  return request;
}

async function withTimeout<T>(
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), milliseconds);
  try {
    return await run(end.signal);
  } finally {
    clearTimeout(timer);
  }
}
