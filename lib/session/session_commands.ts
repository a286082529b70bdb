/** Sessions made, listed, and where their traces go. */

import {
  DestinationType,
  OutputType,
  SessionKind,
} from "../wire/sessiond/session.ts";
import type { SessiondRequest } from "../wire/sessiond/commands.ts";
import type { Handlers } from "./command.ts";
import {
  checkedPath,
  checkSubdirectory,
  type Destination,
  destinationOf,
  destinationText,
  localRelay,
  urisOf,
} from "./destination.ts";
import { refuse } from "./errors.ts";
import { replaceConsumer } from "./kernel_domain.ts";
import { Session, type SessionType } from "./session.ts";
import { dateTime } from "./time_text.ts";

type CreateRequest = SessiondRequest<"CREATE_SESSION_EXT">;

const types: ReadonlyMap<number, SessionType> = new Map([
  [SessionKind.REGULAR, "regular"],
  [SessionKind.SNAPSHOT, "snapshot"],
  [SessionKind.LIVE, "live"],
]);

/** Longest live timer, microseconds: 32 bits on the wire. */
const LIVE_TIMER_MAXIMUM = 0xFFFF_FFFFn;

export const sessionCommands: Handlers<
  | "CREATE_SESSION_EXT"
  | "LIST_SESSIONS"
  | "REGISTER_CONSUMER"
  | "SET_CONSUMER_URI"
  | "SET_SESSION_SHM_PATH"
> = {
  CREATE_SESSION_EXT(request, context) {
    const { sessions, host, caller } = context;
    const { descriptor } = request;
    const type = types.get(descriptor.kind) ??
      refuse("INVALID", `Session type ${descriptor.kind} is unknown`);
    if (descriptor.name !== "") sessions.checkName(descriptor.name);
    const name = descriptor.name === ""
      ? sessions.makeName(host.clock)
      : descriptor.name;
    const createdAt = host.clock.now();
    const destination = destinationFor(request, name, type, createdAt);
    const session = new Session({
      name,
      type,
      owner: caller,
      createdAt,
      isNamedByTime: descriptor.name === "",
      liveTimer: liveTimerOf(request, type),
    }, type === "snapshot" ? { kind: "none" } : destination);
    if (type === "snapshot" && destination.kind !== "none") {
      session.snapshotOutputs.push({
        id: session.nextSnapshotOutput++,
        name: "snapshot-1",
        destination,
        maximumSize: 0n,
      });
    }
    sessions.add(session);
    host.log.info(`Session ${name} of user ${caller.uid} created`);
    return { ...descriptor, name, uris: urisOf(destination) };
  },

  LIST_SESSIONS(_request, { sessions, caller }) {
    return {
      sessions: sessions.of(caller).map((session) => ({
        name: session.name,
        path: destinationText(session.destination),
        enabled: session.isActive,
        snapshotMode: session.isSnapshot,
        liveTimerInterval: session.options.liveTimer,
        creationTime: BigInt(Math.floor(session.options.createdAt / 1_000)),
        creationTimeSet: true,
        shmPath: session.shmPath,
        traceFormat: 0,
      })),
    };
  },

  REGISTER_CONSUMER() {
    return refuse("NOT_SUPPORTED", "The consumer is a part of this daemon");
  },

  SET_CONSUMER_URI({ session: name, uris }, { sessions, host, caller }) {
    const session = sessions.find(name, caller);
    return session.inTurn(() => {
      if (session.isActive) refuse("TRACE_ALREADY_STARTED");
      if (uris.length === 0) refuse("INVALID", "No URI");
      const destination = mergedDestination(session.destination, uris);
      if (session.wasStarted || session.ring !== undefined) {
        refuse("SESSION_STARTED", "It records to another place already");
      }
      session.destination = destination;
      replaceConsumer(session, host);
      return {};
    });
  },

  SET_SESSION_SHM_PATH({ session: name, path }, { sessions, caller }) {
    const session = sessions.find(name, caller);
    if (session.wasStarted) refuse("SESSION_STARTED");
    session.shmPath = path;
    return {};
  },
};

function liveTimerOf({ descriptor }: CreateRequest, type: SessionType): number {
  if (type !== "live") return 0;
  const { liveTimer } = descriptor;
  if (liveTimer > 0n && liveTimer <= LIVE_TIMER_MAXIMUM) {
    return Number(liveTimer);
  }
  return refuse("INVALID", `A live timer of ${liveTimer} us`);
}

function destinationFor(
  request: CreateRequest,
  name: string,
  type: SessionType,
  createdAt: number,
): Destination {
  const { outputType, uris } = request.descriptor;
  const destination = destinationOf(uris);
  switch (outputType) {
    case OutputType.NONE:
      return destination.kind === "none" ? destination : mismatch();
    case OutputType.LOCAL:
      if (type === "live") {
        return refuse("INVALID", "A live session needs a relay daemon");
      }
      if (destination.kind === "relay") return mismatch();
      if (destination.kind === "local") return destination;
      return defaultDirectory(request, name, createdAt);
    case OutputType.NETWORK:
      if (destination.kind === "local") return mismatch();
      return destination.kind === "none" ? localRelay() : destination;
    default:
      return refuse("INVALID", `Output type ${outputType} is unknown`);
  }
}

function mismatch(): never {
  return refuse("INVALID", "The URIs are not what the output type says");
}

/** `HOME/lttng-traces/NAME-DATETIME`. */
function defaultDirectory(
  { homeDirectory, descriptor }: CreateRequest,
  name: string,
  createdAt: number,
): Destination {
  const home = checkedPath(homeDirectory);
  const suffix = descriptor.name === "" ? "" : `-${dateTime(createdAt)}`;
  return { kind: "local", path: `${home}/lttng-traces/${name}${suffix}` };
}

/** One URI of two may come alone: the other stays. */
function mergedDestination(
  old: Destination,
  uris: CreateRequest["descriptor"]["uris"],
): Destination {
  const [first] = uris;
  const isAlone = uris.length === 1 && first !== undefined &&
    first.destinationType !== DestinationType.PATH;
  if (!isAlone) {
    if (
      old.kind === "relay" && first?.destinationType !== DestinationType.PATH
    ) {
      refuse("URL_EXIST");
    }
    return destinationOf(uris);
  }
  checkSubdirectory(first);
  if (old.kind === "relay") refuse("URL_EXIST");
  // Until its other half comes, that is as usual.
  const usual = localRelay() as Extract<Destination, { kind: "relay" }>;
  const other = { ...first, subdirectory: "" };
  return first.streamType === 0
    ? {
      ...{ kind: "relay", control: first },
      data: { ...other, streamType: 1, port: usual.data.port },
    } as Destination
    : {
      ...{ kind: "relay", data: first },
      control: { ...other, streamType: 0, port: usual.control.port },
    } as Destination;
}
