/** Both connections to a relay daemon: made together, lost together. */

import { agreedMinor, MAJOR, type Minor, NEWEST_MINOR } from "../base/ids.ts";
import {
  CONNECT_TIMEOUT_MS,
  Connection,
  type ConnectionError,
} from "../net/connection.ts";
import { CONFIGURATION_CLEAR_ALLOWED } from "../wire/relay.ts";
import {
  CONTROL_PORT,
  DATA_PORT,
  type RelayClientOptions,
} from "./client_options.ts";
import { ControlChannel } from "./control_channel.ts";
import { DataChannel } from "./data_channel.ts";
import { RelayVersionError } from "./errors.ts";

/** How long one reply may take, unless told otherwise (ms). */
const REPLY_TIMEOUT_MS = 10_000;
/** How long a slow link may take no data at all, unless told otherwise (ms). */
const STALL_TIMEOUT_MS = 60_000;
const QUEUE_BYTES = 64 * 1024 * 1024;

/** The control and the data connection of one session. */
export class RelayLink {
  readonly control: ControlChannel;
  readonly data: DataChannel;
  #clearAllowed = false;
  #lost: ConnectionError | undefined;
  readonly #losing = Promise.withResolvers<ConnectionError>();

  private constructor(
    control: Connection,
    data: Connection,
    options: RelayClientOptions,
  ) {
    const onLost = (error: ConnectionError) => this.fail(error);
    this.control = new ControlChannel(control, {
      timeoutMs: options.replyTimeoutMs ?? REPLY_TIMEOUT_MS,
      indexWindow: options.indexWindow ?? 1,
      onLost,
    });
    this.data = new DataChannel(data, {
      stallTimeoutMs: options.stallTimeoutMs ?? STALL_TIMEOUT_MS,
      queueBytes: options.dataQueueBytes ?? QUEUE_BYTES,
      onLost,
    });
  }

  /** Connects to both ports and agrees on a version. */
  static async connect(options: RelayClientOptions): Promise<RelayLink> {
    const announced = options.announceMinor ?? NEWEST_MINOR;
    if (announced < 1 || announced > NEWEST_MINOR) {
      throw new RangeError(
        `Cannot announce minor ${announced}: it is not between 1 and ${NEWEST_MINOR}`,
      );
    }
    const link = await RelayLink.#open(options);
    try {
      await link.#negotiate(announced);
      return link;
    } catch (error) {
      link.fail(error as ConnectionError);
      throw error;
    }
  }

  /** The minor version that both sides speak. */
  get minor(): Minor {
    return this.control.minor as Minor;
  }

  /** Whether the relay daemon lets `clear` delete what it stored. */
  get clearAllowed(): boolean {
    return this.#clearAllowed;
  }

  /** Why nothing works any more. */
  get lost(): ConnectionError | undefined {
    return this.#lost;
  }

  /** Resolves with {@linkcode lost} once that is known. */
  get whenLost(): Promise<ConnectionError> {
    return this.#losing.promise;
  }

  /** Closes both connections: all that waits fails, and all that follows. */
  fail(error: ConnectionError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#losing.resolve(error);
    this.control.fail(error);
    this.data.fail(error);
  }

  static async #open(options: RelayClientOptions): Promise<RelayLink> {
    const shared = {
      hostname: options.hostname,
      signal: options.signal,
      timeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    };
    const control = await Connection.connect({
      ...shared,
      port: options.controlPort ?? CONTROL_PORT,
    });
    try {
      const data = await Connection.connect({
        ...shared,
        port: options.dataPort ?? DATA_PORT,
      });
      return new RelayLink(control, data, options);
    } catch (error) {
      control.close();
      throw error;
    }
  }

  async #negotiate(announced: number): Promise<void> {
    const reply = await this.control.request("VERSION", {
      major: MAJOR,
      minor: announced,
    });
    if (reply.major !== MAJOR || reply.minor < 1) {
      throw new RelayVersionError(
        `Not a relay daemon of LTTng 2: it says ${reply.major}.${reply.minor}`,
      );
    }
    this.control.minor = agreedMinor(announced, reply.minor);
    if (this.minor < 12) return;
    const { flags } = await this.control.request("GET_CONFIGURATION", {
      queryFlags: 0n,
    });
    this.#clearAllowed = (flags & CONFIGURATION_CLEAR_ALLOWED) !== 0n;
  }
}
