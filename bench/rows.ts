/** The rows of the benchmark: what each one loads, and at which size. */

/** Bytes of one MiB. */
const MIB = 2 ** 20;

/** What the load generator is told to do for one row. */
export interface Load {
  /** Recording sessions, each with its own two connections. */
  readonly sessions: number;
  /** Data streams of each session. */
  readonly streams: number;
  /** Bytes of one packet. */
  readonly packetSize: number;
  /** SEND_INDEX commands of one session that may be unanswered. */
  readonly window: number;
  /** Bytes to send in all. */
  readonly bytes: number;
  /** Trace file size in bytes and count; absent: one file a stream. */
  readonly ring?: { readonly size: number; readonly count: number };
  /** What the names of the loaded sessions start with; default `load`. */
  readonly sessionName?: string;
}

/** One row of the table. */
export interface Row {
  /** Short name, for `--row`. */
  readonly name: string;
  /** What the table prints. */
  readonly title: string;
  readonly load: Load;
}

/** How much each row sends. */
export type Size = "quick" | "default" | "full";

/** Bytes to send: quick, default, full. */
type Sizes = readonly [number, number, number];

const LARGE: Sizes = [128 * MIB, 512 * MIB, 8192 * MIB];
const RING: Sizes = [256 * MIB, 2048 * MIB, 8192 * MIB];
const SMALL: Sizes = [16 * MIB, 128 * MIB, 512 * MIB];
const MANY: Sizes = [128 * MIB, 512 * MIB, 4096 * MIB];
/** The row whose sessions are measured while they are idle, too. */
export const IDLE_ROW = "idle-sessions";

/**
 * Makes the rows for a size.
 *
 * @param size How much to send
 * @returns The rows in the order they are run and printed
 */
export function makeRows(size: Size): Row[] {
  const pick = (sizes: Sizes) =>
    sizes[size === "quick" ? 0 : size === "default" ? 1 : 2];
  const ring = { size: 16 * MIB, count: 4 };
  const shapes: { name: string; title: string; load: Omit<Load, "window"> }[] =
    [
      {
        name: "1mib",
        title: "4 streams, 1 MiB packets",
        load: { sessions: 1, streams: 4, packetSize: MIB, bytes: pick(LARGE) },
      },
      {
        name: "ring",
        title: "4 streams, 1 MiB packets, ring of files",
        load: {
          sessions: 1,
          streams: 4,
          packetSize: MIB,
          bytes: pick(RING),
          ring,
        },
      },
      {
        name: "4kib",
        title: "4 streams, 4 KiB packets",
        load: { sessions: 1, streams: 4, packetSize: 4096, bytes: pick(SMALL) },
      },
      {
        name: "64-sessions",
        title: "64 sessions x 2 streams, 256 KiB packets",
        load: {
          sessions: 64,
          streams: 2,
          packetSize: MIB / 4,
          bytes: pick(MANY),
        },
      },
    ];
  const rows = shapes.flatMap(({ name, title, load }) =>
    [1, 64].map((window) => ({
      name: `${name}-w${window}`,
      title: `${title}, window ${window}`,
      load: { ...load, window },
    }))
  );
  rows.push({
    name: IDLE_ROW,
    title: "1,000 idle sessions, then a 64 KiB packet in each",
    load: {
      sessions: 1000,
      streams: 1,
      packetSize: 65536,
      window: 1,
      bytes: 1000 * 65536,
    },
  });
  return rows;
}

/**
 * Computes how many packets of one session are still stored at the end.
 *
 * Without a ring all are; in a ring, each stream keeps its last files only.
 *
 * @param load What was sent
 * @param packets Packets the session sent
 * @returns Packets that the stored trace holds
 */
export function storedPackets(load: Load, packets: number): number {
  if (load.ring === undefined) return packets;
  const perFile = Math.max(1, Math.floor(load.ring.size / load.packetSize));
  let stored = 0;
  for (let stream = 0; stream < load.streams; stream++) {
    // The generator serves the streams in turn, so the first get the rest.
    const sent = Math.floor(
      (packets - stream + load.streams - 1) / load.streams,
    );
    const files = Math.ceil(sent / perFile);
    stored += sent - Math.max(0, files - load.ring.count) * perFile;
  }
  return stored;
}
