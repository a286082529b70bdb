/**
 * Every bound on what a peer may ask for, in one place. A refusal names the
 * limit and what was asked.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Longest session name, with its terminating NUL (`LTTNG_NAME_MAX`). */
export const SESSION_NAME_BYTES = 255;
/** Longest host name, with its NUL (`LTTNG_HOST_NAME_MAX` of today). */
export const HOSTNAME_BYTES = 256;
/** Host name field of peers older than 2.11. */
export const OLD_HOSTNAME_BYTES = 64;
/** Longest path on the wire, with its NUL (`LTTNG_PATH_MAX`). */
export const PATH_BYTES = 4096;
/** Longest channel name in ADD_STREAM, with its NUL. */
export const CHANNEL_NAME_BYTES = 264;
/** Longest name of a file or directory that common file systems take. */
export const PATH_COMPONENT_BYTES = 255;

/** Largest payload of one control command; the stock daemon takes 128 MiB. */
export const CONTROL_PAYLOAD_BYTES = 32 * MIB;
/** Largest payload of a command that carries no metadata. */
export const SMALL_CONTROL_PAYLOAD_BYTES = 1 * MIB;
/** Largest payload of one viewer command. */
export const LIVE_PAYLOAD_BYTES = 4 * KIB;
/** Most bytes of packets or metadata that one viewer's reply holds in memory. */
export const LIVE_REPLY_BYTES = 1 * MIB;
/** Largest packet that a viewer fetches, with its padding. */
export const LIVE_PACKET_BYTES = 256 * MIB;
/** Most metadata that a viewer takes in one reply. */
export const LIVE_METADATA_BYTES = 128 * MIB;
/**
 * Most bytes of packets that a viewer of events holds while it waits for a
 * stream that says nothing; then it goes on without that.
 */
export const LIVE_WAITING_BYTES = 128 * MIB;
/** Largest packet: its bytes on the wire and its padding, together. */
export const PACKET_BYTES = 2048 * MIB;
/** Largest padding after one metadata payload. */
export const METADATA_PADDING_BYTES = 64 * MIB;

/** Most bytes one data connection holds in memory: its read buffer. */
export const DATA_BUFFER_BYTES = 1 * MIB;
/** A data connection's read buffer before its first traffic. */
export const DATA_BUFFER_BYTES_IDLE = 1 * KIB;
/** A control connection's read buffer before it meets a larger command. */
export const CONTROL_BUFFER_BYTES = 1 * KIB;
/** Most bytes gathered for one file before they are written. */
export const GATHER_BYTES = 64 * KIB;

/** Most sessions of one relay daemon at once. */
export const SESSIONS = 65_536;
/** Most open streams of one session. */
export const STREAMS_PER_SESSION = 16_384;
/** Most packets of one stream with only the data or only the index there. */
export const PENDING_INDEXES_PER_STREAM = 4_096;
/** Most trace chunks of one session daemon's session that are not yet closed. */
export const CHUNKS_PER_SESSION = 1_024;
/** Most connections on one port. */
export const CONNECTIONS_PER_PORT = 65_536;

/** How long a peer may take to accept a reply, milliseconds. */
export const REPLY_TIMEOUT_MS = 60_000;
/**
 * How long a stream waits for announced data after its control connection has
 * gone, milliseconds. The stock daemon waits for ever.
 */
export const ORPHAN_STREAM_TIMEOUT_MS = 60_000;
/** How long the daemon takes to end at most, milliseconds. */
export const SHUTDOWN_TIMEOUT_MS = 4_000;

/** Longest channel, event or symbol name, with its NUL (`LTTNG_SYMBOL_NAME_LEN`). */
export const SYMBOL_NAME_BYTES = 256;
/** Longest filter, as text with its NUL or as bytecode with its header. */
export const FILTER_BYTES = 64 * KIB;
/** Largest session descriptor in CREATE_SESSION_EXT. */
export const SESSION_DESCRIPTOR_BYTES = 64 * KIB;
/** Longest user or group name, with its NUL (`LOGIN_NAME_MAX`). */
export const LOGIN_NAME_BYTES = 256;
/** Longest path of a Unix socket, without its NUL. */
export const UNIX_SOCKET_PATH_BYTES = 107;
/** Largest reply of a session daemon that is taken. */
export const SESSIOND_REPLY_BYTES = 256 * MIB;
/** How long connecting to a session daemon may take, milliseconds. */
export const SESSIOND_CONNECT_TIMEOUT_MS = 10_000;
/**
 * How long a session daemon may take to answer, milliseconds: it serves one
 * client at a time, and each application may keep it 5 s.
 */
export const SESSIOND_REPLY_TIMEOUT_MS = 60_000;
/**
 * How long what a session daemon answers only when it is done may take,
 * milliseconds: destroying, clearing and rotating a session, a snapshot, and
 * data that is still on its way after a stop.
 */
export const SESSIOND_DONE_TIMEOUT_MS = 600_000;

/**
 * Rate of the slowest link on which a relay daemon is not taken for dead, bytes
 * a second: a reply comes after all that was sent before its request.
 */
export const SLOWEST_LINK_BYTES_PER_SECOND = 2_000;

/** Bytes of kernel packets of one channel that may wait for the sink. */
export const KERNEL_WAITING_BYTES = 128 * MIB;
