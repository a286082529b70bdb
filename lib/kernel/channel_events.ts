/** The event classes of one channel: their numbers, their metadata, and what readers are told of them. */

import { printEventClass, printStreamClass } from "../ctf/metadata.ts";
import type { MetadataQueue } from "../ctf/metadata_queue.ts";
import type { EventFormat } from "./format.ts";
import type { CatalogEvent } from "./naming.ts";
import { observationOf } from "./observers.ts";
import { type EventPlan, payloadOf, type PlannedField } from "./plan.ts";
import type { ReaderEvent } from "./reader_messages.ts";
import { KernelTracingError } from "./tracefs.ts";

/** Numbers of event classes that fit their field. */
const EVENT_CLASSES_MAXIMUM = 65_535;

/** Declares the events of a channel, once each. */
export class ChannelEvents {
  readonly #channel: string;
  readonly #streamClassId: number;
  readonly #metadata: MetadataQueue;
  /** Numbers of the event classes, by LTTng's names. */
  readonly #classes = new Map<string, number>();
  /** What readers are to know, by tracefs's numbers. */
  readonly #events = new Map<number, ReaderEvent>();
  /** Events that they were not told of. */
  readonly #untold = new Set<number>();
  /** Whether the metadata has the stream class. */
  #isDeclared = false;

  constructor(
    channel: string,
    streamClassId: number,
    metadata: MetadataQueue,
  ) {
    this.#channel = channel;
    this.#streamClassId = streamClassId;
    this.#metadata = metadata;
  }

  /** Whether an event of this name has a class. */
  has(lttngName: string): boolean {
    return this.#classes.has(lttngName);
  }

  /**
   * Gives an event its class.
   *
   * @throws {KernelTracingError} where there are too many.
   */
  add(event: CatalogEvent, format: EventFormat, plan: EventPlan): void {
    if (this.#classes.has(event.lttngName)) return;
    const classId = this.#classes.size;
    if (classId >= EVENT_CLASSES_MAXIMUM) {
      throw new KernelTracingError(
        `Cannot enable ${event.lttngName}: channel ${this.#channel} has ` +
          `${EVENT_CLASSES_MAXIMUM} events`,
      );
    }
    this.#classes.set(event.lttngName, classId);
    const observation = observationOf(format);
    this.#tell({
      id: plan.id,
      size: plan.size,
      plan,
      classId,
      ...(observation === undefined ? {} : { observation }),
    });
    if (this.#isDeclared) this.#print(plan, classId);
  }

  /** Has an event looked at, where it tells of threads, and not recorded. */
  addHidden(format: EventFormat): void {
    const observation = observationOf(format);
    if (observation === undefined || this.#events.has(format.id)) return;
    this.#tell({ id: format.id, size: observation.size, observation });
  }

  /** Has records counted as known and nothing else. */
  addSilent(id: number): void {
    if (!this.#events.has(id)) this.#tell({ id, size: 0 });
  }

  /** Puts the stream class and its event classes into the metadata. */
  declare(context: readonly PlannedField[]): void {
    if (this.#isDeclared) return;
    this.#isDeclared = true;
    this.#metadata.append(
      printStreamClass(
        this.#streamClassId,
        "large",
        context.length === 0 ? undefined : payloadOf(context),
      ),
    );
    for (const { plan, classId } of this.#events.values()) {
      if (plan !== undefined) this.#print(plan, classId!);
    }
  }

  /** What readers must be told since the last call. */
  takeUntold(): ReaderEvent[] {
    const events = [...this.#untold].map((id) => this.#events.get(id)!);
    this.#untold.clear();
    return events;
  }

  #tell(event: ReaderEvent): void {
    this.#events.set(event.id, event);
    this.#untold.add(event.id);
  }

  #print({ name, fields }: EventPlan, classId: number): void {
    const payload = payloadOf(fields);
    this.#metadata.append(
      printEventClass({ name, payload }, classId, this.#streamClassId),
    );
  }
}
