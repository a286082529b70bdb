/** A session daemon in memory that is asked in the bytes of its protocol. */

import { lttngErrorCode } from "../../../lib/wire/lttng_error.ts";
import {
  type ChannelBlock,
  type EventBlock,
  EventType,
} from "../../../lib/wire/sessiond/recording.ts";
import {
  replyHeader,
  type SessiondCommandName,
  sessiondCommands,
  type SessiondReply,
  type SessiondRequest,
} from "../../../lib/wire/sessiond/commands.ts";
import {
  BufferType,
  DestinationType,
  DomainType,
  OutputType,
  SessionKind,
  type Uri,
} from "../../../lib/wire/sessiond/session.ts";
import { createLog } from "../../../lib/base/log.ts";
import { SessionDaemon } from "../../../lib/session/daemon.ts";
import type { Caller, DaemonHost } from "../../../lib/session/host.ts";
import { FakeTracer, type FakeTracing } from "./fake_tracer.ts";
import { MemoryOutputs } from "./memory_output.ts";

const commands = sessiondCommands(13);
const header = replyHeader(13);
const SYMBOL_PREFIX = "LTTNG_ERR_";

/** Who asks, where nobody else is said. */
export const USER: Caller = { uid: 1000, gid: 1000 };
/** The kernel's domain. */
export const KERNEL = {
  type: DomainType.KERNEL,
  bufferType: BufferType.GLOBAL,
};

/** A refusal, by the symbol of its code. */
export class Refused extends Error {
  override name = "Refused";
}

/** A session daemon whose world is in memory. */
export class Asking {
  readonly tracer = new FakeTracer();
  readonly outputs = new MemoryOutputs();
  readonly lines: string[] = [];
  /** Timers by their period, milliseconds. */
  readonly timers = new Map<number, () => void>();
  /** Milliseconds since 1970. */
  time = Date.UTC(2026, 10, 25, 12);
  readonly daemon: SessionDaemon;

  constructor(options: Partial<DaemonHost> = {}) {
    this.daemon = new SessionDaemon({
      tracer: this.tracer,
      mayTraceKernel: true,
      clock: { now: () => this.time },
      log: createLog({
        level: "debug",
        json: false,
        write: (line) => this.lines.push(line),
        now: () => this.time,
      }),
      outputs: this.outputs,
      every: (milliseconds, act) => {
        this.timers.set(milliseconds, act);
        return {
          [Symbol.dispose]: () => {
            this.timers.delete(milliseconds);
          },
        };
      },
      stopTimeoutMs: 50,
      retryMs: 1,
      ...options,
    });
  }

  /**
   * Asks, and gives the answer.
   *
   * @throws {Refused} With the symbol of the code, `SESS_NOT_FOUND`.
   */
  async ask<N extends SessiondCommandName>(
    name: N,
    request: SessiondRequest<N>,
    caller = USER,
  ): Promise<SessiondReply<N>> {
    const { request: layout, reply } = commands[name];
    const encode = layout.encode as (value: unknown) => Uint8Array;
    const bytes = await this.daemon.handle(encode(request), caller);
    const { code } = header.decode(bytes);
    const { symbol } = lttngErrorCode(code);
    if (symbol !== "LTTNG_OK") {
      throw new Refused(symbol.slice(SYMBOL_PREFIX.length));
    }
    return reply.decode(bytes.subarray(header.size)) as SessiondReply<N>;
  }

  /** The symbol that a request is refused with; `OK` where it is not. */
  async code<N extends SessiondCommandName>(
    name: N,
    request: SessiondRequest<N>,
    caller = USER,
  ): Promise<string> {
    try {
      await this.ask(name, request, caller);
      return "OK";
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  }

  /** Creates a session in a directory. */
  async create(name: string, caller = USER): Promise<void> {
    const uris = [pathUri(`/traces/${name}`)];
    await this.ask("CREATE_SESSION_EXT", descriptor({ name, uris }), caller);
  }

  /** Creates a session that goes to a relay daemon. */
  async createRemote(name: string): Promise<void> {
    const outputType = OutputType.NETWORK;
    await this.ask("CREATE_SESSION_EXT", descriptor({ name, outputType }));
  }

  /** Has `session` record every tracepoint. */
  async enable(session: string, pattern = "*"): Promise<void> {
    await this.ask("ENABLE_EVENT", eventRequest(session, { name: pattern }));
  }

  /** The recording of a session. */
  recording(session: string): FakeTracing {
    const recording = this.tracer.recordings.get(session);
    if (recording === undefined) throw new Error(`No recording of ${session}`);
    return recording;
  }
}

/** A CREATE_SESSION_EXT. */
export function descriptor(
  parts: Partial<SessiondRequest<"CREATE_SESSION_EXT">["descriptor"]>,
  homeDirectory = "/home/user",
): SessiondRequest<"CREATE_SESSION_EXT"> {
  return {
    homeDirectory,
    descriptor: {
      kind: SessionKind.REGULAR,
      outputType: OutputType.LOCAL,
      traceFormat: 0,
      liveTimer: 0n,
      name: "",
      uris: [],
      ...parts,
    },
  };
}

/** A path as a destination. */
export function pathUri(destination: string): Uri {
  return {
    destinationType: DestinationType.PATH,
    streamType: 0,
    protocol: 0,
    port: 0,
    subdirectory: "",
    destination,
  };
}

/** A relay daemon's address as a destination. */
export function relayUri(streamType: number, subdirectory = ""): Uri {
  return {
    destinationType: DestinationType.IPV4,
    streamType,
    protocol: 1,
    port: 5342 + streamType,
    subdirectory,
    destination: "127.0.0.1",
  };
}

/** An event rule as clients send it. */
export function eventBlock(parts: Partial<EventBlock> = {}): EventBlock {
  return {
    type: EventType.TRACEPOINT,
    logLevelType: 0,
    logLevel: -1,
    enabled: 0,
    pid: 0,
    flags: 0,
    name: "fake_tick",
    exclusions: [],
    filter: "",
    bytecode: new Uint8Array(),
    userspaceProbe: undefined,
    probe: undefined,
    functionEntry: undefined,
    ...parts,
  };
}

/** An ENABLE_EVENT or DISABLE_EVENT of the kernel. */
export function eventRequest(
  session: string,
  parts: Partial<EventBlock> = {},
  channelName = "",
): SessiondRequest<"ENABLE_EVENT"> {
  return {
    session,
    domain: KERNEL,
    channelName,
    fdCount: 0,
    event: eventBlock(parts),
  };
}

/** A channel as clients send it. */
export function channelBlock(parts: Partial<ChannelBlock> = {}): ChannelBlock {
  return {
    name: "ch",
    enabled: true,
    overwrite: -1,
    subBufferSize: 4096n,
    subBufferCount: 4n,
    switchTimerInterval: 0,
    readTimerInterval: 200_000,
    output: 1,
    traceFileSize: 0n,
    traceFileCount: 0n,
    liveTimerInterval: 0xFFFF_FFFF,
    discardedEvents: 0n,
    lostPackets: 0n,
    monitorTimerInterval: 1_000_000n,
    blockingTimeout: 0n,
    allocationPolicy: 0,
    watchdogTimerInterval: undefined,
    preallocationPolicy: 0,
    reclaimAge: undefined,
    ...parts,
  };
}

/** An ENABLE_CHANNEL of the kernel. */
export function channelRequest(
  session: string,
  parts: Partial<ChannelBlock> = {},
): SessiondRequest<"ENABLE_CHANNEL"> {
  return { session, domain: KERNEL, channel: channelBlock(parts) };
}

/** A test of a daemon that is asked, with no permission at all. */
export function askingTest(
  name: string,
  fn: (asking: Asking) => Promise<void>,
): void {
  Deno.test({
    name,
    permissions: "none",
    async fn() {
      const asking = new Asking();
      await fn(asking);
      await asking.daemon.close();
    },
  });
}

/** Lets everything that is under way come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
