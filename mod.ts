/**
 * LTTng's network streaming as a library: a relay daemon, a client that sends
 * to one, a live viewer, a tracer for TypeScript programs, a reader of traces,
 * and a client of session daemons.
 *
 * @module
 */

// The collector.
export {
  type Relay,
  type RelayOptions,
  startRelay,
} from "./lib/relay/server.ts";
export type { ListenAddress } from "./lib/net/url.ts";
export type { Clock } from "./lib/base/clock.ts";
export {
  createLog,
  type Log,
  type LogFields,
  type LogLevel,
  type LogOptions,
  silentLog,
} from "./lib/base/log.ts";

// The sender.
export { ConnectionError } from "./lib/net/connection.ts";
export type { WaitOptions } from "./lib/stream/bounded.ts";
export {
  type ChunkOptions,
  CONTROL_PORT,
  DATA_PORT,
  type RelayClientOptions,
  type RotateOptions,
} from "./lib/stream/client_options.ts";
export {
  describeReport,
  IncompleteTraceError,
  type MissingStream,
  RelayError,
  RelayVersionError,
  type StorageReport,
} from "./lib/stream/errors.ts";
export { RelayClient } from "./lib/stream/relay_client.ts";
export { RelaySink, type RelaySinkOptions } from "./lib/stream/relay_sink.ts";
export type {
  RelaySession,
  RelayStream,
  SessionOptions,
  StreamOptions,
} from "./lib/stream/relay_stream.ts";
export type { ClosedChunk } from "./lib/stream/rotation.ts";
export {
  sendSnapshot,
  type SentSnapshot,
  type SnapshotOptions,
  type SnapshotStream,
  type SnapshotTrace,
} from "./lib/stream/snapshot.ts";
export {
  CloseCommand,
  type CommandName,
  TraceFormat,
} from "./lib/wire/relay.ts";

// The tracer.
export {
  array,
  boolean,
  enumeration,
  float,
  float32,
  float64,
  i16,
  i32,
  i64,
  i8,
  integer,
  type IntegerOptions,
  sequence,
  string,
  struct,
  u16,
  u32,
  u64,
  u8,
} from "./lib/ctf/declare.ts";
export type {
  ArrayType,
  BooleanType,
  ByteOrder,
  Carries,
  ElementsOf,
  ElementType,
  EnumerationMapping,
  EnumerationType,
  EnumerationValue,
  FieldDeclarations,
  FieldType,
  FloatType,
  IntegerBase,
  IntegerType,
  Labels,
  SequenceType,
  StringType,
  StructType,
  ValueOf,
  ValuesOf,
} from "./lib/ctf/types.ts";
export {
  defineEvent,
  type EventClass,
  type EventLogLevel,
  type EventOptions,
  LOG_LEVELS,
} from "./lib/ctf/event_class.ts";
export { DirectorySink } from "./lib/ctf/directory_sink.ts";
export type { PacketInfo, StreamSink, TraceSink } from "./lib/ctf/sink.ts";
export type {
  ClockDescription,
  Environment,
  EventHeaderKind,
} from "./lib/ctf/metadata.ts";
export {
  Tracer,
  type TracerOptions,
  type TracerReport,
} from "./lib/tracer/tracer.ts";
export { type TracerStatistics, TracerStream } from "./lib/tracer/stream.ts";
export { monotonicClock, type TraceClock } from "./lib/tracer/clock.ts";

// The reader.
export {
  TraceReader,
  type TraceReaderOptions,
} from "./lib/ctf/read/trace_reader.ts";
export type { TimeRange } from "./lib/ctf/read/event_source.ts";
export {
  type ArrayClass,
  type BitMapClass,
  type BlobClass,
  type BooleanClass,
  type ClockClass,
  type EnumerationClass,
  type ErrorListener,
  type EventClass as ReadEventClass,
  type EventRecord,
  type FieldClass,
  flagsOf,
  type FloatClass,
  type IntegerClass,
  type IntegerRange,
  labelsOf,
  type LossRecord,
  type Mapping,
  type Message,
  type NamedClass,
  type OptionClass,
  type PlainValue,
  type Reference,
  type Role,
  type Root,
  type SequenceClass,
  type StreamClass,
  type StreamInfo,
  type StringClass,
  type StructClass,
  type StructValue,
  type TextClass,
  type TextEncoding,
  toObject,
  type TraceClass,
  TraceReadError,
  type Value,
  type VariableIntegerClass,
  type VariantClass,
  type VariantOption,
  type VariantValue,
} from "./lib/ctf/read/model.ts";

// The live viewer.
export { Attachment, type FollowOptions } from "./lib/viewer/attachment.ts";
export type { SessionTarget } from "./lib/viewer/attach.ts";
export {
  SessionNotFoundError,
  ViewerError,
  ViewerVersionError,
} from "./lib/viewer/errors.ts";
export { liveEvents, type LiveEventsOptions } from "./lib/viewer/events.ts";
export type {
  EndReason,
  LiveItem,
  LivePacketIndex,
  LiveSession,
  LiveStream,
  LiveTrace,
  PacketLossReason,
} from "./lib/viewer/items.ts";
export {
  type AttachOptions,
  LiveClient,
  type LiveClientOptions,
  type ViewerAddress,
} from "./lib/viewer/live_client.ts";
export {
  parseViewerUrl,
  VIEWER_PORT,
  type ViewerUrl,
} from "./lib/viewer/url.ts";
export { systemTimer, type Timer } from "./lib/viewer/timer.ts";

// The client of a session daemon.
export { SessionDaemon } from "./lib/control/client.ts";
export type { ConnectOptions } from "./lib/control/link.ts";
export { ControlError } from "./lib/control/errors.ts";
export { formatUri, parseUrls, UrlError } from "./lib/control/url.ts";
export { FilterError } from "./lib/control/filter/error.ts";
export { compileFilter } from "./lib/control/filter/compile.ts";
export { contextNames, parseContext } from "./lib/control/context.ts";
export {
  formatLogLevel,
  logLevelNames,
  parseLogLevel,
} from "./lib/control/log_levels.ts";
export {
  readCurrentSession,
  removeCurrentSession,
  writeCurrentSession,
} from "./lib/control/rc_file.ts";
export type {
  ArchiveLocation,
  CreatedSession,
  Destruction,
  SessionDescriptor,
  SessionInfo,
  SessionKindName,
  SessionOutput,
} from "./lib/control/session_types.ts";
export type {
  ChannelAttributes,
  ChannelInfo,
  DomainInfo,
  EventInfo,
  EventRule,
  InstrumentationPoint,
  KernelProbe,
  LogLevelRule,
  TracepointField,
  UserspaceProbeLocation,
} from "./lib/control/recording_types.ts";
export type {
  Rotation,
  RotationSchedules,
  ScheduleName,
  SnapshotDestination,
  SnapshotOutput,
} from "./lib/control/archiving_types.ts";
export type {
  BufferingScheme,
  ChannelOutputName,
  DomainName,
  EventLossMode,
  EventTypeName,
  ProcessAttributeName,
  RotationState,
  TrackingPolicy,
} from "./lib/control/names.ts";
export type { TrackedValue } from "./lib/control/tracking.ts";
export type { SaveOptions } from "./lib/control/sessions.ts";
export type {
  DeliveryOptions,
  OutputStateName,
  SessionDelivery,
  StreamDelivery,
} from "./lib/control/delivery_types.ts";
export type { LoadOptions } from "./lib/control/loading.ts";
export type { DisableEventOptions } from "./lib/control/recording.ts";
