/** The control connection: requests in order, each with its own reply. */

import { Code, errorText } from "../base/errors.ts";
import { SLOWEST_LINK_BYTES_PER_SECOND } from "../base/limits.ts";
import { type Connection, ConnectionError, waited } from "../net/connection.ts";
import {
  type Command,
  commandHeader,
  type CommandName,
  commands,
  type ReplyOf,
  type RequestOf,
} from "../wire/relay.ts";
import { RelayError, RelayVersionError } from "./errors.ts";

/** Replies that say 0 or 1 instead of a code. */
const ANSWERS_WITH_TRUTH: ReadonlySet<CommandName> = new Set([
  "DATA_PENDING",
  "END_DATA_PENDING",
]);

/** Longer texts in a reply follow a length at the end of its fixed part. */
const ENDS_WITH_TEXT: ReadonlySet<CommandName> = new Set([
  "CREATE_SESSION",
  "CLOSE_TRACE_CHUNK",
]);

/** Small requests are gathered into one write up to this size. */
const GATHER_BYTES = 64 * 1024;

/** A request that waits for its turn, or for its reply. */
interface Pending {
  readonly name: CommandName;
  /** Header and payload, written one after the other. */
  readonly parts: Uint8Array[];
  readonly hasReply: boolean;
  /** May be sent while other such requests are unanswered. */
  readonly pipelined: boolean;
  sentAt: number;
  /** How long its reply may take. */
  timeoutMs: number;
  /** Bytes that were sent up to its end, since the connection was made. */
  sentBytes: number;
  readonly resolve: (reply: object) => void;
  readonly reject: (error: unknown) => void;
}

/** What a control channel is told. */
export interface ControlChannelOptions {
  /**
   * How long a reply, or progress in writing, may take, milliseconds; more
   * where much is still on its way.
   */
  readonly timeoutMs: number;
  /** Most indexes without a reply. */
  readonly indexWindow: number;
  /** Called once, when the connection is of no use any more. */
  readonly onLost: (error: ConnectionError) => void;
}

/**
 * Requests and replies on one control connection. A request is sent when the
 * reply to the one before has come; only indexes may be sent ahead, up to
 * `indexWindow` of them. SEND_METADATA has no reply and waits for none.
 */
export class ControlChannel {
  readonly #connection: Connection;
  readonly #options: ControlChannelOptions;
  readonly #queue: Pending[] = [];
  readonly #inFlight: Pending[] = [];
  #writing = false;
  #failure: ConnectionError | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  /** Bytes that were sent, and those that the peer is known to have. */
  #sentBytes = 0;
  #arrivedBytes = 0;
  /** The error reply after which the peer may hang up. */
  #lastRefusal: RelayError | undefined;
  /** The minor that both sides speak; set after VERSION. */
  minor = 0;

  constructor(connection: Connection, options: ControlChannelOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#read().catch((error) => this.#lose(error));
  }

  /**
   * Sends a command and gives its reply; for SEND_METADATA, which has none,
   * resolves when it is handed to the socket.
   *
   * @throws {RelayError} The reply carries an error code.
   * @throws {RelayVersionError} The command is newer than the agreed minor.
   * @throws {ConnectionError} The connection is lost, or no reply came in time.
   */
  request<N extends CommandName>(
    name: N,
    value: RequestOf<N>,
  ): Promise<ReplyOf<N>> {
    // A command's request and reply types are only known row by row.
    const row = commands[name] as unknown as Command<
      RequestOf<N>,
      ReplyOf<N>
    >;
    const { promise, resolve, reject } = Promise.withResolvers<object>();
    try {
      if (this.#failure !== undefined) throw again(this.#failure);
      this.#checkMinor(name, row.since);
      const payload = row.request.encode(value, this.minor);
      const header = commandHeader.encode({
        circuitId: 0n,
        dataSize: BigInt(payload.length),
        command: row.number,
        commandVersion: 0,
      });
      this.#queue.push({
        name,
        parts: [header, payload],
        hasReply: row.reply !== undefined,
        pipelined: name === "SEND_INDEX",
        sentAt: 0,
        timeoutMs: 0,
        sentBytes: 0,
        resolve,
        reject,
      });
      this.#pump();
    } catch (error) {
      reject(error);
    }
    return promise as Promise<ReplyOf<N>>;
  }

  /** Fails everything that waits, and every later request. */
  fail(error: ConnectionError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    clearTimeout(this.#watchdog);
    this.#connection.close();
    const waiting = [...this.#inFlight.splice(0), ...this.#queue.splice(0)];
    for (const { reject } of waiting) reject(again(error));
  }

  #checkMinor(name: CommandName, since: number): void {
    // VERSION itself comes before any minor is known.
    if (this.minor === 0 && name === "VERSION") return;
    if (this.minor >= since) return;
    throw new RelayVersionError(
      `${name} needs a relay daemon of 2.${since}: 2.${this.minor} was agreed`,
    );
  }

  #mayStart(request: Pending): boolean {
    const first = this.#inFlight[0];
    if (!request.hasReply || first === undefined) return true;
    return request.pipelined && first.pipelined &&
      this.#inFlight.length < this.#options.indexWindow;
  }

  /** Writes whatever may be sent now. */
  #pump(): void {
    if (this.#writing || this.#failure !== undefined) return;
    this.#writing = true;
    this.#writeAll().catch((error) => this.#lose(error));
  }

  async #writeAll(): Promise<void> {
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      const parts = batch.flatMap((request) => request.parts);
      for (const bytes of gather(parts)) {
        await this.#connection.write(bytes, this.#patience);
      }
      for (const { hasReply, resolve } of batch) if (!hasReply) resolve({});
    }
    // At once, not in a `finally` of the promise: a request that came between
    // would find nobody to send it.
    this.#writing = false;
  }

  /** Takes the requests off the queue that can go out in one write. */
  #next(): Pending[] {
    const batch: Pending[] = [];
    let size = 0;
    while (size < GATHER_BYTES) {
      const request = this.#queue[0];
      if (request === undefined || !this.#mayStart(request)) break;
      this.#queue.shift();
      batch.push(request);
      request.timeoutMs = this.#patience;
      for (const part of request.parts) {
        size += part.length;
        this.#sentBytes += part.length;
      }
      if (!request.hasReply) continue;
      request.sentAt = Date.now();
      request.sentBytes = this.#sentBytes;
      this.#inFlight.push(request);
      this.#watch();
    }
    return batch;
  }

  async #read(): Promise<void> {
    while (await this.#connection.fill()) {
      while (this.#takeReply());
    }
    const refusal = this.#lastRefusal;
    const why = refusal === undefined
      ? ""
      : ` after it refused ${refusal.command} with code ${refusal.code}`;
    throw new ConnectionError(
      `The relay daemon at ${this.#connection.peer} closed the control connection${why}`,
      { cause: refusal },
    );
  }

  /** Gives one complete reply to its request; `false` when there is none. */
  #takeReply(): boolean {
    const { buffered } = this.#connection;
    if (buffered.length === 0) return false;
    const request = this.#inFlight[0];
    if (request === undefined) {
      throw new ConnectionError(
        `The relay daemon at ${this.#connection.peer} sent ${buffered.length} bytes that answer nothing`,
      );
    }
    const size = replySize(request.name, this.minor, buffered);
    if (size === undefined || buffered.length < size) return false;
    const bytes = buffered.slice(0, size);
    this.#connection.consume(size);
    this.#inFlight.shift();
    this.#arrivedBytes = request.sentBytes;
    this.#settle(request, bytes);
    this.#pump();
    return true;
  }

  #settle(request: Pending, bytes: Uint8Array): void {
    const { name } = request;
    let reply: object;
    try {
      reply = commands[name].reply?.decode(bytes, this.minor) ?? {};
    } catch (error) {
      const failure = new ConnectionError(
        `The relay daemon's reply to ${name} makes no sense: ${
          errorText(error)
        }`,
        { cause: error },
      );
      request.reject(failure);
      throw failure;
    }
    const code = "code" in reply ? reply.code as number : undefined;
    if (code === undefined || isSuccess(name, code)) {
      request.resolve(reply);
      return;
    }
    this.#lastRefusal = new RelayError(name, code);
    request.reject(this.#lastRefusal);
  }

  /** One timer watches the oldest unanswered request, whichever that is then. */
  #watch(): void {
    this.#watchdog ??= setTimeout(() => {
      this.#watchdog = undefined;
      const oldest = this.#inFlight[0];
      if (oldest === undefined) return;
      const { timeoutMs } = oldest;
      if (Date.now() - oldest.sentAt < timeoutMs) return this.#watch();
      const what = `the reply to ${oldest.name} from ${this.#connection.peer}`;
      this.#lose(new ConnectionError(waited(timeoutMs, what)));
    }, Math.min(this.#untilOldestIsLate(), this.#options.timeoutMs));
  }

  #untilOldestIsLate(): number {
    const { sentAt = 0, timeoutMs = 0 } = this.#inFlight[0] ?? {};
    return Math.max(1, sentAt + timeoutMs - Date.now());
  }

  /**
   * How long the peer may take to answer what is sent now, milliseconds. The
   * socket takes metadata at once, and a slow link passes it on for minutes:
   * what comes behind it is answered no sooner.
   */
  get #patience(): number {
    const underWay = this.#sentBytes - this.#arrivedBytes;
    return this.#options.timeoutMs +
      Math.ceil(underWay * 1_000 / SLOWEST_LINK_BYTES_PER_SECOND);
  }

  #lose(error: unknown): void {
    if (this.#failure !== undefined) return;
    const lost = error instanceof ConnectionError
      ? error
      : new ConnectionError(errorText(error), { cause: error });
    this.fail(lost);
    this.#options.onLost(lost);
  }
}

/** A fresh error for each caller, so that each has its own stack. */
function again(error: ConnectionError): ConnectionError {
  return new ConnectionError(error.message, { cause: error.cause ?? error });
}

function isSuccess(name: CommandName, code: number): boolean {
  return ANSWERS_WITH_TRUTH.has(name) ? code <= 1 : code === Code.OK;
}

/** Bytes of the reply that `bytes` begin with; unset while too few are there. */
function replySize(
  name: CommandName,
  minor: number,
  bytes: Uint8Array,
): number | undefined {
  const layouts = commands[name].reply?.layouts ?? [];
  // Replies changed once, when 2.11 gave CREATE_SESSION's its output path.
  const layout = minor >= 11 ? layouts.at(-1) : layouts[0];
  const fixed = layout?.size ?? 0;
  const hasText = ENDS_WITH_TEXT.has(name) &&
    !(name === "CREATE_SESSION" && minor < 11);
  if (!hasText) return fixed;
  if (bytes.length < fixed) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset + fixed - 4, 4)
    .getUint32(0);
  return fixed + Math.min(length, MAX_TEXT_BYTES);
}

/** Longer than any path; the decoder then says what is wrong. */
const MAX_TEXT_BYTES = 64 * 1024;

/** Joins neighbours into writes of at most {@linkcode GATHER_BYTES}. */
function* gather(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let group: Uint8Array[] = [];
  let size = 0;
  for (const part of parts) {
    if (size > 0 && size + part.length > GATHER_BYTES) {
      yield join(group, size);
      group = [];
      size = 0;
    }
    group.push(part);
    size += part.length;
  }
  if (size > 0) yield join(group, size);
}

function join(parts: readonly Uint8Array[], size: number): Uint8Array {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
