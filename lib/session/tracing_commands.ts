/** Recording begun, stopped, cleared, ended. */

import { errorText } from "../base/errors.ts";
import { RelayError, RelayVersionError } from "../stream/errors.ts";
import { RotationState } from "../wire/sessiond/session_state.ts";
import type { SessiondReply } from "../wire/sessiond/commands.ts";
import { Bounded } from "./bounded.ts";
import type { Context, Handlers } from "./command.ts";
import type { Consumer } from "./consumer.ts";
import type { PacketCounts } from "./consumer_stream.ts";
import { deliveryOf } from "./delivery.ts";
import { CommandError, refuse } from "./errors.ts";
import type { DaemonHost } from "./host.ts";
import { checkOutput, stopTimeout } from "./kernel_domain.ts";
import { regenerateMetadata } from "./regenerate.ts";
import { archiveLocation, rotateBySize } from "./rotation.ts";
import type { KernelDomain, Session } from "./session.ts";

/** How long clearing may take (ms). */
const CLEAR_TIMEOUT_MS = 30_000;
/** How long an output may take to end where it has stored all (ms). */
const CLOSE_TIMEOUT_MS = 1_000;

export const tracingCommands: Handlers<
  | "CLEAR_SESSION"
  | "DATA_PENDING"
  | "DESTROY_SESSION"
  | "REGENERATE_METADATA"
  | "REGENERATE_STATEDUMP"
  | "START_TRACE"
  | "STOP_TRACE"
> = {
  START_TRACE({ session: name }, { sessions, caller, host }) {
    const session = sessions.find(name, caller);
    return session.inTurn(async () => {
      await start(session, host);
      return {};
    });
  },

  STOP_TRACE({ session: name }, { sessions, caller, host }) {
    const session = sessions.find(name, caller);
    return session.inTurn(() => {
      if (!session.isActive) refuse("TRACE_ALREADY_STOPPED");
      stop(session, host);
      const before = `Session ${name} has stopped, not all of it stored: `;
      checkOutput(session, before);
      return {};
    });
  },

  DATA_PENDING({ session: name }, { sessions, caller }) {
    const session = sessions.find(name, caller);
    return { pending: session.stopping !== undefined };
  },

  CLEAR_SESSION({ session: name }, { sessions, caller, host }) {
    const session = sessions.find(name, caller);
    return session.inTurn(async () => {
      await clear(session, host);
      return {};
    });
  },

  DESTROY_SESSION({ session: name }, context) {
    const session = context.sessions.find(name, context.caller);
    context.sessions.remove(session);
    return destroyInTurn(session, context);
  },

  async REGENERATE_METADATA({ session: name }, { sessions, caller, host }) {
    await regenerateMetadata(sessions.find(name, caller), host);
    return {};
  },

  REGENERATE_STATEDUMP({ session: name }, { sessions, caller }) {
    const session = sessions.find(name, caller);
    return session.inTurn(async () => {
      if (!session.isActive) refuse("SESSION_NOT_STARTED");
      try {
        await session.kernel?.tracing.dumpState();
      } catch (error) {
        refuse("REGEN_STATEDUMP_FAIL", errorText(error));
      }
      return {};
    });
  },
};

async function start(session: Session, host: DaemonHost): Promise<void> {
  const { kernel, consumer } = session;
  if (session.isActive) refuse("TRACE_ALREADY_STARTED");
  if (kernel === undefined || kernel.channels.size === 0) refuse("NO_CHANNEL");
  if (session.rotation?.state === "ongoing" && session.wasStarted) {
    refuse("ROTATION_PENDING");
  }
  checkOutput(session);
  // What the last stop left behind comes first; that has its bound.
  await session.stopping;
  if (consumer?.state === "lost") reopen(session, consumer);
  if (session.destination.kind === "local" && consumer !== undefined) {
    try {
      await consumer.openNow();
    } catch (error) {
      refuse("CREATE_TRACE_CHUNK_FAIL_CONSUMER", errorText(error));
    }
  }
  if (consumer !== undefined) consumer.isDraining = false;
  await startTracing(kernel, host);
  session.isActive = session.wasStarted = true;
  session.rotatedSinceStop = session.clearedSinceStop = false;
  session.hasMore = false;
  if (session.isLive) session.setTimer("live", beat(session, kernel, host));
  rotateBySize(session, host);
  host.log.info(`Session ${session.name} started`);
}

/**
 * Tries a lost relay daemon again, in a directory of its own. A directory here
 * is not opened again: that would begin it anew, over what it holds.
 *
 * @throws {CommandError} CREATE_TRACE_CHUNK_FAIL_CONSUMER.
 */
function reopen(session: Session, consumer: Consumer): void {
  if (session.destination.kind !== "relay") {
    refuse(
      "CREATE_TRACE_CHUNK_FAIL_CONSUMER",
      `Session ${session.name} cannot write its directory any more: ` +
        `create another session: ${consumer.failure?.message}`,
    );
  }
  consumer.redirect();
  consumer.begin();
}

/**
 * Starts the tracer, in bounded time: what it recorded before may keep it.
 *
 * @throws {CommandError} KERN_START_FAIL.
 */
async function startTracing(
  { tracing }: KernelDomain,
  host: DaemonHost,
): Promise<void> {
  const starting = tracing.start();
  const isInTime = await new Bounded(stopTimeout(host)).reaches(starting);
  if (!isInTime) {
    // Should it start after all, nobody would know of it.
    starting.then(() => tracing.stop()).catch(() => {});
    refuse("KERN_START_FAIL", "What was recorded before is still on its way");
  }
  try {
    await starting;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    refuse("KERN_START_FAIL", errorText(error));
  }
}

/** Has a live session's packets and silences told to its viewers. */
function beat(
  session: Session,
  { tracing }: KernelDomain,
  host: DaemonHost,
): Disposable {
  let isBusy = false;
  async function act(): Promise<void> {
    // Before the flush: what is recorded during it is in no packet yet, and
    // viewers must not be told that there was nothing.
    const now = tracing.now?.();
    await tracing.flush();
    if (now !== undefined) await session.consumer?.beat(now);
  }
  return host.every(session.options.liveTimer / 1_000, () => {
    if (isBusy || !session.isActive) return;
    isBusy = true;
    act().catch((error) => {
      host.log.debug(`Session ${session.name}: ${errorText(error)}`);
    }).finally(() => isBusy = false);
  });
}

/** Stops at once; what is on its way goes on, for a bounded time. */
function stop(session: Session, host: DaemonHost): void {
  session.isActive = false;
  session.setTimer("live", undefined);
  const bounded = new Bounded(stopTimeout(host));
  const stopping = settle(session, host, bounded).finally(() => {
    session.stopping = undefined;
  });
  session.stopping = stopping;
  host.log.info(`Session ${session.name} stopped`);
}

/** Waits for what a stop left behind, and says what is still under way. */
async function settle(
  session: Session,
  host: DaemonHost,
  bounded: Bounded,
): Promise<void> {
  const { kernel, consumer } = session;
  if (kernel === undefined) return;
  if (consumer !== undefined) consumer.isDraining = true;
  const stopped = kernel.tracing.stop();
  session.hasMore = true;
  stopped.then(() => {
    session.hasMore = false;
  }).catch((error) => {
    host.log.warning(`Session ${session.name}: ${errorText(error)}`);
  });
  await bounded.reaches(stopped);
  const missing = await consumer?.settle(bounded) ?? [];
  await bounded.reaches(refreshStatistics(kernel));
  if (missing.length === 0) return;
  host.log.warning(
    `Session ${session.name}: not stored within ${bounded.timeoutMs} ms: ` +
      describe(consumer?.counts ?? [], missing),
  );
}

/** Counts of what is under way, for the streams that are named. */
function describe(
  counts: readonly PacketCounts[],
  names: readonly string[],
): string {
  return names.map((name) => {
    const count = counts.find((one) => one.name === name);
    if (count === undefined) return name;
    const { waiting, unconfirmed } = count;
    return `stream ${name} (${waiting} packets waiting, ${unconfirmed} sent)`;
  }).join(", ");
}

/** Asks the tracer for its counts. */
export async function refreshStatistics(kernel: KernelDomain): Promise<void> {
  await kernel.tracing.refreshStatistics?.();
}

async function clear(session: Session, host: DaemonHost): Promise<void> {
  const { kernel, consumer, ring } = session;
  if (kernel === undefined || !session.wasStarted) return;
  await session.stopping;
  await consumer?.tried(new Bounded(stopTimeout(host)));
  try {
    const isKept = ring !== undefined;
    if (session.isActive || isKept) {
      await kernel.tracing.flush(CLEAR_TIMEOUT_MS);
    }
    ring?.clear();
    await consumer?.output?.clear(CLEAR_TIMEOUT_MS);
  } catch (error) {
    throw clearError(error);
  }
  if (consumer !== undefined) session.chunkStartBytes = consumer.bytes;
  session.clearedSinceStop = !session.isActive;
  host.log.info(`Session ${session.name} cleared`);
}

function clearError(error: unknown): CommandError {
  const symbol = error instanceof RelayVersionError
    ? "CLEAR_NOT_AVAILABLE_RELAY"
    : error instanceof RelayError
    ? "CLEAR_RELAY_DISALLOWED"
    : "CLEAR_FAIL_CONSUMER";
  return new CommandError(symbol, errorText(error), { cause: error });
}

/** Ends a session after what is being done to it, if that ends in time. */
async function destroyInTurn(
  session: Session,
  context: Context,
): Promise<SessiondReply<"DESTROY_SESSION">> {
  const { sessions, host } = context;
  session.isDestroyed = true;
  const bounded = new Bounded(stopTimeout(host));
  await bounded.reaches(session.idle);
  const reply = await destroy(session, host, bounded);
  session.hasMore = false;
  // The reply has no room for what did not arrive: it is asked for after.
  sessions.ended.add(session, deliveryOf(session), host.clock.now());
  return reply;
}

/** Ends everything of a session, within a bounded time. */
async function destroy(
  session: Session,
  host: DaemonHost,
  bounded: Bounded,
): Promise<SessiondReply<"DESTROY_SESSION">> {
  for (const timer of session.timers.values()) timer[Symbol.dispose]();
  session.timers.clear();
  if (session.isActive) {
    session.isActive = false;
    await settle(session, host, bounded);
  } else await bounded.reaches(session.stopping ?? Promise.resolve());
  await bounded.reaches(session.rotation?.done ?? Promise.resolve());
  const missing = await session.consumer?.settle(bounded) ?? [];
  const archived = await lastArchive(session, host, bounded);
  const isStored = missing.length === 0;
  await session.consumer?.finish(isStored ? CLOSE_TIMEOUT_MS : 0);
  await new Bounded(CLOSE_TIMEOUT_MS).reaches(closeTracing(session));
  // Only now: what the tracer still had was refused meanwhile.
  logEnd(session, host, session.consumer?.counts ?? []);
  return archived;
}

/** Ends the tracer's part; what was given up is in its counts then. */
async function closeTracing({ kernel }: Session): Promise<void> {
  if (kernel === undefined) return;
  await kernel.tracing.close();
  await refreshStatistics(kernel);
}

/** A session that was rotated leaves its last chunk in the archives too. */
async function lastArchive(
  session: Session,
  host: DaemonHost,
  bounded: Bounded,
): Promise<SessiondReply<"DESTROY_SESSION">> {
  const none = {
    rotationState: RotationState.NO_ROTATION,
    location: undefined,
  };
  const { rotation, consumer } = session;
  if (rotation === undefined || consumer?.output === undefined) return none;
  const { location: last } = rotation;
  if (session.rotatedSinceStop && rotation.state === "completed" && last) {
    return {
      rotationState: RotationState.COMPLETED,
      location: archiveLocation(last),
    };
  }
  try {
    const location = await consumer.output.archive(bounded.leftMs);
    return {
      rotationState: RotationState.COMPLETED,
      location: archiveLocation(location),
    };
  } catch (error) {
    host.log.warning(`Session ${session.name}: ${errorText(error)}`);
    return { rotationState: RotationState.ERROR, location: undefined };
  }
}

function logEnd(
  session: Session,
  { log }: DaemonHost,
  counts: readonly PacketCounts[],
): void {
  const channels = [...session.kernel?.channels.values() ?? []];
  const streams = channels.flatMap((channel) => channel.tracing.statistics());
  const sum = (values: readonly number[]) =>
    values.reduce((total, value) => total + value, 0);
  const recorded = sum(streams.map((stream) => stream.recorded));
  const discarded = sum(streams.map((stream) => stream.discarded));
  const dropped = sum(counts.map((count) => count.dropped));
  const unconfirmed = sum(counts.map((count) => count.unconfirmed));
  const lost = dropped + sum(streams.map((stream) => stream.lostPackets));
  log.info(
    `Session ${session.name} destroyed: ${recorded} events recorded, ` +
      `${discarded} discarded, ${lost} packets lost` +
      (unconfirmed > 0 ? `, ${unconfirmed} sent but not confirmed` : ""),
    { session: session.name, recorded, discarded, lost, unconfirmed },
  );
  for (const { name, dropped, unconfirmed } of counts) {
    if (dropped + unconfirmed === 0) continue;
    log.warning(
      `Session ${session.name}: stream ${name}: ${dropped} packets given up, ` +
        `${unconfirmed} sent but not confirmed`,
    );
  }
}

/** Ends every session, as the daemon ends. */
export async function destroyAll(context: Context): Promise<void> {
  await Promise.all(context.sessions.all.map(async (session) => {
    context.sessions.remove(session);
    try {
      await destroyInTurn(session, context);
    } catch (error) {
      context.host.log.error(`Session ${session.name}: ${errorText(error)}`);
    }
  }));
}
