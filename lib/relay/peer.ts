/** What all three ports need of an accepted connection. */

import { errorText } from "../base/errors.ts";
import { REPLY_TIMEOUT_MS } from "../base/limits.ts";
import { formatAddress } from "../net/url.ts";

/** How connections are kept. */
export interface PeerOptions {
  /** @default {true} */
  keepAlive?: boolean;
  /** How long a peer may take to accept a reply, milliseconds. */
  socketTimeoutMs?: number;
}

/** A connection that a peer made. */
export class Peer {
  readonly conn: Deno.TcpConn;
  readonly #replyTimeoutMs: number;
  /** When the reply that is being written was begun. */
  #replySince: number | undefined;
  #closed = false;

  constructor(conn: Deno.TcpConn, options: PeerOptions) {
    this.conn = conn;
    this.#replyTimeoutMs = options.socketTimeoutMs ?? REPLY_TIMEOUT_MS;
    conn.setNoDelay(true);
    conn.setKeepAlive(options.keepAlive ?? true);
  }

  /** Its address and port, for log lines. */
  toString(): string {
    return formatAddress(this.conn.remoteAddr);
  }

  /**
   * Writes a reply whole. A peer that does not take it in time is cut off, so
   * that it cannot hold memory here.
   */
  async reply(bytes: Uint8Array): Promise<void> {
    // The first write waits too, where nothing fits the socket any more.
    this.#replySince ??= Date.now();
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.conn.write(at === 0 ? bytes : bytes.subarray(at));
      }
    } finally {
      this.#replySince = undefined;
    }
  }

  /** Cuts the peer off if it has not taken a reply in time. */
  closeIfStalled(now: number): boolean {
    if (
      this.#replySince === undefined ||
      now - this.#replySince < this.#replyTimeoutMs
    ) return false;
    this.close();
    return true;
  }

  /** Ends the connection; doing so again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.conn.close();
    } catch {
      // The system closed it first.
    }
  }
}

/** Why a connection ended, for a log line; undefined: the peer just left. */
export function lossReason(error: unknown): string | undefined {
  if (
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted
  ) return undefined;
  return errorText(error);
}
