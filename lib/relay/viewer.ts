/** What one live viewer has attached to, and how its commands are answered. */

import { type Minor, type SessionId, sessionId } from "../base/ids.ts";
import * as limits from "../base/limits.ts";
import { TraceFormat } from "../wire/relay.ts";
import {
  AttachStatus,
  CreateViewerSessionStatus,
  DetachStatus,
  MetadataStatus,
  NewStreamsStatus,
  NextIndexFlag,
  NextIndexStatus,
  PacketStatus,
  Seek,
  type SessionEntry,
  type ViewerCommandName,
  viewerCommands,
  ViewerTraceFormat,
} from "../wire/live.ts";
import type { Collector } from "./collector.ts";
import type { Session } from "./session.ts";
import { ViewerSession } from "./viewer_session.ts";
import type { FileRange } from "./file_range.ts";
import type { ViewerStream } from "./viewer_stream.ts";

/** A reply: bytes, and where it ends with them, part of a file. */
export interface Reply {
  readonly bytes: Uint8Array;
  readonly range?: FileRange | undefined;
}

/** The commands after CONNECT. */
export type AfterConnect = Exclude<ViewerCommandName, "CONNECT">;

type RequestOf<N extends ViewerCommandName> = ReturnType<
  (typeof viewerCommands)[N]["request"]["decode"]
>;
type ReplyValue<N extends ViewerCommandName> = Parameters<
  (typeof viewerCommands)[N]["reply"]["encode"]
>[0];

/** The first viewer version that reads CTF 2 and the newer LIST_SESSIONS. */
const CTF2_SINCE = 15;
/** The first viewer version that heeds flags whatever the status. */
const FLAGS_READ_SINCE = 15;
/** The rest of a GET_NEXT_INDEX reply where its status says that it is unset. */
const EMPTY_INDEX = {
  offset: 0n,
  packetSize: 0n,
  contentSize: 0n,
  timestampBegin: 0n,
  timestampEnd: 0n,
  eventsDiscarded: 0n,
  streamId: 0n,
};
const NO_BYTES = new Uint8Array();

/** One viewer, after CONNECT. Its commands are answered one at a time. */
export class Viewer implements Disposable {
  readonly minor: Minor;
  readonly #collector: Collector;
  readonly #sessions = new Map<SessionId, ViewerSession>();
  readonly #streams = new Map<bigint, ViewerStream>();
  #created = false;

  constructor(collector: Collector, minor: Minor) {
    this.#collector = collector;
    this.minor = minor;
  }

  /** Answers a command; throws where its payload cannot be decoded. */
  answer(name: AfterConnect, payload: Uint8Array): Reply {
    switch (name) {
      case "LIST_SESSIONS":
        return this.#reply(name, { sessions: this.#list() });
      case "CREATE_SESSION":
        this.#created = true;
        return this.#reply(name, { status: CreateViewerSessionStatus.OK });
      case "ATTACH_SESSION":
        return this.#reply(name, this.#attach(this.#request(name, payload)));
      case "DETACH_SESSION":
        return this.#reply(name, this.#detach(this.#request(name, payload)));
      case "GET_NEW_STREAMS":
        return this.#reply(
          name,
          this.#newStreams(this.#request(name, payload)),
        );
      case "GET_NEXT_INDEX":
        return this.#reply(name, this.#nextIndex(this.#request(name, payload)));
      case "GET_PACKET":
        return this.#packet(this.#request(name, payload));
      case "GET_METADATA":
        return this.#metadata(this.#request(name, payload));
    }
  }

  #request<N extends AfterConnect>(
    name: N,
    payload: Uint8Array,
  ): RequestOf<N> {
    return viewerCommands[name].request
      .decode(payload, this.minor) as RequestOf<N>;
  }

  #reply<N extends AfterConnect>(name: N, value: ReplyValue<N>): Reply {
    const { reply } = viewerCommands[name] as unknown as {
      reply: { encode(value: ReplyValue<N>, minor: number): Uint8Array };
    };
    return { bytes: reply.encode(value, this.minor) };
  }

  // ---- Sessions ---------------------------------------------------------------

  #list(): SessionEntry[] {
    return [...this.#collector.sessions]
      .filter((session) => session.closedAt === undefined)
      .filter((session) => this.#mayRead(session))
      .map((session) => ({
        id: session.id,
        liveTimer: session.liveTimer,
        clients: session.watchers.size,
        streams: session.streams.size,
        hostname: truncate(
          session.hostname,
          (this.minor < CTF2_SINCE
            ? limits.OLD_HOSTNAME_BYTES
            : limits.HOSTNAME_BYTES) - 1,
        ),
        sessionName: truncate(
          session.sessionName,
          limits.SESSION_NAME_BYTES - 1,
        ),
        traceFormat: session.traceFormat === TraceFormat.CTF2
          ? ViewerTraceFormat.CTF2
          : ViewerTraceFormat.CTF1_8,
      }));
  }

  #mayRead(session: Session): boolean {
    return this.minor >= CTF2_SINCE || session.traceFormat !== TraceFormat.CTF2;
  }

  #attach(request: RequestOf<"ATTACH_SESSION">) {
    const status = this.#attachStatus(request);
    if (typeof status === "number") return { status, streams: [] };
    const session = new ViewerSession(
      this.#collector.store,
      status,
      request.seek,
    );
    this.#sessions.set(status.id, session);
    const streams = session.rotating ? [] : session.announce();
    return { status: AttachStatus.OK, streams: this.#entries(streams) };
  }

  #attachStatus(
    { sessionId: id, seek }: RequestOf<"ATTACH_SESSION">,
  ): number | Session {
    if (!this.#created) return AttachStatus.NO_SESSION;
    const session = this.#collector.session(sessionId(id));
    if (session === undefined || session.closedAt !== undefined) {
      return AttachStatus.UNKNOWN;
    }
    if (session.liveTimer === 0) return AttachStatus.NOT_LIVE;
    if (!this.#mayRead(session)) return AttachStatus.UNKNOWN;
    if (seek !== Seek.BEGINNING && seek !== Seek.LAST) {
      return AttachStatus.SEEK_ERROR;
    }
    return this.#sessions.has(session.id)
      ? AttachStatus.ALREADY_ATTACHED
      : session;
  }

  #entries(streams: readonly ViewerStream[]) {
    for (const stream of streams) this.#streams.set(stream.stream.id, stream);
    return streams.map(({ stream }) => ({
      id: stream.id,
      traceId: stream.trace.id,
      isMetadata: stream.isMetadata,
      pathname: truncate(stream.path, limits.PATH_BYTES - 1),
      channelName: truncate(stream.channelName, limits.SESSION_NAME_BYTES - 1),
    }));
  }

  #detach({ sessionId: id }: RequestOf<"DETACH_SESSION">) {
    const session = this.#sessions.get(sessionId(id));
    if (session === undefined) {
      const known = this.#collector.session(sessionId(id)) !== undefined;
      return { status: known ? DetachStatus.ERROR : DetachStatus.UNKNOWN };
    }
    for (const [streamId, stream] of this.#streams) {
      if (session.has(stream)) this.#streams.delete(streamId);
    }
    this.#sessions.delete(sessionId(id));
    session[Symbol.dispose]();
    return { status: DetachStatus.OK };
  }

  #newStreams({ sessionId: id }: RequestOf<"GET_NEW_STREAMS">) {
    const session = this.#sessions.get(sessionId(id));
    if (session === undefined) {
      return { status: NewStreamsStatus.ERROR, streams: [] };
    }
    if (session.rotating) {
      return { status: NewStreamsStatus.NO_NEW, streams: [] };
    }
    const streams = this.#entries(session.announce());
    if (streams.length === 0 && session.over) {
      return { status: NewStreamsStatus.HANG_UP, streams };
    }
    return { status: NewStreamsStatus.OK, streams };
  }

  // ---- Streams ----------------------------------------------------------------

  /** Of the stream, where the viewer was told its handle and may use it. */
  #find(id: bigint): { stream: ViewerStream; of: ViewerSession } | undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined) return undefined;
    for (const of of this.#sessions.values()) {
      if (of.has(stream)) return { stream, of };
    }
    return undefined;
  }

  #nextIndex({ streamId: id }: RequestOf<"GET_NEXT_INDEX">) {
    const found = this.#find(id);
    let flags = 0;
    for (const session of this.#sessions.values()) {
      if (session.hasNew) flags |= NextIndexFlag.NEW_STREAM;
    }
    if (found === undefined) {
      return { ...EMPTY_INDEX, status: NextIndexStatus.ERROR, flags };
    }
    const { stream, of } = found;
    if (of.metadataOf(stream.stream)?.newMetadata) {
      flags |= NextIndexFlag.NEW_METADATA;
    }
    if (stream.stream.isMetadata) {
      return { ...EMPTY_INDEX, status: NextIndexStatus.HANG_UP, flags };
    }
    // Older viewers see the flag on OK only. Time that passes for them before
    // they know of a stream makes its events come too late: they give up then.
    const timeMayPass = this.minor >= FLAGS_READ_SINCE ||
      (flags & NextIndexFlag.NEW_STREAM) === 0;
    const next = stream.nextIndex(of.rotating, timeMayPass);
    if (stream.forgotten) this.#forget(id, stream, of);
    const { status, entry } = next;
    if (entry !== undefined) {
      return { ...EMPTY_INDEX, ...pick(entry), status, flags };
    }
    return {
      ...EMPTY_INDEX,
      timestampEnd: next.timestampEnd ?? 0n,
      streamId: next.ctfStreamId ?? 0n,
      status,
      flags,
    };
  }

  #forget(id: bigint, stream: ViewerStream, of: ViewerSession): void {
    this.#streams.delete(id);
    of.forget(stream);
  }

  #packet(
    { streamId: id, offset, length }: RequestOf<"GET_PACKET">,
  ): Reply {
    const stream = this.#streams.get(id);
    const range = stream?.packet(offset, length);
    const status = range === undefined ? PacketStatus.ERROR : PacketStatus.OK;
    const { bytes } = this.#reply("GET_PACKET", {
      status,
      flags: 0,
      packet: NO_BYTES,
    });
    new DataView(bytes.buffer, bytes.byteOffset)
      .setUint32(4, range?.length ?? 0);
    return { bytes, range };
  }

  #metadata({ streamId: id }: RequestOf<"GET_METADATA">): Reply {
    const found = this.#find(id);
    const isMetadata = found?.stream.stream.isMetadata === true;
    const { status, head = NO_BYTES, range } = isMetadata
      ? found.stream.nextMetadata(found.of.closed)
      : { status: MetadataStatus.ERROR };
    if (found?.stream.forgotten) this.#forget(id, found.stream, found.of);
    const { bytes } = this.#reply("GET_METADATA", {
      status,
      metadata: head,
    });
    new DataView(bytes.buffer, bytes.byteOffset)
      .setBigUint64(0, BigInt(head.length + (range?.length ?? 0)));
    return { bytes, range };
  }

  /** Detaches it from everything. */
  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
    this.#sessions.clear();
    this.#streams.clear();
  }
}

/** The fields of an entry that viewers get. */
function pick(entry: Readonly<typeof EMPTY_INDEX>): typeof EMPTY_INDEX {
  const {
    offset,
    packetSize,
    contentSize,
    timestampBegin,
    timestampEnd,
    eventsDiscarded,
    streamId,
  } = entry;
  return {
    offset,
    packetSize,
    contentSize,
    timestampBegin,
    timestampEnd,
    eventsDiscarded,
    streamId,
  };
}

/** As much of `text` as fits in `most` bytes of UTF-8, no character cut. */
function truncate(text: string, most: number): string {
  const bytes = new Uint8Array(most);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}
