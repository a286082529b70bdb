/** What is to be recorded: channels, event rules, contexts, as configured. */

import type { Node } from "../control/filter/parser.ts";
import type { ContextBlock, EventBlock } from "../wire/sessiond/recording.ts";
import type { TracingChannel, TracingRule } from "./tracer.ts";

/** A channel's attributes; times in microseconds. */
export interface ChannelAttributes {
  readonly name: string;
  readonly overwrite: boolean;
  readonly subBufferSize: bigint;
  readonly subBufferCount: bigint;
  readonly switchTimer: number;
  readonly readTimer: number;
  readonly monitorTimer: bigint;
  readonly liveTimer: number;
  readonly output: number;
  readonly traceFileSize: bigint;
  readonly traceFileCount: bigint;
  readonly blockingTimeout: bigint;
}

/** An event rule. */
export interface Rule {
  /** As the client sent it, without its bytecode. */
  readonly block: EventBlock;
  /** The bytecode that came with the filter. */
  readonly bytecode: Uint8Array;
  readonly filter: Node | undefined;
  readonly tracing: TracingRule;
  isEnabled: boolean;
}

/** A context, and what the tracer calls it. */
export interface Context {
  readonly block: ContextBlock;
  readonly name: string;
}

/** One channel. */
export interface Channel {
  readonly attributes: ChannelAttributes;
  readonly tracing: TracingChannel;
  readonly rules: Rule[];
  readonly contexts: Context[];
  isEnabled: boolean;
}

/** The channel that is meant where none is named. */
export const DEFAULT_CHANNEL = "channel0";
