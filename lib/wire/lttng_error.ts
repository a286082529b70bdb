/**
 * The error codes of LTTng, as they travel in a session daemon's replies and
 * as `lttng_strerror()` words them (`lttng/lttng-error.h`, the same from 2.12
 * to 2.15).
 */

/** One error code. */
export interface LttngErrorCode {
  readonly code: number;
  /** `LTTNG_ERR_SESS_NOT_FOUND`. */
  readonly symbol: string;
  /** What `lttng_strerror()` says of it. */
  readonly text: string;
}

/** What `lttng_strerror()` says of codes that it has no text for. */
const NO_TEXT = "Unknown error code";

/** Code, symbol without its prefix, text where there is one. */
const rows: readonly (readonly [number, string, string?])[] = [
  [10, "OK", "Success"],
  [11, "UNK", "Unknown error"],
  [12, "UND", "Undefined command"],
  [13, "SESSION_STARTED", "Session is running"],
  [14, "UNKNOWN_DOMAIN", "Unknown tracing domain"],
  [15, "NOT_SUPPORTED", "Operation not supported"],
  [16, "NO_SESSION", "No session found"],
  [17, "CREATE_DIR_FAIL", "Create directory failed"],
  [18, "SESSION_FAIL", "Create session failed"],
  [19, "NO_SESSIOND", "No session daemon is available"],
  [20, "SET_URL", "Error setting URL"],
  [21, "URL_EXIST", "URL already exists"],
  [22, "BUFFER_NOT_SUPPORTED", "Buffer type not supported"],
  [23, "SESS_NOT_FOUND", "Session name not found"],
  [24, "BUFFER_TYPE_MISMATCH", "Buffer type mismatch for session"],
  [25, "FATAL", "Fatal error of the session daemon"],
  [26, "NOMEM", "Not enough memory"],
  [27, "SELECT_SESS", "A session MUST be selected"],
  [28, "EXIST_SESS", "Session name already exists"],
  [29, "NO_EVENT", "Event not found"],
  [30, "CONNECT_FAIL", "Unable to connect to Unix socket"],
  [31, "SNAPSHOT_OUTPUT_EXIST", "Snapshot output already exists"],
  [32, "EPERM", "Permission denied"],
  [33, "KERN_NA", "Kernel tracer not available"],
  [34, "KERN_VERSION", "Kernel tracer version is not compatible"],
  [35, "KERN_EVENT_EXIST", "Kernel event already exists"],
  [36, "KERN_SESS_FAIL", "Kernel create session failed"],
  [37, "KERN_CHAN_EXIST", "Kernel channel already exists"],
  [38, "KERN_CHAN_FAIL", "Kernel create channel failed"],
  [39, "KERN_CHAN_NOT_FOUND", "Kernel channel not found"],
  [40, "KERN_CHAN_DISABLE_FAIL", "Disable kernel channel failed"],
  [41, "KERN_CHAN_ENABLE_FAIL", "Enable kernel channel failed"],
  [42, "KERN_CONTEXT_FAIL", "Add kernel context failed"],
  [43, "KERN_ENABLE_FAIL", "Enable kernel event failed"],
  [44, "KERN_DISABLE_FAIL", "Disable kernel event failed"],
  [45, "KERN_META_FAIL", "Opening metadata failed"],
  [46, "KERN_START_FAIL", "Starting kernel trace failed"],
  [47, "KERN_STOP_FAIL", "Stopping kernel trace failed"],
  [48, "KERN_CONSUMER_FAIL", "Kernel consumer start failed"],
  [49, "KERN_STREAM_FAIL", "Kernel create stream failed"],
  [50, "START_SESSION_ONCE", "Session needs to be started once"],
  [51, "SNAPSHOT_FAIL", "Snapshot record failed"],
  [52, "NO_STREAM"],
  [53, "KERN_LIST_FAIL", "Listing kernel events failed"],
  [54, "UST_CALIBRATE_FAIL", "UST calibration failed"],
  [55, "UST_EVENT_ENABLED", "UST event already enabled"],
  [56, "UST_SESS_FAIL", "UST create session failed"],
  [57, "UST_CHAN_EXIST", "UST channel already exist"],
  [58, "UST_CHAN_FAIL", "UST create channel failed"],
  [59, "UST_CHAN_NOT_FOUND", "UST channel not found"],
  [60, "UST_CHAN_DISABLE_FAIL", "Disable UST channel failed"],
  [61, "UST_CHAN_ENABLE_FAIL", "Enable UST channel failed"],
  [62, "CHAN_EXIST", "Channel already exists"],
  [63, "UST_ENABLE_FAIL", "Enable UST event failed"],
  [64, "UST_DISABLE_FAIL", "Disable UST event failed"],
  [65, "UST_META_FAIL", "Opening metadata failed"],
  [66, "UST_START_FAIL", "Starting UST trace failed"],
  [67, "UST_STOP_FAIL", "Stopping UST trace failed"],
  [68, "UST_CONSUMER64_FAIL", "64-bit UST consumer start failed"],
  [69, "UST_CONSUMER32_FAIL", "32-bit UST consumer start failed"],
  [70, "UST_STREAM_FAIL", "UST create stream failed"],
  [71, "SNAPSHOT_NODATA", "No data available in snapshot"],
  [72, "NO_CHANNEL", "No channel found in the session"],
  [73, "SESSION_INVALID_CHAR", "Invalid character found in session name"],
  [74, "UST_LIST_FAIL", "Listing UST events failed"],
  [75, "UST_EVENT_EXIST", "UST event already exist"],
  [76, "UST_EVENT_NOT_FOUND", "UST event not found"],
  [77, "UST_CONTEXT_EXIST", "UST context already exist"],
  [78, "UST_CONTEXT_INVAL", "UST invalid context"],
  [
    79,
    "NEED_ROOT_SESSIOND",
    'Tracing the kernel requires a root lttng-sessiond daemon, as well as "tracing" group membership or root user ID for the lttng client',
  ],
  [80, "TRACE_ALREADY_STARTED", "Tracing has already been started once"],
  [81, "TRACE_ALREADY_STOPPED", "Tracing has already been stopped"],
  [82, "KERN_EVENT_ENOSYS", "Kernel event type not supported"],
  [
    83,
    "NEED_CHANNEL_NAME",
    "Non-default channel exists within session: channel name needs to be specified with '-c name'",
  ],
  [
    84,
    "NO_UST",
    "LTTng-UST tracer is not supported. Please rebuild lttng-tools with lttng-ust support enabled",
  ],
  [85, "SAVE_FILE_EXIST", "Session file already exists"],
  [86, "SAVE_IO_FAIL", "IO error while writing session configuration"],
  [87, "LOAD_INVALID_CONFIG", "Invalid session configuration"],
  [88, "LOAD_IO_FAIL", "IO error while reading a session configuration"],
  [89, "LOAD_SESSION_NOENT", "Session file not found"],
  [90, "MAX_SIZE_INVALID", "Snapshot max size is invalid"],
  [91, "MI_OUTPUT_TYPE", "Invalid MI output format"],
  [92, "MI_IO_FAIL", "IO error while writing MI output"],
  [93, "MI_NOT_IMPLEMENTED", "Mi feature not implemented"],
  [97, "INVALID", "Invalid parameter"],
  [98, "NO_USTCONSUMERD", "No UST consumer detected"],
  [99, "NO_KERNCONSUMERD", "No kernel consumer detected"],
  [
    100,
    "EVENT_EXIST_LOGLEVEL",
    "Event already enabled with different loglevel",
  ],
  [101, "URL_DATA_MISS", "Missing data path URL"],
  [102, "URL_CTRL_MISS", "Missing control path URL"],
  [103, "ENABLE_CONSUMER_FAIL", "Enabling consumer failed"],
  [104, "RELAYD_CONNECT_FAIL", "Unable to connect to lttng-relayd"],
  [105, "RELAYD_VERSION_FAIL", "Relay daemon not compatible"],
  [106, "FILTER_INVAL", "Invalid filter bytecode"],
  [107, "FILTER_NOMEM", "Not enough memory for filter bytecode"],
  [108, "FILTER_EXIST", "Filter already exist"],
  [109, "NO_CONSUMER", "Consumer not found for recording session"],
  [110, "EXCLUSION_INVAL"],
  [111, "EXCLUSION_NOMEM"],
  [112, "INVALID_EVENT_NAME", "Invalid event name"],
  [113, "INVALID_CHANNEL_NAME", "Invalid channel name"],
  [114, "PROCESS_ATTR_EXISTS", "Process attribute is already tracked"],
  [115, "PROCESS_ATTR_MISSING", "Process attribute was not tracked"],
  [116, "INVALID_CHANNEL_DOMAIN", "Invalid channel domain"],
  [117, "OVERFLOW", "Overflow occurred"],
  [118, "SESSION_NOT_STARTED", "Session not started"],
  [119, "LIVE_SESSION", "Live sessions are not supported"],
  [120, "PER_PID_SESSION", "Per-PID recording sessions are not supported"],
  [121, "KERN_CONTEXT_UNAVAILABLE", "Context unavailable on this kernel"],
  [122, "REGEN_STATEDUMP_FAIL", "Failed to regenerate the state dump"],
  [
    123,
    "REGEN_STATEDUMP_NOMEM",
    "Failed to regenerate the state dump, not enough memory",
  ],
  [
    124,
    "NOT_SNAPSHOT_SESSION",
    "Snapshot command can't be applied to a non-snapshot session",
  ],
  [125, "INVALID_TRIGGER", "Invalid trigger"],
  [126, "TRIGGER_EXISTS", "Trigger already registered"],
  [127, "TRIGGER_NOT_FOUND", "Trigger not found"],
  [128, "COMMAND_CANCELLED", "Command cancelled"],
  [129, "ROTATION_PENDING", "Rotation already pending for this session"],
  [
    130,
    "ROTATION_NOT_AVAILABLE",
    "Rotation feature not available for this session's creation mode",
  ],
  [
    131,
    "ROTATION_SCHEDULE_SET",
    "A session rotation schedule of this type is already set on the session",
  ],
  [
    132,
    "ROTATION_SCHEDULE_NOT_SET",
    "No session rotation schedule of this type is set on the session",
  ],
  [
    133,
    "ROTATION_MULTIPLE_AFTER_STOP",
    "Session was already rotated once since it became inactive",
  ],
  [
    134,
    "ROTATION_WRONG_VERSION",
    "Session rotation is not supported by this kernel tracer version",
  ],
  [135, "NO_SESSION_OUTPUT", "Session has no output"],
  [
    136,
    "ROTATION_NOT_AVAILABLE_RELAY",
    "Rotation feature not available on the relay",
  ],
  [137, "AGENT_TRACING_DISABLED", "Session daemon agent tracing is disabled"],
  [138, "PROBE_LOCATION_INVAL", "Invalid userspace probe location"],
  [139, "ELF_PARSING", "ELF parsing error"],
  [140, "SDT_PROBE_SEMAPHORE", "SDT probe guarded by a semaphore"],
  [141, "ROTATION_FAIL_CONSUMER", "Rotation failure on consumer"],
  [142, "ROTATE_RENAME_FAIL_CONSUMER", "Rotation rename failure on consumer"],
  [
    143,
    "ROTATION_PENDING_LOCAL_FAIL_CONSUMER",
    "Rotation pending check (local) failure on consumer",
  ],
  [
    144,
    "ROTATION_PENDING_RELAY_FAIL_CONSUMER",
    "Rotation pending check (relay) failure on consumer",
  ],
  [145, "MKDIR_FAIL_CONSUMER", "Directory creation failure on consumer"],
  [146, "CHAN_NOT_FOUND", "Channel not found"],
  [
    147,
    "SNAPSHOT_UNSUPPORTED",
    "Session configuration does not allow the use of snapshots",
  ],
  [148, "SESSION_NOT_EXIST", "Recording session does not exist"],
  [
    149,
    "CREATE_TRACE_CHUNK_FAIL_CONSUMER",
    "Trace chunk creation failed on consumer",
  ],
  [
    150,
    "CLOSE_TRACE_CHUNK_FAIL_CONSUMER",
    "Trace chunk close failed on consumer",
  ],
  [
    151,
    "TRACE_CHUNK_EXISTS_FAIL_CONSUMER",
    "Failed to query consumer for trace chunk existence",
  ],
  [152, "INVALID_PROTOCOL", "Protocol error occurred"],
  [153, "FILE_CREATION_ERROR", "Failed to create file"],
  [154, "TIMER_STOP_ERROR", "Failed to stop a timer"],
  [
    155,
    "ROTATION_NOT_AVAILABLE_KERNEL",
    "Rotation feature not supported by the kernel tracer",
  ],
  [
    156,
    "CLEAR_RELAY_DISALLOWED",
    "Relayd daemon peer does not allow sessions to be cleared",
  ],
  [
    157,
    "CLEAR_NOT_AVAILABLE_RELAY",
    "Clearing a session is not supported by the relay daemon",
  ],
  [158, "CLEAR_FAIL_CONSUMER", "Consumer failed to clear the session"],
  [
    159,
    "ROTATION_AFTER_STOP_CLEAR",
    "Session was already cleared since it became inactive",
  ],
  [160, "USER_NOT_FOUND", "User not found"],
  [161, "GROUP_NOT_FOUND", "Group not found"],
  [162, "UNSUPPORTED_DOMAIN", "Unsupported domain used"],
  [
    163,
    "PROCESS_ATTR_TRACKER_INVALID_TRACKING_POLICY",
    "Operation does not apply to the process attribute tracker's tracking policy",
  ],
  [
    164,
    "EVENT_NOTIFIER_GROUP_NOTIFICATION_FD",
    "Failed to create an event notifier group notification file descriptor",
  ],
  [165, "INVALID_CAPTURE_EXPRESSION", "Invalid capture expression"],
  [166, "EVENT_NOTIFIER_REGISTRATION", "Failed to create event notifier"],
  [
    167,
    "EVENT_NOTIFIER_ERROR_ACCOUNTING",
    "Failed to initialize event notifier error accounting",
  ],
  [
    168,
    "EVENT_NOTIFIER_ERROR_ACCOUNTING_FULL",
    "No index available in event notifier error accounting",
  ],
  [169, "INVALID_ERROR_QUERY_TARGET"],
  [170, "BUFFER_FLUSH_FAILED", "Failed to flush stream buffer"],
];

const byCode: ReadonlyMap<number, LttngErrorCode> = new Map(
  rows.map(([code, name, text = NO_TEXT]) => [code, {
    code,
    symbol: code === 10 ? "LTTNG_OK" : `LTTNG_ERR_${name}`,
    text,
  }]),
);

const byName: ReadonlyMap<string, number> = new Map(
  rows.map(([code, name]) => [name, code]),
);

/** What is known of an error code; unknown codes get upstream's words. */
export function lttngErrorCode(code: number): LttngErrorCode {
  return byCode.get(code) ??
    { code, symbol: `LTTNG_ERR_${code}`, text: NO_TEXT };
}

/** Every code that exists, `LTTNG_OK` with them. */
export function lttngErrorCodes(): LttngErrorCode[] {
  return [...byCode.values()];
}

/** The number of `SESS_NOT_FOUND`, a symbol without its prefix. */
export function lttngErrorNumber(name: string): number {
  const code = byName.get(name);
  if (code === undefined) {
    throw new TypeError(`No LTTng error is named ${name}`);
  }
  return code;
}

/** The code of success. */
export const LTTNG_OK = 10;
