/** Puts the messages of streams that still grow in order of time. */

import type { EventSource } from "./event_source.ts";
import { Merge } from "./merge.ts";

/**
 * Hands out a message when no earlier one can come: each stream has one too,
 * or is known to have none before.
 */
export class GrowingMerge {
  readonly #merge = new Merge();
  /** Streams that are not waited for until they have a message. */
  readonly #silent = new Set<EventSource>();

  /** Adds a stream; its messages may come before what was handed out. */
  add(source: EventSource): void {
    source.advance();
    this.#merge.add(source);
  }

  /** Whether no stream can have any more messages. */
  get isEnded(): boolean {
    return this.#merge.head === undefined && this.#silent.size === 0;
  }

  /**
   * The sources that stand at the messages whose turn it is now. A stream of
   * which `isSilent` says so is not waited for.
   */
  *ready(
    isSilent: (source: EventSource) => boolean = () => false,
  ): Generator<EventSource, void, undefined> {
    const merge = this.#merge;
    this.#recall();
    for (let head = merge.head; head; head = merge.head) {
      if (head.hasMessage) {
        yield head;
        head.advance();
        merge.moveHead();
      } else if (head.advance() || head.wait()) merge.moveHead();
      else if (head.isEnded) merge.removeHead();
      else if (isSilent(head)) {
        merge.removeHead();
        this.#silent.add(head);
      } else return;
    }
  }

  /** Brings back silent streams that have something to say. */
  #recall(): void {
    for (const source of this.#silent) {
      if (!source.advance() && !source.isEnded) continue;
      this.#silent.delete(source);
      this.#merge.add(source);
    }
  }
}
