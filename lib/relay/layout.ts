/** Where things lie below the output directory: names made from names and times. */

import {
  joinPath,
  nameComponent,
  ownName,
  type PathComponent,
  pathComponent,
  type RelativePath,
  relativePath,
} from "../base/path.ts";

/** What the first directory below the output directory stands for. */
export type Grouping = "host" | "session";

/** What the path of a session is made from. */
export interface SessionNames {
  readonly sessionName: PathComponent;
  readonly hostname: PathComponent;
  /** From the URL of `lttng create --set-url=net://HOST/BASE/PATH`. */
  readonly basePath: RelativePath;
  readonly nameContainsCreationTime: boolean;
  /** Seconds since 1970. */
  readonly creationTime: number;
}

/** `YYYYMMDD-HHMMSS` in the local time zone. */
export function dateTime(seconds: number): string {
  const { date, time } = localParts(seconds);
  return `${date}-${time}`;
}

/** `YYYYMMDDTHHMMSS±hhmm` in the local time zone, as in trace chunk names. */
export function chunkTime(seconds: number): string {
  const { date, time, zone } = localParts(seconds);
  return `${date}T${time}${zone}`;
}

/** The directory of a session of a peer since 2.11, below the output directory. */
export function sessionPath(
  names: SessionNames,
  grouping: Grouping,
): RelativePath {
  const { sessionName, hostname, basePath } = names;
  const time = dateTime(names.creationTime);
  if (grouping === "session") {
    return joinPath(sessionName, ownName(`${hostname}-${time}`), basePath);
  }
  if (basePath !== "") return joinPath(hostname, basePath);
  return joinPath(
    hostname,
    names.nameContainsCreationTime
      ? sessionName
      : ownName(`${sessionName}-${time}`),
  );
}

/** What {@linkcode legacyStreamPath} needs to know of the session. */
export interface LegacySession {
  /** Empty before 2.4. */
  readonly sessionName: string;
  readonly hostname: string;
  /** When CREATE_SESSION came, seconds since 1970. */
  readonly createdAt: number;
}

const DATE_TIME_AT_END = /^(.*)-(\d{8}-\d{6})$/;

/**
 * The directory of a stream of a peer before 2.11. Such a peer sends
 * `HOST/SESSION-DATETIME/…`, which grouping by session turns around.
 */
export function legacyStreamPath(
  path: RelativePath,
  session: LegacySession,
  grouping: Grouping,
): RelativePath {
  const { sessionName } = session;
  if (grouping === "host" || sessionName === "") return path;
  const [host = "", x = "", ...others] = path.split("/");
  const name = nameComponent(sessionName, "Session name");
  const hostname = nameComponent(session.hostname || host, "Host name");
  const rest = relativePath(others.join("/"), "Stream path");
  const below = relativePath([x, ...others].join("/"), "Stream path");

  const ownTime = DATE_TIME_AT_END.exec(sessionName)?.[2];
  const dated = pathComponent(
    `${hostname}-${ownTime ?? dateTime(session.createdAt)}`,
    "Host name",
  );
  if (x === sessionName) return joinPath(name, dated, rest);
  if (!x.startsWith(sessionName)) return joinPath(name, dated, below);
  const time = DATE_TIME_AT_END.exec(x);
  if (time?.[1] === sessionName) {
    return joinPath(
      name,
      pathComponent(`${hostname}-${time[2]}`, "Host name"),
      rest,
    );
  }
  return joinPath(name, hostname, below);
}

/** A chunk's own name: `START-ID`, and `START-END-ID` once it is closed. */
export function chunkName(
  id: bigint,
  start: number,
  end?: number,
): PathComponent {
  return ownName(
    end === undefined
      ? `${chunkTime(start)}-${id}`
      : `${chunkTime(start)}-${chunkTime(end)}-${id}`,
  );
}

/** Name of a stream's data file; numbered where files are of bounded size. */
export function dataFileName(
  channelName: PathComponent,
  fileNumber: bigint | undefined,
): PathComponent {
  return fileNumber === undefined
    ? channelName
    : pathComponent(`${channelName}_${fileNumber}`, "Trace file name");
}

/** The directory of index files, beside the data files. */
export const INDEX_DIRECTORY = ownName("index");

/** Name of the index file of the data file `name`. */
export function indexFileName(name: PathComponent): PathComponent {
  return pathComponent(`${name}.idx`, "Index file name");
}

/** The latest time that has four digits of year: 9999-12-31. */
const LATEST_SECONDS = 253_402_214_400;

function localParts(seconds: number) {
  const date = new Date(Math.min(seconds, LATEST_SECONDS) * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const east = -date.getTimezoneOffset();
  const minutes = Math.abs(east);
  return {
    date: String(date.getFullYear()).padStart(4, "0") +
      two(date.getMonth() + 1) + two(date.getDate()),
    time: two(date.getHours()) + two(date.getMinutes()) +
      two(date.getSeconds()),
    zone: (east < 0 ? "-" : "+") + two(Math.floor(minutes / 60)) +
      two(minutes % 60),
  };
}
