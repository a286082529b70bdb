/** The requests of clients of LTTng 2.13, as a server takes them off the wire. */

import { SESSION_NAME_BYTES } from "../base/limits.ts";
import { decodeWhole } from "../wire/compose.ts";
import {
  OWN_MARK,
  replyHeader,
  type SessiondCommandName,
  sessiondCommands,
  type SessiondReply,
} from "../wire/sessiond/commands.ts";
import { LTTNG_OK } from "../wire/lttng_error.ts";
import { domainBlock, sessionBlock, uri } from "../wire/sessiond/session.ts";

/** What is spoken: 2.13.5 and later. */
const commands = sessiondCommands(13);
const header = replyHeader(13);

/** Bytes that every request has, and that say how many follow. */
export const REQUEST_BYTES = commands.LIST_SESSIONS.request.size;

/** Where the part of a request begins that each command has its own form of. */
const UNION_OFFSET = 4 + sessionBlock.size + domainBlock.size;

/** Most bytes that follow a request. */
export const PAYLOAD_BYTES_MAXIMUM = 512 * 1024;

/** Requests of triggers: known, though nothing here has them. */
export const TRIGGER_COMMANDS = {
  REGISTER_TRIGGER: 43,
  UNREGISTER_TRIGGER: 44,
  LIST_TRIGGERS: 51,
  EXECUTE_ERROR_QUERY: 52,
} as const;

const byNumber: ReadonlyMap<number, SessiondCommandName> = new Map(
  Object.values(commands).map(({ number, name }) => [number, name]),
);

/** The name of a command, `undefined` where 2.13 has none of this number. */
export function commandName(number: number): SessiondCommandName | undefined {
  return byNumber.get(number);
}

/** The number that a request begins with. */
export function commandNumber(request: Uint8Array): number {
  return viewOf(request).getUint32(0, true);
}

/** How many bytes follow a request's first {@linkcode REQUEST_BYTES}. */
export function payloadBytes(request: Uint8Array): number {
  const view = viewOf(request);
  const at = (offset: number) => view.getUint32(UNION_OFFSET + offset, true);
  switch (commandName(commandNumber(request))) {
    case "ADD_CONTEXT":
    case "DISABLE_EVENT":
    case "ENABLE_EVENT":
      // After the name of the channel.
      return at(256);
    case "ENABLE_CHANNEL":
      return at(0);
    case "SET_CONSUMER_URI":
      return at(0) * uri.size;
    case "TRACKER_ADD_INCLUDE_VALUE":
    case "TRACKER_REMOVE_INCLUDE_VALUE":
      return at(16);
    case "CREATE_SESSION_EXT": {
      const home = view.getUint16(UNION_OFFSET, true);
      return home + Number(view.getBigUint64(UNION_OFFSET + 2, true));
    }
    default:
      return triggerBytes(view, at);
  }
}

function triggerBytes(view: DataView, at: (offset: number) => number): number {
  const number = view.getUint32(0, true);
  const { REGISTER_TRIGGER, UNREGISTER_TRIGGER, EXECUTE_ERROR_QUERY } =
    TRIGGER_COMMANDS;
  const withPayload: readonly number[] = [
    REGISTER_TRIGGER,
    UNREGISTER_TRIGGER,
    EXECUTE_ERROR_QUERY,
  ];
  return withPayload.includes(number) ? at(0) : 0;
}

/** How many file descriptors follow, with one byte. */
export function fileCount(request: Uint8Array): number {
  return viewOf(request).getUint32(REQUEST_BYTES - 4, true);
}

/**
 * What a whole request says.
 *
 * @throws {WireError} When it makes no sense.
 */
export function decodeRequest(
  name: SessiondCommandName,
  bytes: Uint8Array,
): unknown {
  return decodeWhole<unknown>(commands[name].request, bytes);
}

/** A reply of success. */
export function encodeReply<N extends SessiondCommandName>(
  name: N,
  value: SessiondReply<N>,
): Uint8Array {
  const { number, reply, replyHeaderSize } = commands[name];
  const body = (reply as { encode(value: unknown): Uint8Array }).encode(value);
  return replyOf(
    number,
    LTTNG_OK,
    body,
    Math.min(replyHeaderSize, body.length),
  );
}

/** A reply that is but a code. */
export function encodeCode(number: number, code: number): Uint8Array {
  return replyOf(number, code, new Uint8Array(), 0);
}

/** A reply whose data is `body`. */
export function replyOf(
  number: number,
  code: number,
  body: Uint8Array,
  headerSize: number,
): Uint8Array {
  const head = header.encode({
    command: number,
    code,
    headerSize,
    dataSize: body.length - headerSize,
    mark: OWN_MARK,
  });
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The session that a request of any kind names; empty where it names none. */
export function sessionNameIn(request: Uint8Array): string {
  const field = request.subarray(4, 4 + SESSION_NAME_BYTES);
  const end = field.indexOf(0);
  return new TextDecoder().decode(field.subarray(0, Math.max(end, 0)));
}
