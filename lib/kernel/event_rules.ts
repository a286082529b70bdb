/** The event rules of a channel, and what they mean for each event: enabled or not, and its filter. */

import {
  type FilterError,
  toTracefsFilter,
  UnknownFieldError,
} from "./filter.ts";
import type { EventFormat } from "./format.ts";
import type { KernelEventRule } from "./kernel_tracer.ts";
import {
  type CatalogEvent,
  type EventCatalog,
  globMatcher,
  type TracefsEvent,
  tracefsName,
} from "./naming.ts";
import type { EventPlan } from "./plan.ts";
import { KernelTracingError } from "./tracefs.ts";

/** What is to be done about one event. */
export interface EventChange {
  readonly event: CatalogEvent;
  readonly isWanted: boolean;
  /** In tracefs's language; unset: all of its records. */
  readonly filter?: string;
}

/** Format and plan of an event. */
export type EventLookup = (
  event: CatalogEvent,
) => { readonly format: EventFormat; readonly plan: EventPlan };

/** A rule, and the events for which it stands with the filter of each. */
interface AppliedRule {
  readonly rule: KernelEventRule;
  readonly filters: ReadonlyMap<CatalogEvent, string | undefined>;
}

/** Rules of one channel. An event with several is recorded where any holds. */
export class EventRules {
  readonly #catalog: EventCatalog;
  readonly #lookup: EventLookup;
  #rules: AppliedRule[] = [];

  constructor(catalog: EventCatalog, lookup: EventLookup) {
    this.#catalog = catalog;
    this.#lookup = lookup;
  }

  /** Whether any rule stands for the event. */
  isEnabled(event: TracefsEvent): boolean {
    const name = tracefsName(event);
    return this.#rules.some(({ filters }) =>
      [...filters.keys()].some((each) => tracefsName(each) === name)
    );
  }

  /**
   * Adds a rule; returns what it changes. `events` are those of the catalogue
   * that it means, unless they were made for it.
   *
   * @throws {KernelTracingError} where no event is meant.
   * @throws {FilterError} where none of them can be filtered so.
   */
  add(
    rule: KernelEventRule,
    events: readonly CatalogEvent[] = this.#eventsOf(rule),
  ): EventChange[] {
    if (events.length === 0) throw new KernelTracingError(noEvent(rule));
    const filters = this.#filtersOf(rule, events);
    this.#rules.push({ rule, filters });
    return [...filters.keys()].map((event) => this.#stateOf(event));
  }

  /**
   * Takes back the rules of this kind and pattern; returns what that changes.
   *
   * @throws {KernelTracingError} where there is none.
   */
  remove(
    { kind, pattern }: Pick<KernelEventRule, "kind" | "pattern">,
  ): EventChange[] {
    const isMeant = ({ rule }: AppliedRule) =>
      rule.kind === kind && rule.pattern === pattern;
    const removed = this.#rules.filter(isMeant);
    if (removed.length === 0) {
      throw new KernelTracingError(
        `Cannot disable ${JSON.stringify(pattern)}: no ${kind} was enabled ` +
          `under this name`,
      );
    }
    this.#rules = this.#rules.filter((applied) => !isMeant(applied));
    const events = new Set(removed.flatMap(({ filters }) => [
      ...filters.keys(),
    ]));
    return [...events].map((event) => this.#stateOf(event));
  }

  #eventsOf(rule: KernelEventRule): CatalogEvent[] {
    if (rule.kind === "syscall") {
      const phase = rule.phase ?? "both";
      return this.#catalog.syscalls(rule.pattern).filter(({ kind }) =>
        phase === "both" || kind === `syscall ${phase}`
      );
    }
    if (rule.kind !== "tracepoint") return [];
    const excluded = (rule.exclusions ?? []).map(globMatcher);
    return this.#catalog.tracepoints(rule.pattern).filter(({ lttngName }) =>
      !excluded.some((matches) => matches(lttngName))
    );
  }

  #filtersOf(
    rule: KernelEventRule,
    events: readonly CatalogEvent[],
  ): Map<CatalogEvent, string | undefined> {
    const filters = new Map<CatalogEvent, string | undefined>();
    let refusal: FilterError | undefined;
    for (const event of events) {
      if (rule.filter === undefined) {
        filters.set(event, undefined);
        continue;
      }
      const { format, plan } = this.#lookup(event);
      try {
        const scope = { format, fields: plan.fields };
        filters.set(event, toTracefsFilter(rule.filter, scope));
      } catch (error) {
        // Where a pattern means many events, one without the field never passes.
        if (!(error instanceof UnknownFieldError)) throw error;
        refusal ??= error;
      }
    }
    if (filters.size === 0 && refusal !== undefined) throw refusal;
    return filters;
  }

  #stateOf(event: CatalogEvent): EventChange {
    const filters: (string | undefined)[] = [];
    for (const rule of this.#rules) {
      if (rule.filters.has(event)) filters.push(rule.filters.get(event));
    }
    if (filters.length === 0) return { event, isWanted: false };
    if (filters.includes(undefined)) return { event, isWanted: true };
    const filter = filters.length === 1
      ? filters[0]!
      : filters.map((each) => `(${each})`).join(" || ");
    return { event, isWanted: true, filter };
  }
}

function noEvent(
  { kind, pattern }: Pick<KernelEventRule, "kind" | "pattern">,
): string {
  const what = kind === "syscall" ? "system call" : "tracepoint";
  return `Cannot enable ${JSON.stringify(pattern)}: this kernel has no such ` +
    `${what}: "lttng list --kernel${kind === "syscall" ? " --syscall" : ""}" ` +
    `shows what it has`;
}
