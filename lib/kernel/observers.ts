/** Events that tell of threads: they keep the table of threads up to date. */

import type { EventFormat, FormatField, PageLayout } from "./format.ts";
import { located, spanOf } from "./copy.ts";
import type { PageReader } from "./page.ts";
import { type Place, placeOf } from "./plan.ts";
import type { ThreadTable } from "./threads.ts";

/** Takes what the record on which `page` stands says of threads. */
export type RecordObserver = (page: PageReader, threads: ThreadTable) => void;

/** The events that are worth a look, by `system:name`. */
export const OBSERVED_EVENTS: readonly string[] = [
  "sched:sched_switch",
  "sched:sched_process_free",
  "task:task_newtask",
  "task:task_rename",
];

/** Those without which forks cannot be told from new threads. */
export const FORK_EVENTS: readonly string[] = ["task:task_newtask"];

/** `MAX_RT_PRIO`: what LTTng takes from a priority. */
const PRIORITY_SHIFT = 100;

/** Where the fields that an observer reads lie; plain data. */
export interface Observation {
  /** `system:name`. */
  readonly event: string;
  readonly id: number;
  readonly size: number;
  readonly places: Readonly<Record<string, Place>>;
}

/** How to observe an event; `undefined` where it tells nothing of threads. */
export function observationOf(format: EventFormat): Observation | undefined {
  const event = `${format.system}:${format.name}`;
  if (!OBSERVED_EVENTS.includes(event)) return undefined;
  const fields: readonly FormatField[] = [...format.fields, ...format.common];
  const places: Record<string, Place> = {};
  let size = 0;
  for (const field of fields) {
    places[field.name] = placeOf(field);
    size = Math.max(size, field.offset + field.size);
  }
  return { event, id: format.id, size, places };
}

/** The function that observes an event. */
export function makeObserver(
  { event, places }: Observation,
  layout: PageLayout,
): RecordObserver {
  const little = layout.littleEndian;
  function number(name: string): (page: PageReader) => number {
    const at = places[name]?.at;
    if (at === undefined) return () => 0;
    return ({ view, at: start }) => view.getInt32(start + at, little);
  }
  const name = (field: string) => nameSetter(places[field], little);
  switch (event) {
    case "sched:sched_switch":
      return observeSwitch(number, name("next_comm"));
    case "task:task_newtask": {
      const tid = number("pid");
      const parent = number("common_pid");
      // The flags are a long, in whose low half CLONE_THREAD lies.
      const flags = lowHalf(places["clone_flags"], layout);
      return (page, threads) =>
        threads.forked(parent(page), tid(page), flags(page));
    }
    case "task:task_rename": {
      const tid = number("pid");
      const set = name("newcomm");
      return (page, threads) => set(page, threads, tid(page));
    }
    case "sched:sched_process_free": {
      const tid = number("pid");
      return (page, threads) => threads.freed(tid(page));
    }
    default:
      return () => {};
  }
}

type NameSetter = (page: PageReader, threads: ThreadTable, tid: number) => void;

function observeSwitch(
  number: (name: string) => (page: PageReader) => number,
  setName: NameSetter,
): RecordObserver {
  const tid = number("next_pid");
  const prio = number("next_prio");
  return (page, threads) => {
    const next = tid(page);
    if (next === 0) return;
    setName(page, threads, next);
    threads.prioritized(next, prio(page) - PRIORITY_SHIFT);
  };
}

function lowHalf(
  place: Place | undefined,
  layout: PageLayout,
): (page: PageReader) => number {
  if (place === undefined) return () => 0;
  const skipped = !layout.littleEndian && layout.longSize === 8 ? 4 : 0;
  const at = place.at + skipped;
  return ({ view, at: start }) =>
    view.getUint32(start + at, layout.littleEndian);
}

function nameSetter(place: Place | undefined, little: boolean): NameSetter {
  if (place === undefined) return () => {};
  return (page, threads, tid) => {
    const { view, at, size } = page;
    const span = place.kind === "located"
      ? located(view, at, size, at + place.at, at, little)
      : spanOf(at + place.at, place.kind === "static" ? place.size : 0);
    const { from, to } = span;
    threads.renamed(tid, view, from, to);
  };
}
