/** A channel of the kernel tracer, as the channel of a session. */

import type {
  KernelChannel,
  KernelEventRule,
  KernelStreamStatistics,
} from "../kernel/kernel_tracer.ts";
import type { KernelPlace } from "../kernel/probes.ts";
import { coded, codedError } from "./kernel_errors.ts";
import type {
  StreamStatistics,
  TracingChannel,
  TracingChannelAttributes,
  TracingRule,
} from "./tracer.ts";

/** One channel. */
export class KernelChannelTracing implements TracingChannel {
  readonly #channel: KernelChannel;
  readonly #attributes: TracingChannelAttributes;
  /** Rules that are to be in force, as long as the channel is. */
  #rules: TracingRule[] = [];
  #isEnabled = true;
  #isTracked = true;
  #statistics: readonly KernelStreamStatistics[] = [];

  constructor(
    channel: KernelChannel,
    readonly streamClassId: number,
    attributes: TracingChannelAttributes,
  ) {
    this.#channel = channel;
    this.#attributes = attributes;
  }

  async enable(rule: TracingRule): Promise<void> {
    if (this.#isOn) await this.#enable(rule);
    this.#rules.push(rule);
  }

  async disable(rule: TracingRule): Promise<void> {
    this.#rules = this.#rules.filter((one) => one !== rule);
    if (!this.#isOn) return;
    this.#disable(rule);
    // The kernel's channel takes back all of one name, whatever their filters.
    for (const other of this.#rules) {
      if (isSame(other, rule)) await this.#enable(other);
    }
  }

  async setEnabled(isEnabled: boolean): Promise<void> {
    const wasOn = this.#isOn;
    this.#isEnabled = isEnabled;
    await this.#switch(wasOn);
  }

  /** Whether any process is traced at all. */
  async setTracked(isTracked: boolean): Promise<void> {
    const wasOn = this.#isOn;
    this.#isTracked = isTracked;
    await this.#switch(wasOn);
  }

  addContext(name: string): void {
    coded("KERN_CONTEXT_FAIL", () => this.#channel.addContext(name));
  }

  statistics(): readonly StreamStatistics[] {
    const { overwrite, readOnDemand } = this.#attributes;
    return this.#statistics.map((
      { name, events, discarded, refused, pending },
    ) => {
      // A flight recorder that overwrites does what it is there for.
      const lost = overwrite && readOnDemand ? 0 : discarded;
      return {
        name,
        pending,
        recorded: events,
        discarded: lost + refused,
        // The kernel counts events that it overwrote, not packets; clients show
        // lost packets alone of such a channel.
        lostPackets: overwrite && lost > 0 ? 1 : 0,
      };
    });
  }

  /** Asks for the counts. */
  async refresh(): Promise<void> {
    this.#statistics = await this.#channel.streamStatistics();
  }

  get #isOn(): boolean {
    return this.#isEnabled && this.#isTracked;
  }

  async #switch(wasOn: boolean): Promise<void> {
    if (this.#isOn === wasOn) return;
    const done: TracingRule[] = [];
    for (const rule of this.#rules) {
      if (this.#isOn) await this.#enable(rule);
      else if (!done.some((other) => isSame(other, rule))) this.#disable(rule);
      done.push(rule);
    }
  }

  async #enable(rule: TracingRule): Promise<void> {
    try {
      await this.#channel.enable(kernelRule(rule));
    } catch (error) {
      throw codedError("KERN_ENABLE_FAIL", error);
    }
  }

  #disable({ kind, pattern }: TracingRule): void {
    coded(
      "KERN_DISABLE_FAIL",
      () => this.#channel.disable({ kind, pattern }),
    );
  }
}

function isSame(one: TracingRule, other: TracingRule): boolean {
  return one.kind === other.kind && one.pattern === other.pattern;
}

function kernelRule(rule: TracingRule): KernelEventRule {
  const { pattern } = rule;
  const filter = rule.filter === undefined ? {} : { filter: rule.filter };
  switch (rule.kind) {
    case "tracepoint":
    case "syscall":
      return { kind: rule.kind, pattern, ...filter };
    case "probe":
    case "function":
      return { kind: rule.kind, pattern, place: placeOf(rule), ...filter };
    case "userspace probe": {
      const { kind, path, functionName, provider, probe } = rule;
      return {
        ...{ kind, pattern, path, ...filter },
        place: functionName !== ""
          ? { kind: "function", symbol: functionName }
          : { kind: "tracepoint", provider, name: probe },
      };
    }
  }
}

function placeOf(
  { symbol, offset, address }: Extract<TracingRule, { symbol: string }>,
): KernelPlace {
  return symbol === "" ? { address } : { symbol, offset };
}
