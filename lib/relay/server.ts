/** The relay daemon: three listening ports and what is served on them. */

import { type Clock, systemClock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { CONNECTIONS_PER_PORT, SHUTDOWN_TIMEOUT_MS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { listenAll } from "../net/listen.ts";
import type { ListenAddress } from "../net/url.ts";
import { Collector } from "./collector.ts";
import { serveControl } from "./control.ts";
import { serveData } from "./data.ts";
import type { Grouping } from "./layout.ts";
import { serveViewer } from "./live.ts";
import { Peer } from "./peer.ts";
import { Store } from "./store.ts";
import { outOfDescriptors } from "./trace_file.ts";

/** What a relay daemon is started with. */
export interface RelayOptions {
  /** Where session daemons and consumers send commands and metadata. */
  control: ListenAddress;
  /** Where consumers send packets. */
  data: ListenAddress;
  /** Where live viewers connect. */
  live: ListenAddress;
  /** The output directory: absolute, and there already. */
  output: string;
  /** What the first directory in it stands for. */
  groupOutputBy: Grouping;
  /** Whether `lttng clear` may delete what was recorded. */
  allowClear: boolean;
  /** Most trace files kept open at once. */
  filePoolSize: number;
  /** Whether the system asks silent peers for a sign of life. @default {true} */
  keepAlive?: boolean;
  /** How long a peer may take to accept a reply, milliseconds. */
  socketTimeoutMs?: number;
  log: Log;
  /** @default The machine's own clock. */
  clock?: Clock;
}

/** A relay daemon that runs. */
export interface Relay extends AsyncDisposable {
  /** The addresses that it really listens on. */
  readonly addresses: Readonly<Record<Port, Deno.NetAddr>>;
  /**
   * Ends it: no new connections, what was recorded is written, and each
   * session that is cut is named in the log. Takes a few seconds at most.
   */
  shutdown(): Promise<void>;
}

type Port = "control" | "data" | "live";
type Serve = (collector: Collector, peer: Peer) => Promise<void>;

const SERVE: Readonly<Record<Port, Serve>> = {
  control: serveControl,
  data: serveData,
  live: serveViewer,
};

const SWEEP_MS = 5_000;
const ACCEPT_RETRY_MS = 100;

/**
 * Starts a relay daemon in this process. All three ports accept when it
 * returns. Throws, and listens on nothing, when one cannot be bound.
 *
 * @example A relay daemon on free ports of this machine
 * ```ts
 * import { silentLog, startRelay } from "@lttng/stream";
 *
 * const here = { hostname: "127.0.0.1", port: 0 };
 * await using relay = startRelay({
 *   control: here,
 *   data: here,
 *   live: here,
 *   output: Deno.makeTempDirSync(),
 *   groupOutputBy: "host",
 *   allowClear: true,
 *   filePoolSize: 512,
 *   log: silentLog,
 * });
 * console.log(relay.addresses.control.port);
 * ```
 */
export function startRelay(options: RelayOptions): Relay {
  const { control, data, live } = options;
  return new Server(listenAll<Port>({ control, data, live }), options);
}

class Server implements Relay {
  readonly addresses: Record<Port, Deno.NetAddr>;
  readonly #listeners: Record<Port, Deno.TcpListener>;
  readonly #collector: Collector;
  readonly #options: RelayOptions;
  readonly #peers = new Set<Peer>();
  readonly #serving = new Set<Promise<void>>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #ending: Promise<void> | undefined;

  constructor(
    listeners: Record<Port, Deno.TcpListener>,
    options: RelayOptions,
  ) {
    this.#listeners = listeners;
    this.#options = options;
    this.addresses = {
      control: listeners.control.addr,
      data: listeners.data.addr,
      live: listeners.live.addr,
    };
    this.#collector = new Collector({
      store: new Store(options.output, options.filePoolSize),
      log: options.log,
      clock: options.clock ?? systemClock,
      groupOutputBy: options.groupOutputBy,
      allowClear: options.allowClear,
    });
    this.#sweeper = setInterval(
      () => this.#sweep(),
      Math.min(SWEEP_MS, options.socketTimeoutMs ?? SWEEP_MS),
    );
    for (const port of ["control", "data", "live"] as const) {
      this.#track(this.#accept(port));
    }
  }

  #sweep(): void {
    this.#collector.sweep();
    const now = Date.now();
    for (const peer of this.#peers) {
      if (peer.closeIfStalled(now)) {
        this.#options.log.warning(`${peer} did not take its reply in time`);
      }
    }
  }

  async #accept(port: Port): Promise<void> {
    let count = 0;
    while (this.#ending === undefined) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listeners[port].accept();
      } catch (error) {
        if (this.#ending !== undefined) return;
        if (outOfDescriptors(error)) this.#collector.store.giveUpDescriptors();
        this.#options.log.error(
          `Could not accept a ${port} connection: ${errorText(error)}`,
        );
        await new Promise((retry) => setTimeout(retry, ACCEPT_RETRY_MS));
        continue;
      }
      if (count >= CONNECTIONS_PER_PORT) {
        this.#options.log.error(
          `Refused a ${port} connection: ${
            count + 1
          } > ${CONNECTIONS_PER_PORT}`,
        );
        conn.close();
        continue;
      }
      count++;
      this.#track(this.#serve(port, conn).finally(() => count--));
    }
  }

  async #serve(port: Port, conn: Deno.TcpConn): Promise<void> {
    let peer: Peer | undefined;
    try {
      peer = new Peer(conn, this.#options);
      this.#peers.add(peer);
      this.#options.log.debug(`New ${port} connection: ${peer}`);
      await SERVE[port](this.#collector, peer);
    } catch (error) {
      // A peer that left at once, or a fault of ours: others must go on.
      this.#options.log.error(
        `A ${port} connection failed: ${errorText(error)}`,
      );
      if (peer !== undefined) peer.close();
      else conn.close();
    } finally {
      if (peer !== undefined) this.#peers.delete(peer);
    }
  }

  #track(serving: Promise<void>): void {
    this.#serving.add(serving);
    serving.finally(() => this.#serving.delete(serving));
  }

  shutdown(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #end(): Promise<void> {
    clearInterval(this.#sweeper);
    // #ending must be set before the accept loops see their listener close.
    await Promise.resolve();
    for (const listener of Object.values(this.#listeners)) listener.close();
    for (const session of [...this.#collector.sessions]) {
      session.abort("the relay daemon stops");
    }
    for (const peer of this.#peers) peer.close();
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#options.log.error(
        `${this.#serving.size} connections did not end within ` +
          `${SHUTDOWN_TIMEOUT_MS / 1000} s`,
      );
      timeout.resolve();
    }, SHUTDOWN_TIMEOUT_MS);
    await Promise.race([Promise.allSettled(this.#serving), timeout.promise]);
    clearTimeout(timer);
    await this.#collector.nextTick();
  }
}
