/** Carries a plan out without sockets and time: replies come from a fake. */

import type { LiveItem } from "../../../lib/viewer/items.ts";
import type { Plan } from "../../../lib/viewer/plan.ts";
import type { FakeRelay } from "./fake_relay.ts";

/** Steps after which a plan that gives nothing is taken for endless. */
const STEPS = 200_000;

/** One plan under test. */
export class PlanRun<T> {
  /** Milliseconds; pauses move it, and so does each command. */
  now = 0;
  /** What a command takes, milliseconds. */
  commandMs = 0;
  readonly pauses: number[] = [];
  readonly #relay: Pick<FakeRelay, "answer">;
  readonly #plan: Plan<T>;
  #outcome: unknown;
  /** What the plan returned. */
  result: T | undefined;
  ended = false;

  constructor(
    relay: Pick<FakeRelay, "answer">,
    plan: (now: () => number) => Plan<T>,
  ) {
    this.#relay = relay;
    this.#plan = plan(() => this.now);
  }

  /** The next item; undefined at the end, or after `pauses` more pauses. */
  next(pauses = Infinity): LiveItem | undefined {
    for (let step = 0; step < STEPS; step++) {
      const { done, value } = this.#plan.next(this.#outcome);
      this.#outcome = undefined;
      if (done) {
        this.ended = true;
        this.result = value;
        return undefined;
      }
      if (value.kind === "give") return value.item;
      if (value.kind === "ask") {
        this.now += this.commandMs;
        this.#outcome = this.#relay.answer(value.name, value.request);
        continue;
      }
      this.now += value.milliseconds;
      this.pauses.push(value.milliseconds);
      if (--pauses <= 0) return undefined;
    }
    throw new Error(`${STEPS} steps and no item`);
  }

  /** All items up to the end, or until `pauses` pauses were made. */
  items(pauses = Infinity): LiveItem[] {
    const items: LiveItem[] = [];
    const before = this.pauses.length;
    while (this.pauses.length - before < pauses) {
      const item = this.next(pauses - (this.pauses.length - before));
      if (item !== undefined) items.push(item);
      else if (this.ended) break;
    }
    return items;
  }

  /** The same as text, `idle` left out. */
  texts(pauses = Infinity): string[] {
    return this.items(pauses).map(textOf).filter((text) => text !== "idle");
  }
}

/** One item in words: `packet 2 at 10`. */
export function textOf(item: LiveItem): string {
  switch (item.kind) {
    case "idle":
      return "idle";
    case "session":
      return `session ${item.session.id}`;
    case "session-ended":
      return `session-ended ${item.session.id} ${item.reason}`;
    case "stream":
      return `stream ${item.stream.id}`;
    case "stream-ended":
      return `stream-ended ${item.stream.id} ${item.reason}`;
    case "metadata":
      return `metadata ${item.stream.id} ${
        new TextDecoder().decode(item.bytes)
      }`;
    case "packet":
      return `packet ${item.stream.id} at ${item.index.timestampBegin}`;
    case "packet-lost":
      return `packet-lost ${item.stream.id} at ${item.index.timestampBegin} ${item.reason}`;
    case "inactive":
      return `inactive ${item.stream.id} until ${item.timestampEnd}`;
  }
}
