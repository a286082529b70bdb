/** What the live tests have in common: a live session, and what is right in the end. */

import { assert, assertEquals } from "@std/assert";
import { readTrace } from "../support/babeltrace.ts";
import type { LiveViewer } from "../support/live_viewer.ts";
import { traceDirectories } from "../support/trees.ts";
import type { World } from "./scenario.ts";

/** The live timer where a test does not say, in microseconds. */
export const TIMER = 100_000;

/** Options of a live session. */
export interface LiveOptions {
  readonly name?: string;
  /** Microseconds. */
  readonly timer?: number;
  /** Arguments of `lttng enable-channel` after domain and name. */
  readonly channel?: readonly string[];
}

/** Creates and starts a live session, and returns its name. */
export async function startLive(
  world: World,
  options: LiveOptions = {},
): Promise<string> {
  const { name = "demo", timer = TIMER, channel = [] } = options;
  await world.start(name, {
    create: [`--live=${timer}`, `--set-url=${world.url()}`],
    channel,
  });
  return name;
}

/** `from`, `from + 1`, … `to - 1`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** The events that a viewer printed when all were to be seen, each once. */
export async function assertPrinted(
  viewer: LiveViewer,
  expected: readonly number[],
): Promise<void> {
  assertEquals(await viewer.values(), expected);
  // Neither lost nor discarded, and nothing that it did not understand.
  assertEquals(viewer.errors, "");
}

/**
 * The events from `from` on that a viewer printed, where those before may or
 * may not have come before it; none of those twice either.
 */
export async function assertPrintedFrom(
  viewer: LiveViewer,
  from: number,
  to: number,
): Promise<void> {
  const values = await viewer.values();
  assertEquals(values.filter((value) => value >= from), range(from, to));
  assertIncreasing(values);
}

/** Fails where an event comes twice, or after a later one. */
export function assertIncreasing(values: readonly number[]): void {
  values.forEach((value, at) => {
    const before = values[at - 1] ?? -1;
    assert(value > before, `event ${value} after ${before}`);
  });
}

/** Checks how many events babeltrace2 finds in what is stored. */
export async function assertStored(
  world: World,
  expected: number,
): Promise<void> {
  await world.settle();
  let events = 0;
  for (const directory of await traceDirectories(world.output)) {
    const reading = await readTrace(`${world.output}/${directory}`);
    assertEquals(reading.code, 0, reading.errors);
    assertEquals(reading.discardedEvents + reading.discardedPackets, 0);
    events += reading.events.length;
  }
  assertEquals(events, expected, "events stored");
}
