/**
 * Which version a session daemon has. Nothing in the protocol says so; what it
 * answers to one request, which does no harm to any version, gives it away.
 */

import { LTTNG_OK, lttngErrorNumber } from "../wire/lttng_error.ts";
import {
  OWN_MARK,
  replyHeader,
  sessiondCommandNumber,
} from "../wire/sessiond/commands.ts";
import type { SessiondMinor } from "../wire/sessiond/version.ts";
import { ControlError, controlError } from "./errors.ts";
import { type Endpoint, nonsense } from "./exchange.ts";

/** What a session daemon gave away. */
export interface Recognized {
  readonly minor: SessiondMinor;
  /** The reply to LIST_SESSIONS, where the request was one: until 2.13. */
  readonly sessions: Uint8Array | undefined;
  /** It is one of this project's, which has commands of its own. */
  readonly isOwn: boolean;
}

/**
 * Reads the whole reply to LIST_SESSIONS of 2.13 without a session name. Since
 * 2.14 that number is REGISTER_CONSUMER, which finds no such session.
 *
 * @throws {ControlError} When no known version answers so.
 */
export function recognize(reply: Uint8Array, endpoint: Endpoint): Recognized {
  if (reply.length === 0) {
    throw controlError(
      "NO_SESSIOND",
      `${endpoint.path} closed the connection without an answer`,
    );
  }
  const shortest = replyHeader(15).size;
  if (reply.length < shortest) {
    throw nonsense(endpoint, `${reply.length} bytes of reply < ${shortest}`);
  }
  const { code } = replyHeader(15).decode(reply);
  if (code === LTTNG_OK) {
    for (const minor of [13, 12] as const) {
      const sessions = bodyOf(reply, minor);
      if (sessions === undefined) continue;
      const { mark } = replyHeader(minor).decode(reply);
      return { minor, sessions, isOwn: mark === OWN_MARK };
    }
  }
  if (code === lttngErrorNumber("SESS_NOT_FOUND")) {
    for (const minor of [14, 15] as const) {
      if (reply.length === replyHeader(minor).size) {
        return { minor, sessions: undefined, isOwn: false };
      }
    }
  } else if (bodyOf(reply, 13) ?? bodyOf(reply, 12)) {
    throw new ControlError(code, {
      command: "LIST_SESSIONS",
      detail: `LIST_SESSIONS was refused with code ${code}`,
    });
  }
  throw nonsense(
    endpoint,
    `${reply.length} bytes of reply with code ${code} belong to no known version`,
  );
}

/** What follows the header, if the header of `minor` says that size. */
function bodyOf(
  reply: Uint8Array,
  minor: SessiondMinor,
): Uint8Array | undefined {
  const layout = replyHeader(minor);
  if (reply.length < layout.size) return undefined;
  const { command, headerSize, dataSize } = layout.decode(reply);
  const body = reply.subarray(layout.size);
  const isLength = headerSize === 0 && body.length === dataSize;
  const isAnswer = command === sessiondCommandNumber("LIST_SESSIONS", minor);
  return isAnswer && isLength ? body : undefined;
}
