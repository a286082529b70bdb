/** What the collector does at each control command: one function a command. */

import { Code, errorText, FatalPeerError, PeerError } from "../base/errors.ts";
import {
  agreedMinor,
  ALL_ONES,
  chunkId,
  MAJOR,
  type Minor,
  NEWEST_MINOR,
  sessionId,
  streamId,
} from "../base/ids.ts";
import { METADATA_PADDING_BYTES } from "../base/limits.ts";
import { pathComponent, quote } from "../base/path.ts";
import {
  CloseCommand,
  type CommandName,
  CONFIGURATION_CLEAR_ALLOWED,
  type ReplyOf,
  type RequestOf,
} from "../wire/relay.ts";
import type { Collector } from "./collector.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";

/** What one control connection has agreed on so far. */
export interface ControlState {
  readonly collector: Collector;
  /** Set by VERSION; until then a peer counts as the oldest there is. */
  minor: Minor | undefined;
  /** Set by CREATE_SESSION. */
  session: Session | undefined;
}

/** The same with a session, for commands that need one. */
type WithSession = ControlState & { session: Session };

type Handlers = {
  readonly [N in CommandName]: (
    state: WithSession,
    request: RequestOf<N>,
  ) => ReplyOf<N> | void;
};

const OK = { code: Code.OK };

/** DATA_PENDING and END_DATA_PENDING answer these, not codes. */
const Pending = { NO: 0, YES: 1 } as const;
/** DATA_PENDING of a stream that does not exist. */
const NO_SUCH_STREAM = 0xFFFF_FFFF;

/**
 * One function a command. They run to their end without waiting, so that no
 * two commands ever meet. What they throw is answered by the caller.
 */
export const handlers: Handlers = {
  VERSION(state, { major, minor }) {
    state.minor ??= agreedMinor(NEWEST_MINOR, minor);
    if (major !== MAJOR) {
      throw new VersionMismatch(`The peer speaks ${major}.${minor}`);
    }
    return { major: MAJOR, minor: NEWEST_MINOR };
  },

  GET_CONFIGURATION({ collector }, { queryFlags }) {
    if (queryFlags !== 0n) {
      throw new PeerError(
        `Unknown query flags: ${queryFlags}`,
        Code.INVALID_PROTOCOL,
      );
    }
    const flags = collector.allowClear ? CONFIGURATION_CLEAR_ALLOWED : 0n;
    return { ...OK, flags };
  },

  CREATE_SESSION(state, request) {
    const control: ControlState = state;
    if (control.session !== undefined) {
      throw new FatalPeerError(
        `A second session on one connection, after ${control.session}`,
        Code.FATAL,
      );
    }
    try {
      const minor = state.minor ?? (1 as Minor);
      const session = state.collector.createSession(request, minor);
      control.session = session;
      return { ...OK, sessionId: session.id, outputPath: session.output };
    } catch (error) {
      throw new PeerError(errorText(error), Code.FATAL, { cause: error });
    }
  },

  START_DATA: () => OK,

  ADD_STREAM({ session }, request) {
    try {
      return { ...OK, streamId: session.addStream(request).id };
    } catch (error) {
      if (error instanceof PeerError || error instanceof FatalPeerError) {
        throw error;
      }
      throw new PeerError(
        `${session}: could not create stream ` +
          `${quote(request.pathname)}, ${quote(request.channelName)}: ` +
          errorText(error),
        Code.UNKNOWN,
        { cause: error },
      );
    }
  },

  STREAMS_SENT({ session }) {
    session.publishStreams();
    return OK;
  },

  SEND_METADATA(state, { streamId, metadata, paddingSize }) {
    const stream = ownStream(state, streamId);
    if (!stream.isMetadata) {
      throw new FatalPeerError(`${stream} is not a metadata stream`);
    }
    if (paddingSize > METADATA_PADDING_BYTES) {
      throw new FatalPeerError(
        `${stream}: padding of ${paddingSize} bytes > ${METADATA_PADDING_BYTES}`,
      );
    }
    stream.appendMetadata(metadata, paddingSize);
  },

  RESET_METADATA(state, { streamId }) {
    const stream = ownStream(state, streamId);
    if (!stream.isMetadata || state.session.liveTimer !== 0) {
      throw new FatalPeerError(
        stream.isMetadata
          ? `${state.session} is live: its metadata cannot be sent anew`
          : `${stream} is not a metadata stream`,
        Code.UNKNOWN,
      );
    }
    stream.resetMetadata();
    return OK;
  },

  SEND_INDEX(state, request) {
    ownStream(state, request.relayStreamId).index(request);
    return OK;
  },

  CLOSE_STREAM(state, { streamId, lastNetSequenceNumber }) {
    ownStream(state, streamId).close(lastNetSequenceNumber);
    return OK;
  },

  DATA_PENDING(state, { streamId, lastNetSequenceNumber }) {
    const stream = findOwnStream(state, streamId);
    if (stream === undefined) {
      throw new FatalPeerError("No such stream", NO_SUCH_STREAM);
    }
    stream.checked = true;
    const pending = stream.pendingAfter(lastNetSequenceNumber);
    return { code: pending ? Pending.YES : Pending.NO };
  },

  QUIESCENT_CONTROL(state, request) {
    const stream = findOwnStream(state, request.streamId);
    if (stream !== undefined) stream.checked = true;
    return OK;
  },

  BEGIN_DATA_PENDING({ session }, request) {
    if (sessionId(request.sessionId) === session.id) session.beginDataPending();
    return OK;
  },

  END_DATA_PENDING({ session }, request) {
    const inFlight = sessionId(request.sessionId) === session.id &&
      session.anyInFlight();
    return { code: inFlight ? Pending.YES : Pending.NO };
  },

  ROTATE_STREAMS(state, { newChunkId, positions }) {
    const next = newChunkId === undefined
      ? undefined
      : state.session.producer.knownChunk(
        chunkId(newChunkId),
        Code.INVALID_PROTOCOL,
      );
    for (const { streamId, rotateAtSequenceNumber } of positions) {
      const stream = ownStream(state, streamId, Code.INVALID);
      try {
        stream.rotate(next, rotateAtSequenceNumber);
      } catch (error) {
        if (error instanceof FatalPeerError) throw error;
        state.session.abort(`${stream}: ${errorText(error)}`);
        throw new FatalPeerError(
          `${stream}: ${errorText(error)}`,
          Code.FILE_CREATION_ERROR,
          { cause: error },
        );
      }
    }
    return OK;
  },

  CREATE_TRACE_CHUNK({ session }, request) {
    const { chunkId: id, creationTimestamp, overrideName } = request;
    session.createChunk(
      chunkId(id),
      Number(creationTimestamp),
      overrideName === "" ? undefined : chunkOverrideName(overrideName),
    );
    return OK;
  },

  CLOSE_TRACE_CHUNK({ collector, session }, request) {
    const { closeCommand } = request;
    if (closeCommand !== undefined && closeCommand > CloseCommand.DELETE) {
      throw new FatalPeerError(
        `Unknown close command: ${closeCommand} > ${CloseCommand.DELETE}`,
        Code.INVALID,
      );
    }
    if (closeCommand === CloseCommand.DELETE && !collector.allowClear) {
      throw new FatalPeerError(
        `${session}: clear is not allowed here`,
        Code.INVALID_PROTOCOL,
      );
    }
    const path = session.closeChunk(
      chunkId(request.chunkId),
      Number(request.closeTimestamp),
      closeCommand,
    );
    return { ...OK, path };
  },

  TRACE_CHUNK_EXISTS({ session }, request) {
    const chunk = session.producer.chunk(chunkId(request.chunkId));
    return { ...OK, exists: chunk !== undefined };
  },
};

/** Answered with our version like any other, then the connection closes. */
export class VersionMismatch extends Error {
  override name = "VersionMismatch";
}

function findOwnStream(state: WithSession, id: bigint): Stream | undefined {
  return id === ALL_ONES ? undefined : state.session.streams.get(streamId(id));
}

function ownStream(
  state: WithSession,
  id: bigint,
  code: number = Code.UNKNOWN,
): Stream {
  const stream = findOwnStream(state, id);
  if (stream === undefined) {
    throw new FatalPeerError(`${state.session} has no stream ${id}`, code);
  }
  return stream;
}

function chunkOverrideName(name: string) {
  try {
    if (name.includes(".")) {
      throw new RangeError(`Trace chunk name contains ".": ${quote(name)}`);
    }
    return pathComponent(name, "Trace chunk name");
  } catch (error) {
    throw new FatalPeerError(errorText(error), Code.INVALID, { cause: error });
  }
}
