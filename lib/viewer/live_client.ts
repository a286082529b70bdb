/** The client of the live port: what a viewer does towards a relay daemon. */

import {
  agreedMinor,
  ALL_ONES,
  MAJOR,
  type Minor,
  NEWEST_MINOR,
} from "../base/ids.ts";
import {
  CONNECT_TIMEOUT_MS,
  Connection,
  ConnectionError,
} from "../net/connection.ts";
import {
  CreateViewerSessionStatus,
  viewerCommands,
  ViewerType,
} from "../wire/live.ts";
import { attachPlan, isMeant, type SessionTarget } from "./attach.ts";
import { Attachment, carryOut, release } from "./attachment.ts";
import { orAborted, ViewerChannel } from "./channel.ts";
import { ViewerError, ViewerVersionError } from "./errors.ts";
import type { LiveSession } from "./items.ts";
import { duration, systemTimer, type Timer } from "./timer.ts";
import { VIEWER_PORT } from "./url.ts";

/** How long one reply may take, unless told otherwise (ms). */
const REPLY_TIMEOUT_MS = 10_000;
/** Pause between two looks for a session that is awaited (ms). */
const APPEARANCE_POLL_MS = 500;

/** Where a relay daemon serves viewers. */
export interface ViewerAddress {
  /** Name or IP address; an IPv6 address without brackets. */
  readonly hostname: string;
  /** @default {5344} */
  readonly port?: number;
}

/** How to connect, and how patiently. */
export interface LiveClientOptions {
  /** Gives up connecting; later it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long the connection may take to be made, milliseconds.
   *
   * @default {10000}
   */
  readonly connectTimeoutMs?: number;
  /**
   * How long each reply may take, milliseconds; a long one as much again for
   * every 64 KiB.
   *
   * @default {10000}
   */
  readonly replyTimeoutMs?: number;
  /**
   * Announces an older LTTng 2.x than ours, 4 to 15.
   *
   * @default {15}
   */
  readonly announceMinor?: number;
  /** Replaces the machine's time. */
  readonly timer?: Timer;
}

/** How to attach. */
export interface AttachOptions {
  /**
   * Where the streams of that moment start: at their beginning, as far as it
   * is still stored, or after what is there. Streams that come later start at
   * their beginning.
   *
   * @default {"last"}
   */
  readonly from?: "beginning" | "last";
  /**
   * How long to wait for the session to appear, milliseconds; `Infinity` waits
   * until the signal.
   *
   * @default {0}
   */
  readonly waitMs?: number;
  /** Gives up; nothing is attached then. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A live viewer of a relay daemon of LTTng 2.4 to 2.15.
 *
 * Calls may overlap: commands are answered one at a time, in the order of the
 * calls. When the connection is lost, or the relay daemon says what makes no
 * sense, everything that waits fails with a {@linkcode ConnectionError}, and
 * so does every later call.
 *
 * @example Following a session
 * ```ts ignore
 * const url = parseViewerUrl("net://localhost/host/target/demo");
 * await using client = await LiveClient.connect(url);
 * const attachment = await client.attach(url.target!);
 * for await (const item of attachment.follow()) {
 *   if (item.kind === "packet") console.log(item.stream.channelName);
 * }
 * ```
 */
export class LiveClient implements AsyncDisposable {
  readonly #channel: ViewerChannel;
  readonly #timer: Timer;
  #creating: Promise<void> | undefined;

  private constructor(channel: ViewerChannel, timer: Timer) {
    this.#channel = channel;
    this.#timer = timer;
  }

  /**
   * Connects and agrees on a version.
   *
   * @throws {ConnectionError} The port refuses, or does not answer in time.
   * @throws {ViewerVersionError} The peer serves no viewers of LTTng 2.
   * @throws {RangeError} An option has a value that cannot be.
   */
  static async connect(
    address: ViewerAddress,
    options: LiveClientOptions = {},
  ): Promise<LiveClient> {
    const { signal, timer = systemTimer } = options;
    const announced = options.announceMinor ?? NEWEST_MINOR;
    const oldest = viewerCommands.CONNECT.since;
    if (announced < oldest || announced > NEWEST_MINOR) {
      throw new RangeError(
        `Cannot announce minor ${announced}: it is not between ${oldest} and ${NEWEST_MINOR}`,
      );
    }
    const timeoutMs = duration(
      "replyTimeoutMs",
      options.replyTimeoutMs ?? REPLY_TIMEOUT_MS,
    );
    const connection = await Connection.connect({
      hostname: address.hostname,
      port: address.port ?? VIEWER_PORT,
      timeoutMs: duration(
        "connectTimeoutMs",
        options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      ),
      signal,
    });
    const client = new LiveClient(
      new ViewerChannel(connection, { timeoutMs, timer }),
      timer,
    );
    try {
      await client.#greet(announced, signal);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** The minor version that both sides speak. */
  get minor(): Minor {
    return this.#channel.minor;
  }

  /** The relay daemon, as `host:port`. */
  get peer(): string {
    return this.#channel.peer;
  }

  /** Why nothing works any more; unset while the connection is there. */
  get lost(): ConnectionError | undefined {
    return this.#channel.lost;
  }

  /** All sessions that are being recorded; also those that are not live. */
  async listSessions(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<LiveSession[]> {
    const { sessions } = await this.#channel.request(
      "LIST_SESSIONS",
      {},
      options.signal,
    );
    return sessions;
  }

  /**
   * Attaches to a session, or to every one that has the names: what the user
   * calls one session is one for each consumer daemon. By name, those that are
   * not live are left out while another is.
   *
   * @throws {SessionNotFoundError} There is none, even after waiting.
   * @throws {ViewerError} It is not live, has just ended, or has a viewer and
   * the relay daemon allows no other, as the stock one.
   */
  async attach(
    target: SessionTarget,
    options: AttachOptions = {},
  ): Promise<Attachment> {
    const { from = "last", waitMs = 0, signal } = options;
    const surroundings = { channel: this.#channel, timer: this.#timer };
    const held = new Set<bigint>();
    await this.#createViewerSession(signal);
    const plan = attachPlan({
      target,
      from,
      waitMs,
      pollMs: APPEARANCE_POLL_MS,
      now: () => this.#timer.now(),
      held,
    });
    try {
      const { value } = await carryOut(plan, surroundings, signal).next();
      if (!Array.isArray(value)) throw new TypeError("Attaching has no items");
      const byName = "sessionId" in target
        ? undefined
        : (entry: LiveSession) => isMeant(target, entry);
      return new Attachment({
        ...surroundings,
        attached: value,
        held,
        isMeant: byName,
      });
    } catch (error) {
      // Not awaited: giving up ends at once.
      release(this.#channel, held);
      throw error;
    }
  }

  /** Closes the connection, which detaches. May be called again. */
  close(): void {
    this.#channel.fail(new ConnectionError("The live client is closed"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #greet(
    announced: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { major, minor } = await this.#channel.request("CONNECT", {
      viewerSessionId: ALL_ONES,
      major: MAJOR,
      minor: announced,
      type: ViewerType.COMMAND,
    }, signal);
    if (major !== MAJOR || minor < viewerCommands.CONNECT.since) {
      throw new ViewerVersionError(
        `${this.peer} serves no viewers of LTTng 2: it says ${major}.${minor}`,
      );
    }
    this.#channel.minor = agreedMinor(announced, minor);
  }

  /** Once: the stock daemon forgets the first at the second. */
  async #createViewerSession(signal: AbortSignal | undefined): Promise<void> {
    this.#creating ??= this.#askForViewerSession();
    await orAborted(this.#creating, signal);
  }

  async #askForViewerSession(): Promise<void> {
    try {
      const { status } = await this.#channel.request("CREATE_SESSION", {});
      if (status === CreateViewerSessionStatus.OK) return;
      throw new ViewerError("CREATE_SESSION", status, "Cannot become a viewer");
    } catch (error) {
      this.#creating = undefined;
      throw error;
    }
  }
}
