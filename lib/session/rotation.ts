/** Trace chunks archived: on request, after a time, or by their size. */

import { errorText } from "../base/errors.ts";
import {
  type ArchiveLocation,
  LocationType,
  RotationState,
  ScheduleType,
} from "../wire/sessiond/session_state.ts";
import { Bounded } from "./bounded.ts";
import type { Handlers } from "./command.ts";
import { refuse } from "./errors.ts";
import type { DaemonHost } from "./host.ts";
import { stopTimeout } from "./kernel_domain.ts";
import type { ChunkLocation } from "./output.ts";
import type { Rotation, Session } from "./session.ts";

/** How long a rotation may take (ms). */
const ROTATION_TIMEOUT_MS = 60_000;
/** Pause between two looks at the size of a chunk (ms). */
const SIZE_CHECK_MS = 500;

export const rotationCommands: Handlers<
  | "LIST_ROTATION_SCHEDULES"
  | "ROTATE_SESSION"
  | "ROTATION_GET_INFO"
  | "ROTATION_SET_SCHEDULE"
> = {
  ROTATE_SESSION({ session: name }, { sessions, caller, host }) {
    const session = sessions.find(name, caller);
    return session.inTurn(async () => {
      // Right after its start, a session may not have reached its relay daemon.
      await session.consumer?.tried(new Bounded(stopTimeout(host)));
      checkRotation(session);
      return { rotationId: rotate(session, host).id };
    });
  },

  ROTATION_GET_INFO({ session: name, rotationId }, { sessions, caller }) {
    const { rotation } = sessions.find(name, caller);
    const state = (rotationState: number) => ({
      ...{ rotationState, type: LocationType.LOCAL, path: "", hostname: "" },
      ...{ protocol: 0, controlPort: 0, dataPort: 0 },
    });
    if (rotation === undefined || rotationId > rotation.id) {
      return state(RotationState.NO_ROTATION);
    }
    if (rotationId < rotation.id) return state(RotationState.EXPIRED);
    if (rotation.state === "ongoing") return state(RotationState.ONGOING);
    if (rotation.location === undefined) return state(RotationState.ERROR);
    return {
      rotationState: RotationState.COMPLETED,
      ...archiveLocation(rotation.location),
    };
  },

  ROTATION_SET_SCHEDULE(request, { sessions, caller, host }) {
    const session = sessions.find(request.session, caller);
    return session.inTurn(() => {
      checkIsRotatable(session);
      const { schedules } = session;
      const key = scheduleKey(request.type);
      if (request.value === 0n || request.value > BigInt(2 ** 52)) {
        refuse("INVALID", `A rotation schedule of ${request.value}`);
      }
      if (request.set) {
        if (schedules[key] !== undefined) refuse("ROTATION_SCHEDULE_SET");
        schedules[key] = request.value;
      } else {
        if (schedules[key] !== request.value) {
          refuse("ROTATION_SCHEDULE_NOT_SET");
        }
        schedules[key] = undefined;
      }
      if (key === "period") rotateByTime(session, host);
      else rotateBySize(session, host);
      return {};
    });
  },

  LIST_ROTATION_SCHEDULES({ session: name }, { sessions, caller }) {
    const { schedules } = sessions.find(name, caller);
    return { periodic: schedules.period, size: schedules.size };
  },
};

function scheduleKey(type: number): "period" | "size" {
  if (type === ScheduleType.PERIODIC) return "period";
  if (type === ScheduleType.SIZE) return "size";
  return refuse("INVALID", `Rotation schedule type ${type} is unknown`);
}

function checkIsRotatable(session: Session): void {
  if (session.isSnapshot || session.isLive) refuse("ROTATION_NOT_AVAILABLE");
  if (session.destination.kind === "none") refuse("ROTATION_NOT_AVAILABLE");
}

/** @throws {CommandError} Where the session cannot be rotated now. */
function checkRotation(session: Session): void {
  if (!session.wasStarted) refuse("START_SESSION_ONCE");
  checkIsRotatable(session);
  if (session.rotation?.state === "ongoing") refuse("ROTATION_PENDING");
  if (!session.isActive) {
    if (session.rotatedSinceStop) refuse("ROTATION_MULTIPLE_AFTER_STOP");
    if (session.clearedSinceStop) refuse("ROTATION_AFTER_STOP_CLEAR");
  }
  if (session.consumer?.output === undefined) {
    refuse("ROTATION_FAIL_CONSUMER", "The output does not work");
  }
}

/** Begins to rotate; nobody waits for it. */
function rotate(session: Session, host: DaemonHost): Rotation {
  const rotation: Rotation = {
    id: (session.rotation?.id ?? -1n) + 1n,
    state: "ongoing",
    location: undefined,
    done: Promise.resolve(),
  };
  session.rotation = rotation;
  session.rotatedSinceStop = !session.isActive;
  rotation.done = archive(session, host).then((location) => {
    rotation.location = location;
    rotation.state = "completed";
  }).catch((error) => {
    rotation.state = "error";
    host.log.warning(
      `Session ${session.name}: rotation ${rotation.id} failed: ${
        errorText(error)
      }`,
    );
  });
  return rotation;
}

async function archive(
  session: Session,
  host: DaemonHost,
): Promise<ChunkLocation> {
  const { kernel, consumer } = session;
  // What was recorded before belongs to the chunk that ends; what a slow
  // output does not take in time goes to the next.
  try {
    if (session.isActive) await kernel?.tracing.flush();
    else await session.stopping;
  } catch (error) {
    host.log.debug(`Session ${session.name}: ${errorText(error)}`);
  }
  const output = consumer?.output;
  if (output === undefined) throw new Error("The output does not work");
  session.chunkStartBytes = consumer?.bytes ?? 0;
  return await output.rotate(ROTATION_TIMEOUT_MS);
}

/** Rotates every so often. */
function rotateByTime(session: Session, host: DaemonHost): void {
  const { period } = session.schedules;
  session.setTimer(
    "rotation period",
    period === undefined
      ? undefined
      : host.every(Number(period) / 1_000, () => tryRotation(session, host)),
  );
}

/** Rotates when so much was written. */
export function rotateBySize(session: Session, host: DaemonHost): void {
  const { size } = session.schedules;
  session.setTimer(
    "rotation size",
    size === undefined ? undefined : host.every(SIZE_CHECK_MS, () => {
      const bytes = session.consumer?.bytes ?? 0;
      if (bytes - session.chunkStartBytes >= size) tryRotation(session, host);
    }),
  );
}

/** A time that does not suit passes. */
function tryRotation(session: Session, host: DaemonHost): void {
  session.inTurn(() => {
    if (!session.isActive) return;
    checkRotation(session);
    rotate(session, host);
  }).catch((error) => {
    host.log.debug(`Session ${session.name}: ${errorText(error)}`);
  });
}

/** Where a chunk is, as clients are told. */
export function archiveLocation(location: ChunkLocation): ArchiveLocation {
  if (location.kind === "local") {
    return {
      type: LocationType.LOCAL,
      path: location.path,
      ...{ hostname: "", protocol: 0, controlPort: 0, dataPort: 0 },
    };
  }
  const { path, hostname, controlPort, dataPort } = location;
  const type = LocationType.RELAY;
  return { type, path, hostname, protocol: 0, controlPort, dataPort };
}
