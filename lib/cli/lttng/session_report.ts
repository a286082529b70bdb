/** Sessions, archives and schedules in reports and messages. */

import type { RotationSchedules } from "../../control/archiving_types.ts";
import type {
  ArchiveLocation,
  SessionInfo,
} from "../../control/session_types.ts";
import type { Console } from "./console.ts";
import type { ReportElement } from "./report.ts";

/** Adds a session to a report; more may be added to what is returned. */
export function reportSession(
  sessions: ReportElement,
  session: SessionInfo,
): ReportElement {
  return sessions.add("session").fields({
    name: session.name,
    path: session.path,
    enabled: session.enabled,
    snapshot_mode: session.snapshotMode ? 1 : 0,
    live_timer_interval: session.liveTimerInterval,
  });
}

/** Says where an archive is. */
export function printArchive(
  say: Console,
  location: ArchiveLocation,
  session: string,
): void {
  say.message(
    `Trace chunk archive for session ${session} is now readable` +
      (location.type === "local"
        ? ` at ${location.path}`
        : ` on relay ${location.protocol}://${location.hostname}/` +
          `${location.path} [control port ${location.controlPort}, ` +
          `data port ${location.dataPort}]`),
  );
}

/** Adds where an archive is to a report. */
export function reportArchive(
  parent: ReportElement,
  location: ArchiveLocation,
): void {
  const element = parent.add("location");
  if (location.type === "local") {
    element.add("local").fields({ absolute_path: location.path });
    return;
  }
  element.add("relay").fields({
    host: location.hostname,
    control_port: location.controlPort,
    data_port: location.dataPort,
    protocol: location.protocol.toUpperCase(),
    relative_path: location.path,
  });
}

/** The elements of the schedules, by name: the schedule's, and its value's. */
export const SCHEDULE_ELEMENTS = {
  periodic: ["periodic", "time_us"],
  size: ["size_threshold", "bytes"],
} as const satisfies Record<keyof RotationSchedules, readonly string[]>;

/** Adds a schedule to a report; one that is not set is empty. */
export function reportSchedule(
  parent: ReportElement,
  schedule: keyof RotationSchedules,
  value: bigint | number | undefined,
): void {
  const [name, valueName] = SCHEDULE_ELEMENTS[schedule];
  parent.add(name).fields({ [valueName]: value });
}
