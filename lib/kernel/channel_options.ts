/** What a channel is without options, and what its options come to. */

import { KERNEL_WAITING_BYTES } from "../base/limits.ts";
import { PACKET_SIZE_UNIT } from "../ctf/packet.ts";
import type { KernelChannelOptions } from "./kernel_tracer.ts";
import type { ReaderPauses } from "./reader_messages.ts";

const SUB_BUFFER_SIZE = 1024 * 1024;
const SUB_BUFFER_COUNT = 8;
/** Packets of a channel that is read on demand wait only to be kept elsewhere. */
const ON_DEMAND_WAITING_BYTES = 8 * 1024 * 1024;
const ON_DEMAND_PACKETS_LEAST = 2;

/** Pauses of a reader, milliseconds. */
const PAUSE_INITIAL = 20;
const PAUSE_LEAST = 2;
const PAUSE_GREATEST = 100;
/** What a busy processor puts into its ring buffer in a millisecond, bytes. */
const PEAK_BYTES = 60_000;
/** A ring buffer holds what comes in so many pauses. */
const PAUSES_PER_RING = 3;

/**
 * All options, checked.
 *
 * @throws {RangeError} where one of them cannot be.
 */
export function completeOptions(
  options: KernelChannelOptions,
): Required<KernelChannelOptions> {
  const result: Required<KernelChannelOptions> = {
    name: options.name,
    subBufferSize: options.subBufferSize ?? SUB_BUFFER_SIZE,
    subBufferCount: options.subBufferCount ?? SUB_BUFFER_COUNT,
    overwrite: options.overwrite ?? false,
    readOnDemand: options.readOnDemand ?? false,
    switchTimerMs: options.switchTimerMs ?? 0,
    waitingBytes: options.waitingBytes ??
      (options.readOnDemand ? ON_DEMAND_WAITING_BYTES : KERNEL_WAITING_BYTES),
    readTimerMs: options.readTimerMs ?? PAUSE_GREATEST,
  };
  const { subBufferSize: size, subBufferCount: count } = result;
  if (!Number.isInteger(size) || size < 1 || size % PACKET_SIZE_UNIT !== 0) {
    throw new RangeError(
      `Cannot make channel ${options.name}: its sub-buffers have ${size} ` +
        `bytes, not a multiple of ${PACKET_SIZE_UNIT}`,
    );
  }
  if (!Number.isInteger(count) || count < 2) {
    throw new RangeError(
      `Cannot make channel ${options.name}: it has ${count} sub-buffers, ` +
        `at least 2 needed`,
    );
  }
  return result;
}

/** How many packets of each of `cpus` processors may wait for the sink. */
export function packetCountFor(
  options: Required<KernelChannelOptions>,
  cpus: number,
): number {
  const { subBufferSize, subBufferCount, waitingBytes } = options;
  const least = options.readOnDemand ? ON_DEMAND_PACKETS_LEAST : subBufferCount;
  return Math.max(least, Math.floor(waitingBytes / cpus / subBufferSize));
}

/**
 * How long a reader may rest: a load may begin at once, and the longest pause
 * must not fill a ring buffer.
 */
export function pausesFor(ringSize: number, readTimerMs: number): ReaderPauses {
  const fill = Math.floor(ringSize / PEAK_BYTES / PAUSES_PER_RING);
  const greatest = Math.max(
    Math.min(readTimerMs, PAUSE_GREATEST, fill),
    PAUSE_LEAST,
  );
  return {
    initial: Math.min(PAUSE_INITIAL, greatest),
    least: PAUSE_LEAST,
    greatest,
  };
}
