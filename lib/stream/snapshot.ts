/** One snapshot, sent whole over connections of its own. */

import type { PacketInfo } from "../ctf/sink.ts";
import type { WaitOptions } from "./bounded.ts";
import type { RelayClientOptions } from "./client_options.ts";
import type { StorageReport } from "./errors.ts";
import { RelayClient } from "./relay_client.ts";
import { METADATA, type SessionOptions } from "./relay_stream.ts";

/** The packets of one stream of a snapshot. */
export interface SnapshotStream {
  /** `CHANNEL_INSTANCE`, such as `ch0_0`. */
  readonly name: string;
  readonly packets: Iterable<
    { readonly content: Uint8Array; readonly index: PacketInfo }
  >;
}

/** One CTF trace of a snapshot. */
export interface SnapshotTrace {
  /** Directory below the snapshot's: `ust/uid/0/64-bit`. */
  readonly pathname: string;
  readonly metadata: Uint8Array;
  readonly streams: Iterable<SnapshotStream>;
}

/** What to send, where to and how patiently. */
export interface SnapshotOptions extends RelayClientOptions, WaitOptions {
  readonly session: Omit<SessionOptions, "snapshot">;
  /** Directory of the snapshot: `snapshot-1-20261123-021559-0`. No dots. */
  readonly name: string;
  readonly traces: Iterable<SnapshotTrace>;
}

/** Where a snapshot went. */
export interface SentSnapshot {
  /** Directory below the relay daemon's output directory. */
  readonly path: string;
  readonly report: StorageReport;
}

/**
 * Sends a snapshot as `lttng snapshot record` does: a session of its own, a
 * trace chunk with the snapshot's name, packets without indexes.
 *
 * @throws {RelayError} The relay daemon refused a part.
 * @throws {ConnectionError} A connection was lost.
 *
 * @example A snapshot of one packet
 * ```ts
 * import { sendSnapshot, silentLog, startRelay } from "@lttng/stream";
 *
 * const here = { hostname: "127.0.0.1", port: 0 };
 * await using relay = startRelay({
 *   control: here,
 *   data: here,
 *   live: here,
 *   output: await Deno.makeTempDir(),
 *   groupOutputBy: "host",
 *   allowClear: true,
 *   filePoolSize: 512,
 *   log: silentLog,
 * });
 *
 * const { path } = await sendSnapshot({
 *   hostname: "127.0.0.1",
 *   controlPort: relay.addresses.control.port,
 *   dataPort: relay.addresses.data.port,
 *   session: { name: "demo", hostname: "target" },
 *   name: "snapshot-1-20261123-021559-0",
 *   traces: [{
 *     pathname: "ust/uid/0/64-bit",
 *     metadata: new TextEncoder().encode("/* CTF 1.8 *\/\n"),
 *     streams: [{
 *       name: "ch0_0",
 *       packets: [{
 *         content: new Uint8Array(912),
 *         index: {
 *           packetSize: 8n * 4096n,
 *           contentSize: 8n * 912n,
 *           timestampBegin: 100n,
 *           timestampEnd: 200n,
 *           eventsDiscarded: 0n,
 *           streamClassId: 0n,
 *           streamInstanceId: 0n,
 *           packetSequenceNumber: 0n,
 *         },
 *       }],
 *     }],
 *   }],
 * });
 * console.log(path);
 * ```
 */
export async function sendSnapshot(
  options: SnapshotOptions,
): Promise<SentSnapshot> {
  await using client = await RelayClient.connect(options);
  const { outputPath } = await client.createSession({
    ...options.session,
    snapshot: true,
  });
  const hasChunks = client.minor >= 11;
  if (hasChunks) await client.createTraceChunk({ overrideName: options.name });
  const prefix = hasChunks ? "" : `${options.name}/`;
  for (const trace of options.traces) {
    await sendTrace(client, trace, prefix + trace.pathname);
  }
  const { timeoutMs, signal } = options;
  const report = await client.finish({
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return { path: `${outputPath}/${options.name}`, report };
}

async function sendTrace(
  client: RelayClient,
  trace: SnapshotTrace,
  pathname: string,
): Promise<void> {
  for (const { name, packets } of trace.streams) {
    const stream = await client.addStream({ name, pathname });
    for (const { content, index } of packets) {
      await client.sendPacket(stream, content, index);
    }
  }
  const metadata = await client.addStream({ name: METADATA, pathname });
  await client.sendMetadata(metadata, trace.metadata);
}
