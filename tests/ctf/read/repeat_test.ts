/** Snapshots of one session that overlap: what is in several is read once. */

import { assert, assertEquals } from "@std/assert";
import { u32 } from "../../../lib/ctf/declare.ts";
import { defineEvent } from "../../../lib/ctf/event_class.ts";
import { TraceReader } from "../../../lib/ctf/read/trace_reader.ts";
import { recordTo, steppingClock, withTraceDirectory } from "../recording.ts";

const small = defineEvent("tp:small", { number: u32 });
const PACKET_BYTES = 4096;

/** Copies some packets of a trace, without index files: snapshots have none. */
async function copySnapshot(
  from: string,
  to: string,
  packets: readonly [from: number, to: number],
): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  await Deno.copyFile(`${from}/metadata`, `${to}/metadata`);
  const bytes = await Deno.readFile(`${from}/channel0_0`);
  const [begin, end] = packets.map((packet) => packet * PACKET_BYTES);
  await Deno.writeFile(`${to}/channel0_0`, bytes.subarray(begin, end));
}

/** The numbers of all events below a directory, as they are read. */
async function numbersOf(directory: string): Promise<unknown[]> {
  using reader = await TraceReader.open(directory);
  return [...reader.messages()].filter((message) => message.kind === "event")
    .map((event) => event.payload?.[0]);
}

Deno.test("TraceReader reads packets that several snapshots have once", () =>
  withTraceDirectory(async (directory) => {
    const options = { subBufferSize: PACKET_BYTES, clock: steppingClock() };
    const whole = `${directory}/whole`;
    await recordTo(whole, options, async (tracer) => {
      for (let number = 0; number < 1500; number++) {
        tracer.record(small, { number });
        if (number % 100 === 0) await new Promise((go) => setTimeout(go));
      }
    });
    const numbers = await numbersOf(whole);
    const { size } = await Deno.stat(`${whole}/channel0_0`);
    assert(size >= 4 * PACKET_BYTES, `${size} bytes`);
    const snapshots = `${directory}/snapshots`;
    const last = size / PACKET_BYTES;
    await copySnapshot(whole, `${snapshots}/0`, [0, 2]);
    await copySnapshot(whole, `${snapshots}/1`, [0, 3]);
    await copySnapshot(whole, `${snapshots}/2`, [2, last]);
    assertEquals(await numbersOf(snapshots), numbers);
  }));
