/** What becomes of a trace while it is recorded: rotations and snapshots. */

import {
  ScheduleType,
  SNAPSHOT_SIZE_UNSET,
} from "../wire/sessiond/session_state.ts";
import { controlError } from "./errors.ts";
import { nameOf, rotationNames } from "./names.ts";
import { poll, type WaitOptions } from "./poll.ts";
import { RecordingCommands } from "./recording.ts";
import type {
  Rotation,
  RotationSchedules,
  ScheduleName,
  SnapshotDestination,
  SnapshotOutput,
} from "./archiving_types.ts";
import { archiveLocationOf } from "./session_types.ts";

const scheduleNumbers: Readonly<Record<ScheduleName, number>> = {
  periodic: ScheduleType.PERIODIC,
  size: ScheduleType.SIZE,
};

/** What a session daemon is asked of rotations and snapshots. */
export class ArchivingCommands extends RecordingCommands {
  /**
   * Starts to archive what a session has recorded so far.
   *
   * @returns The id of the rotation.
   * @throws {ControlError} ROTATION_PENDING, ROTATION_NOT_AVAILABLE,
   * ROTATION_MULTIPLE_AFTER_STOP, START_SESSION_ONCE and others.
   */
  async rotateSessionNoWait(session: string): Promise<bigint> {
    return (await this.ask("ROTATE_SESSION", { session })).rotationId;
  }

  /**
   * Archives what a session has recorded so far and waits for it, ten minutes
   * at most: then the state is still `ongoing`.
   */
  async rotateSession(
    session: string,
    options: WaitOptions = {},
  ): Promise<Rotation> {
    const id = await this.rotateSessionNoWait(session);
    const rotation = await poll(async () => {
      const rotation = await this.rotationInfo(session, id);
      return rotation.state === "ongoing" ? undefined : rotation;
    }, this.waiting(options));
    return rotation ?? { id, state: "ongoing", location: undefined };
  }

  /** How far a rotation has come; older ones than the last are `expired`. */
  async rotationInfo(session: string, id: bigint): Promise<Rotation> {
    const info = await this.ask("ROTATION_GET_INFO", {
      session,
      rotationId: id,
    });
    const state = nameOf(rotationNames, info.rotationState, "rotation state");
    const location = state === "completed"
      ? archiveLocationOf(info)
      : undefined;
    return { id, state, location };
  }

  /**
   * Makes a session rotate by itself: after `value` microseconds, again and
   * again, or after `value` bytes.
   *
   * @throws {ControlError} ROTATION_SCHEDULE_SET when there is one of the kind.
   */
  async addRotationSchedule(
    session: string,
    schedule: ScheduleName,
    value: number,
  ): Promise<void> {
    await this.#setSchedule(session, schedule, true, value);
  }

  /**
   * Takes back {@linkcode addRotationSchedule}.
   *
   * @throws {ControlError} ROTATION_SCHEDULE_NOT_SET when there is none.
   */
  async removeRotationSchedule(
    session: string,
    schedule: ScheduleName,
  ): Promise<void> {
    // The request must repeat what is set.
    const value = (await this.listRotationSchedules(session))[schedule];
    if (value === undefined) throw controlError("ROTATION_SCHEDULE_NOT_SET");
    await this.#setSchedule(session, schedule, false, value);
  }

  async #setSchedule(
    session: string,
    schedule: ScheduleName,
    set: boolean,
    value: number,
  ): Promise<void> {
    if (!Number.isSafeInteger(value) || value <= 0) {
      throw controlError("INVALID", `${value} is no ${schedule} to rotate by`);
    }
    const type = scheduleNumbers[schedule];
    const request = { session, type, set, value: BigInt(value) };
    await this.ask("ROTATION_SET_SCHEDULE", request);
  }

  /** What makes a session rotate by itself. */
  async listRotationSchedules(session: string): Promise<RotationSchedules> {
    const { periodic, size } = await this.ask("LIST_ROTATION_SCHEDULES", {
      session,
    });
    return {
      periodic: periodic === undefined ? undefined : Number(periodic),
      size: size === undefined ? undefined : Number(size),
    };
  }

  /**
   * Sets where the snapshots of a session go.
   *
   * @returns The id of the output.
   * @throws {ControlError} SNAPSHOT_OUTPUT_EXIST when there is one already,
   * NOT_SNAPSHOT_SESSION, INVALID for a bad URL.
   */
  async snapshotAddOutput(
    session: string,
    output: SnapshotDestination,
  ): Promise<number> {
    const { id } = await this.ask("SNAPSHOT_ADD_OUTPUT", {
      session,
      output: outputBlock(output),
    });
    return id;
  }

  /**
   * Removes an output, by its id or its name.
   *
   * @throws {ControlError} INVALID when there is none such.
   */
  async snapshotDelOutput(
    session: string,
    output: number | string,
  ): Promise<void> {
    const isId = typeof output === "number";
    const block = outputBlock(isId ? {} : { name: output });
    await this.ask("SNAPSHOT_DEL_OUTPUT", {
      session,
      output: isId ? { ...block, id: output } : block,
    });
  }

  /** Where the snapshots of a session go. */
  async snapshotListOutputs(session: string): Promise<SnapshotOutput[]> {
    const { entries } = await this.ask("SNAPSHOT_LIST_OUTPUT", { session });
    return entries.map(({ maximumSize, ...output }) => ({
      ...output,
      maximumSize: maximumSize === 0n || maximumSize === SNAPSHOT_SIZE_UNSET
        ? undefined
        : Number(maximumSize),
    }));
  }

  /**
   * Stores what the ring buffers of a session hold, and waits for it: where the
   * session's output leads, or once to another place.
   *
   * @throws {ControlError} START_SESSION_ONCE, SNAPSHOT_NODATA,
   * MAX_SIZE_INVALID, RELAYD_CONNECT_FAIL and others.
   */
  async snapshotRecord(
    session: string,
    output: SnapshotDestination = {},
  ): Promise<void> {
    const request = { session, output: outputBlock(output) };
    await this.ask("SNAPSHOT_RECORD", request);
  }
}

function outputBlock(output: SnapshotDestination) {
  const { name = "", maximumSize, url = "", dataUrl = "" } = output;
  return {
    id: 0,
    maximumSize: maximumSize === undefined
      ? SNAPSHOT_SIZE_UNSET
      : BigInt(maximumSize),
    name,
    controlUrl: url,
    dataUrl,
  };
}
