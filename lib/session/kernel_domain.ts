/** The kernel's part of a session: begun when it is first asked for. */

import { errorText } from "../base/errors.ts";
import { DomainType } from "../wire/sessiond/session.ts";
import type { Context } from "./command.ts";
import { Consumer } from "./consumer.ts";
import { type ErrorSymbol, refuse } from "./errors.ts";
import type { Destination } from "./destination.ts";
import type { DaemonHost, RelayDestination } from "./host.ts";
import type { TraceOutput } from "./output.ts";
import { DEFAULT_CHANNEL } from "./recording_state.ts";
import type { Channel } from "./recording_state.ts";
import type { KernelDomain, Session } from "./session.ts";
import { type RingBounds, SnapshotRing } from "./snapshot_ring.ts";
import { dateTime } from "./time_text.ts";

/** How long a stop and a destroy may take, unless told otherwise (ms). */
export const STOP_TIMEOUT_MS = 5_000;
/** Of the system's state, snapshots have the last dump at least: 16 MiB. */
const STATE_DUMP_BOUNDS: RingBounds = { packets: 64, overwrite: true };
/** Pause between two tries to reach a relay daemon (ms). */
const RETRY_MS = 1_000;

/** How long a stop and a destroy may take, milliseconds. */
export function stopTimeout(host: DaemonHost): number {
  return host.stopTimeoutMs ?? STOP_TIMEOUT_MS;
}

/**
 * Whether a request about this domain can be served at all.
 *
 * @throws {CommandError} With the stock code of why not.
 */
export function checkDomain(type: number, { host }: Context): void {
  switch (type) {
    case DomainType.KERNEL:
      return checkKernel(host);
    case DomainType.UST:
      return refuse("NO_UST", "This session daemon traces the kernel only");
    case DomainType.JUL:
    case DomainType.LOG4J:
    case DomainType.PYTHON:
      return refuse(
        "AGENT_TRACING_DISABLED",
        "This session daemon traces the kernel only",
      );
    default:
      return refuse("UNKNOWN_DOMAIN", `Domain ${type} is unknown`);
  }
}

function checkKernel(host: DaemonHost): void {
  if (!host.mayTraceKernel) refuse("NEED_ROOT_SESSIOND");
  const { unavailable } = host.tracer;
  if (unavailable !== undefined) refuse("KERN_NA", unavailable);
}

/** The kernel's part of a session, made where it is missing. */
export function kernelOf(session: Session, context: Context): KernelDomain {
  session.kernel ??= begin(session, context.host);
  return session.kernel;
}

function begin(session: Session, host: DaemonHost): KernelDomain {
  const warn = (line: string) =>
    host.log.warning(`Session ${session.name}: ${line}`);
  const isInMemory = session.isSnapshot || session.destination.kind === "none";
  const sink = isInMemory
    ? session.ring = new SnapshotRing((stream) => {
      const channel = channelOfStream(session, stream);
      if (channel === undefined) return STATE_DUMP_BOUNDS;
      const { subBufferCount, overwrite } = channel.attributes;
      return { packets: Number(subBufferCount), overwrite };
    })
    : session.consumer = makeConsumer(session, host, warn);
  const tracing = host.tracer.open({
    session: session.name,
    sink,
    warn,
    timeoutMs: stopTimeout(host),
  });
  // Connecting takes its time: it begins long before it is needed.
  if (session.destination.kind === "relay") session.consumer?.begin();
  return {
    tracing,
    channels: new Map(),
    hasNamedChannel: false,
    tracked: undefined,
  };
}

function makeConsumer(
  session: Session,
  host: DaemonHost,
  warn: (line: string) => void,
): Consumer {
  return new Consumer({
    open: (signal) => openOutput(session, host, signal),
    retryMs: host.retryMs ?? RETRY_MS,
    files: (stream) => {
      const attributes = channelOfStream(session, stream)?.attributes;
      return {
        traceFileSize: attributes?.traceFileSize ?? 0n,
        traceFileCount: attributes?.traceFileCount ?? 0n,
      };
    },
    streamClassId: (stream) =>
      channelOfStream(session, stream)?.tracing.streamClassId ?? 0,
    warn,
  });
}

/** A consumer for a destination that took the place of another. */
export function replaceConsumer(session: Session, host: DaemonHost): void {
  if (session.kernel === undefined || session.consumer === undefined) return;
  session.consumer.redirect();
  if (session.destination.kind === "relay") session.consumer.begin();
  else host.log.debug(`Session ${session.name} goes to a directory now`);
}

async function openOutput(
  session: Session,
  host: DaemonHost,
  signal: AbortSignal,
): Promise<TraceOutput> {
  const { destination, options } = session;
  switch (destination.kind) {
    case "none":
      throw new Error("The session has no output");
    case "local": {
      const { path } = destination;
      return host.outputs.openLocal({ path, owner: options.owner });
    }
    case "relay":
      try {
        const place = relayDestination(session, destination, host);
        const output = await host.outputs.connectRelay(place, signal);
        session.relayCreationTime = place.creationTime;
        return output;
      } catch (error) {
        throw new Error(
          `No relay daemon at ${destination.control.destination}, ports ` +
            `${destination.control.port} and ${destination.data.port}: ` +
            `${errorText(error)}: start one there, or use another session`,
          { cause: error },
        );
      }
  }
}

/**
 * What the session is called at a relay daemon. After a first time it gets a
 * directory of its own, and with it a time: what is there must stay.
 */
function relayDestination(
  session: Session,
  { control, data }: Extract<Destination, { kind: "relay" }>,
  host: DaemonHost,
): RelayDestination {
  const { options, relayCreationTime: last } = session;
  const creationTime = last === undefined
    ? options.createdAt
    : Math.max(host.clock.now(), last + 1_000);
  const suffix = last === undefined ? "" : `-${dateTime(creationTime)}`;
  const basePath = control.subdirectory.replace(/\/+$/, "");
  return {
    hostname: control.destination,
    controlPort: control.port,
    dataPort: data.port,
    session: session.name,
    basePath: basePath === "" ? "" : `${basePath}${suffix}`,
    nameContainsCreationTime: options.isNamedByTime && last === undefined,
    liveTimer: options.liveTimer,
    creationTime,
  };
}

/** The channel that a stream called `CHANNEL_INSTANCE` belongs to. */
export function channelOfStream(
  session: Session,
  stream: string,
): Channel | undefined {
  return session.kernel?.channels.get(stream.replace(/_\d+$/, ""));
}

/**
 * The name of the channel that a request without one means.
 *
 * @throws {CommandError} NEED_CHANNEL_NAME where that is not clear.
 */
export function channelName(kernel: KernelDomain, name: string): string {
  if (name !== "") return name;
  if (kernel.hasNamedChannel) refuse("NEED_CHANNEL_NAME");
  return DEFAULT_CHANNEL;
}

/** The code of an output that does not work. */
export function outputError({ destination }: Session): ErrorSymbol {
  return destination.kind === "relay"
    ? "RELAYD_CONNECT_FAIL"
    : "FILE_CREATION_ERROR";
}

/**
 * Tells once that the output does not work; `before` goes before the reason.
 *
 * @throws {CommandError} RELAYD_CONNECT_FAIL; of a directory,
 * FILE_CREATION_ERROR.
 */
export function checkOutput(session: Session, before = ""): void {
  const failure = session.consumer?.takeFailure();
  if (failure === undefined) return;
  refuse(outputError(session), before + failure.message);
}
