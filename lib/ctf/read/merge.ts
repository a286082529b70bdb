/** Puts the messages of many streams in order of time. */

import type { EventSource } from "./event_source.ts";

/**
 * A heap of sources, the one with the earliest message at its head. A source
 * without a message stands at its last time: nothing later can come before it.
 */
export class Merge {
  readonly #nodes: EventSource[] = [];

  /** The source whose message is next; nothing where there are no sources. */
  get head(): EventSource | undefined {
    return this.#nodes[0];
  }

  /** Adds a source. */
  add(node: EventSource): void {
    const nodes = this.#nodes;
    let at = nodes.length;
    nodes.push(node);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(node, nodes[parent]!)) break;
      nodes[at] = nodes[parent]!;
      at = parent;
    }
    nodes[at] = node;
  }

  /** Puts the head where it belongs, after it has gone on. */
  moveHead(): void {
    this.#sink(this.#nodes[0]!);
  }

  /** Removes the head. */
  removeHead(): void {
    const last = this.#nodes.pop()!;
    if (this.#nodes.length > 0) this.#sink(last);
  }

  /** Puts `node` where it belongs, from the head on. */
  #sink(node: EventSource): void {
    const nodes = this.#nodes;
    const { length } = nodes;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const other = child + 1;
      if (other < length && isBefore(nodes[other]!, nodes[child]!)) child++;
      if (!isBefore(nodes[child]!, node)) break;
      nodes[at] = nodes[child]!;
      at = child;
    }
    nodes[at] = node;
  }
}

function isBefore(a: EventSource, b: EventSource): boolean {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds;
  if (a.nanoseconds !== b.nanoseconds) return a.nanoseconds < b.nanoseconds;
  return a.order < b.order;
}
