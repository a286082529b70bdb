/**
 * Requests to one session daemon: which version it has, and one connection
 * for each command, as the protocol wants it.
 */

import {
  SESSIOND_CONNECT_TIMEOUT_MS,
  SESSIOND_DONE_TIMEOUT_MS,
  SESSIOND_REPLY_TIMEOUT_MS,
} from "../base/limits.ts";
import { identity } from "../os/identity.ts";
import { NativeLibraryError } from "../os/libc.ts";
import type { Credentials } from "../os/unix_socket.ts";
import { decodeWhole } from "../wire/compose.ts";
import { LTTNG_OK } from "../wire/lttng_error.ts";
import {
  replyHeader,
  type SessiondCommandName,
  type SessiondCommands,
  sessiondCommands,
  type SessiondReply,
  type SessiondRequest,
} from "../wire/sessiond/commands.ts";
import { BufferType, DomainType } from "../wire/sessiond/session.ts";
import {
  SESSIOND_VERSIONS,
  type SessiondMinor,
} from "../wire/sessiond/version.ts";
import { type Struct, WireError } from "../wire/struct.ts";
import { ControlError, controlError, isControlError } from "./errors.ts";
import { connectTo, type Endpoint, exchange, nonsense } from "./exchange.ts";
import type { WaitOptions } from "./poll.ts";
import { recognize, type Recognized } from "./recognize.ts";
import { ownSocketCandidates } from "./socket_path.ts";

/** Which session daemon, as whom, and how long to wait. */
export interface ConnectOptions {
  /**
   * Its client socket. Unset, the one that the user's `lttng` would choose:
   * root's, or for others their own, where members of the tracing group prefer
   * root's; before all the one in `LTTNG_RUNDIR` where that is set.
   */
  readonly socketPath?: string | undefined;
  /**
   * Name of the tracing group.
   *
   * @default {"tracing"}
   */
  readonly group?: string | undefined;
  /** Who asks: only root may claim to be someone else. */
  readonly credentials?: Credentials | undefined;
  /**
   * How long connecting may take, milliseconds.
   *
   * @default {10000}
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How long the session daemon may take to answer, milliseconds.
   *
   * @default {60000}
   */
  readonly timeoutMs?: number | undefined;
  /**
   * How long it may take where it answers only once something is done: to
   * destroy, to clear, to rotate, to write a snapshot; milliseconds.
   *
   * @default {600000}
   */
  readonly doneTimeoutMs?: number | undefined;
  /** Gives up whatever is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** Commands that are answered only once they have done their work. */
const ANSWERED_WHEN_DONE: readonly SessiondCommandName[] = [
  "CLEAR_SESSION",
  "DESTROY_SESSION",
  "SNAPSHOT_RECORD",
  "STOP_TRACE",
];

/** Requests that session daemons up to 2.13.4 would misunderstand. */
const SERIALIZED: readonly SessiondCommandName[] = [
  "ADD_CONTEXT",
  "DISABLE_EVENT",
  "ENABLE_CHANNEL",
  "ENABLE_EVENT",
];

/** A session daemon that can be asked. */
export class SessiondLink {
  readonly #endpoint: Endpoint;
  readonly #options: ConnectOptions;
  #minor: SessiondMinor | undefined;
  #isOwn = false;
  #commands: SessiondCommands | undefined;
  /** Whether its requests are known to be of the serialized kind. */
  #isSerialized = false;

  protected constructor(endpoint: Endpoint, options: ConnectOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** Its client socket. */
  get socketPath(): string {
    return this.#endpoint.path;
  }

  /** How long what is answered only once it is done may take, milliseconds. */
  get doneTimeoutMs(): number {
    return this.#options.doneTimeoutMs ?? SESSIOND_DONE_TIMEOUT_MS;
  }

  /** `options` with what they leave open. */
  protected waiting(options: WaitOptions): WaitOptions {
    const { timeoutMs = this.doneTimeoutMs } = options;
    const { signal = this.#options.signal } = options;
    return { ...options, timeoutMs, signal };
  }

  /** Who asks. */
  get credentials(): Credentials {
    return this.#endpoint.credentials;
  }

  /**
   * The minor version of its protocol; it is asked once. 12 stands for 2.12.9
   * and later, 13 for 2.13.5 and later.
   *
   * @throws {ControlError} When there is no session daemon of a version that
   * is spoken here.
   */
  async version(): Promise<SessiondMinor> {
    return this.#minor ?? (await this.recognize()).minor;
  }

  /** Whether it is this project's, which has commands that no stock one has. */
  async isOwn(): Promise<boolean> {
    await this.version();
    return this.#isOwn;
  }

  /** Whether its version is known. */
  protected get isRecognized(): boolean {
    return this.#minor !== undefined;
  }

  /** Finds out its version; until 2.13, this also lists the sessions. */
  protected async recognize(): Promise<Recognized> {
    const probe = commandsOf(13).LIST_SESSIONS.request.encode({});
    const reply = await exchange(
      this.#endpoint,
      probe,
      this.#exchangeOptions("LIST_SESSIONS"),
      (reader) => reader.toEnd(),
    );
    const found = recognize(reply, this.#endpoint);
    this.#minor = found.minor;
    this.#isOwn = found.isOwn;
    return found;
  }

  /**
   * Asks one command.
   *
   * @throws {ControlError} With the code that the session daemon gave; with
   * NO_SESSIOND when it does not answer; with INVALID_PROTOCOL when the answer
   * makes no sense.
   */
  protected async ask<N extends SessiondCommandName>(
    name: N,
    request: SessiondRequest<N>,
    file?: string,
  ): Promise<SessiondReply<N>> {
    const minor = await this.version();
    checkDomain(minor, request as object);
    // Before 2.12.9 requests were longer: a short one would stop the daemon.
    if (minor === 12 || SERIALIZED.includes(name)) {
      await this.#checkSerialized(minor);
    }
    return await this.#ask(minor, name, request, { file });
  }

  /** Sends one command and leaves before its answer. */
  protected async send<N extends SessiondCommandName>(
    name: N,
    request: SessiondRequest<N>,
  ): Promise<void> {
    const minor = await this.version();
    if (minor === 12) await this.#checkSerialized(minor);
    const command = this.#table(minor)[name];
    await exchange(
      this.#endpoint,
      encodeRequest(command.request as Struct<unknown>, request),
      this.#exchangeOptions(name),
      () => Promise.resolve(),
    );
  }

  #table(minor: SessiondMinor): SessiondCommands {
    return this.#commands ??= commandsOf(minor);
  }

  async #ask<N extends SessiondCommandName>(
    minor: SessiondMinor,
    name: N,
    request: SessiondRequest<N>,
    options: { file?: string | undefined; table?: SessiondCommands } = {},
  ): Promise<SessiondReply<N>> {
    const command = (options.table ?? this.#table(minor))[name];
    const layout = command.request as Struct<unknown>;
    const { header, body } = await this.#exchange(
      minor,
      name,
      encodeRequest(layout, request),
      options.file,
    );
    if (header.command !== command.number) {
      throw nonsense(
        this.#endpoint,
        `it answers command ${header.command}, not ${command.number}`,
      );
    }
    if (header.code !== LTTNG_OK) {
      throw new ControlError(header.code, {
        command: name,
        detail: `${name} was refused with code ${header.code}`,
      });
    }
    if (header.headerSize !== command.replyHeaderSize) {
      if (header.headerSize === 0) throw this.#tooOld(minor);
      throw nonsense(
        this.#endpoint,
        `the reply to ${name} has a header of ${header.headerSize} bytes, ` +
          `not ${command.replyHeaderSize}`,
      );
    }
    return decodeReply(command.reply as Struct<SessiondReply<N>>, body, this);
  }

  #exchange(
    minor: SessiondMinor,
    name: SessiondCommandName,
    request: Uint8Array,
    file: string | undefined,
  ) {
    const layout = replyHeader(minor);
    const options = { ...this.#exchangeOptions(name), file };
    return exchange(this.#endpoint, request, options, async (reader) => {
      const header = layout.decode(await reader.exactly(layout.size));
      const size = header.headerSize + header.dataSize;
      return { header, body: await reader.exactly(size) };
    });
  }

  #exchangeOptions(name: SessiondCommandName) {
    const { timeoutMs = SESSIOND_REPLY_TIMEOUT_MS, signal } = this.#options;
    const isLate = ANSWERED_WHEN_DONE.includes(name);
    return { name, timeoutMs: isLate ? this.doneTimeoutMs : timeoutMs, signal };
  }

  /**
   * Makes sure that the session daemon is not of the kind that takes other
   * requests under the same version number. Its lists tell: those of agents,
   * which seldom have anything to list, else those of applications.
   */
  async #checkSerialized(minor: SessiondMinor): Promise<void> {
    if (this.#isSerialized || minor >= 14) return;
    const list = async (type: number) => {
      const domain = { type, bufferType: BufferType.PER_PID };
      // As long as any of them can want it; what is too long is ignored.
      const table = commandsOf(13);
      await this.#ask(minor, "LIST_TRACEPOINTS", { domain }, { table });
    };
    try {
      await list(DomainType.PYTHON);
    } catch (error) {
      // Agents may be switched off.
      if (!(error instanceof ControlError) || error.command === undefined) {
        throw error;
      }
      await list(DomainType.UST);
    }
    this.#isSerialized = true;
  }

  #tooOld(minor: SessiondMinor): ControlError {
    return controlError(
      "NOT_SUPPORTED",
      `the session daemon at ${this.socketPath} is too old: ` +
        `it must be ${SESSIOND_VERSIONS[minor]}`,
    );
  }

  /** The error for a reply that makes no sense. */
  nonsense(detail: string, cause?: unknown): ControlError {
    return nonsense(this.#endpoint, detail, cause);
  }
}

const tables = new Map<SessiondMinor, SessiondCommands>();

function commandsOf(minor: SessiondMinor): SessiondCommands {
  let table = tables.get(minor);
  if (table === undefined) tables.set(minor, table = sessiondCommands(minor));
  return table;
}

/** A domain that it does not know can end a session daemon. */
function checkDomain(minor: SessiondMinor, request: object): void {
  if (minor >= 14 || !("domain" in request)) return;
  const { type } = request.domain as { type: number };
  if (type <= DomainType.PYTHON) return;
  throw controlError(
    "UNSUPPORTED_DOMAIN",
    `session daemons have that domain since 2.14, this is 2.${minor}`,
  );
}

function encodeRequest(layout: Struct<unknown>, request: unknown): Uint8Array {
  try {
    return layout.encode(request);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw controlError("INVALID", error.message, { cause: error });
  }
}

/** Reads a reply to the last byte. */
export function decodeReply<T>(
  layout: Struct<T>,
  body: Uint8Array,
  link: { nonsense(detail: string, cause?: unknown): ControlError },
): T {
  try {
    return decodeWhole(layout, body);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw link.nonsense(error.message, error);
  }
}

/**
 * Finds the session daemon to ask: the first of the candidates where something
 * accepts connections.
 *
 * @throws {ControlError} NO_SESSIOND when nothing does.
 */
export async function findSessiond(options: ConnectOptions): Promise<Endpoint> {
  const candidates = surroundings(options);
  const { connectTimeoutMs = SESSIOND_CONNECT_TIMEOUT_MS } = options;
  const failures: ControlError[] = [];
  for (const path of candidates.paths) {
    const { credentials } = candidates;
    const endpoint = { path, credentials, connectTimeoutMs };
    try {
      (await connectTo(endpoint, options.signal)).close();
      return endpoint;
    } catch (error) {
      if (!isControlError(error, "NO_SESSIOND")) throw error;
      failures.push(error as ControlError);
    }
  }
  const [first] = failures;
  if (failures.length === 1) throw first;
  if (first === undefined) {
    throw controlError("NO_SESSIOND", "no home directory: set LTTNG_HOME");
  }
  const paths = candidates.paths.join(" nor at ");
  throw controlError("NO_SESSIOND", `nothing answers at ${paths}`, {
    cause: first,
  });
}

function surroundings(
  options: ConnectOptions,
): { paths: string[]; credentials: Credentials } {
  try {
    return {
      paths: options.socketPath === undefined
        ? ownSocketCandidates(options.group)
        : [options.socketPath],
      credentials: options.credentials ?? ownCredentials(),
    };
  } catch (error) {
    if (!(error instanceof NativeLibraryError)) throw error;
    throw controlError("NOT_SUPPORTED", error.message, { cause: error });
  }
}

function ownCredentials(): Credentials {
  const { effectiveUid, effectiveGid } = identity();
  return { uid: effectiveUid, gid: effectiveGid };
}
