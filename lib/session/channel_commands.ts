/** Channels made, switched on and off. */

import {
  type ChannelBlock,
  ChannelOutput,
  LossMode,
} from "../wire/sessiond/recording.ts";
import type { Context, Handlers } from "./command.ts";
import { refuse } from "./errors.ts";
import { checkDomain, checkOutput, kernelOf } from "./kernel_domain.ts";
import {
  type Channel,
  type ChannelAttributes,
  DEFAULT_CHANNEL,
} from "./recording_state.ts";
import type { KernelDomain, Session } from "./session.ts";

/** Attributes of a kernel channel that nobody set. */
const DEFAULTS = {
  subBufferSize: 1_048_576n,
  subBufferCount: 4n,
  switchTimer: 0,
  readTimer: 200_000,
  monitorTimer: 1_000_000n,
} as const;

const PAGE_BYTES = 4_096n;
/** Most bytes of ring buffers of one processor and channel. */
const RING_BYTES_MAXIMUM = 4n * 1024n * 1024n * 1024n;

export const channelCommands: Handlers<"DISABLE_CHANNEL" | "ENABLE_CHANNEL"> = {
  ENABLE_CHANNEL({ session: name, domain, channel: block }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    return session.inTurn(async () => {
      checkOutput(session);
      if (session.wasStarted) refuse("TRACE_ALREADY_STARTED");
      checkChannelName(block.name);
      const kernel = kernelOf(session, context);
      const channel = kernel.channels.get(block.name);
      if (channel?.isEnabled) refuse("KERN_CHAN_EXIST");
      if (channel !== undefined) {
        await channel.tracing.setEnabled(true);
        channel.isEnabled = true;
      } else makeChannel(session, kernel, attributesOf(session, block));
      return {};
    });
  },

  DISABLE_CHANNEL({ session: name, domain, channelName }, context) {
    const session = context.sessions.find(name, context.caller);
    if (session.kernel === undefined) refuse("NO_CHANNEL");
    checkDomain(domain.type, context);
    return session.inTurn(async () => {
      checkOutput(session);
      const channel = kernelOf(session, context).channels.get(channelName);
      if (channel === undefined) refuse("KERN_CHAN_NOT_FOUND");
      if (!channel.isEnabled) return {};
      await channel.tracing.setEnabled(false);
      channel.isEnabled = false;
      return {};
    });
  },
};

/** The channel of that name, made with default attributes where it is missing. */
export function channelFor(
  session: Session,
  kernel: KernelDomain,
  name: string,
): Channel {
  const channel = kernel.channels.get(name);
  if (channel !== undefined) return channel;
  if (session.wasStarted) refuse("TRACE_ALREADY_STARTED");
  checkChannelName(name);
  return makeChannel(session, kernel, {
    ...DEFAULTS,
    name,
    overwrite: session.isSnapshot,
    liveTimer: session.options.liveTimer,
    output: session.isSnapshot ? ChannelOutput.MMAP : ChannelOutput.SPLICE,
    traceFileSize: 0n,
    traceFileCount: 0n,
    blockingTimeout: 0n,
  });
}

function makeChannel(
  session: Session,
  kernel: KernelDomain,
  attributes: ChannelAttributes,
): Channel {
  checkBuffers(attributes);
  const tracing = kernel.tracing.addChannel({
    name: attributes.name,
    subBufferSize: Number(attributes.subBufferSize),
    subBufferCount: Number(attributes.subBufferCount),
    overwrite: attributes.overwrite,
    // A flight recorder: the kernel's ring buffers are all there is to it.
    readOnDemand: session.ring !== undefined,
    switchTimer: session.isLive ? 0 : attributes.switchTimer,
    readTimer: attributes.readTimer,
  });
  const channel: Channel = {
    attributes,
    tracing,
    rules: [],
    contexts: [],
    isEnabled: true,
  };
  kernel.channels.set(attributes.name, channel);
  if (attributes.name !== DEFAULT_CHANNEL) kernel.hasNamedChannel = true;
  return channel;
}

function attributesOf(
  session: Session,
  block: ChannelBlock,
): ChannelAttributes {
  const { isSnapshot, isLive } = session;
  const raised = (bytes: bigint) => bytes < PAGE_BYTES ? PAGE_BYTES : bytes;
  return {
    name: block.name,
    overwrite: block.overwrite === LossMode.DEFAULT
      ? isSnapshot
      : block.overwrite === LossMode.OVERWRITE,
    subBufferSize: raised(block.subBufferSize || DEFAULTS.subBufferSize),
    subBufferCount: block.subBufferCount || DEFAULTS.subBufferCount,
    switchTimer: isLive ? 0 : block.switchTimerInterval,
    readTimer: block.readTimerInterval,
    monitorTimer: block.monitorTimerInterval,
    liveTimer: session.options.liveTimer,
    output: isSnapshot ? ChannelOutput.MMAP : block.output,
    traceFileSize: block.traceFileSize,
    traceFileCount: block.traceFileCount,
    blockingTimeout: block.blockingTimeout,
  };
}

function checkChannelName(name: string): void {
  const isBad = name === "" || name.startsWith(".") || name.includes("/");
  if (isBad) refuse("INVALID_CHANNEL_NAME");
}

/** @throws {CommandError} KERN_CHAN_FAIL where no ring buffer is like that. */
function checkBuffers(attributes: ChannelAttributes): void {
  const { name, subBufferSize, subBufferCount, traceFileSize } = attributes;
  const isPower = (value: bigint) => (value & (value - 1n)) === 0n;
  const fail = (why: string) =>
    refuse("KERN_CHAN_FAIL", `Channel ${name}: ${why}`);
  if (!isPower(subBufferSize)) {
    fail(`sub-buffers of ${subBufferSize} bytes are no power of two`);
  }
  if (!isPower(subBufferCount) || subBufferCount < 2n) {
    fail(`${subBufferCount} sub-buffers are no power of two, or less than 2`);
  }
  const total = subBufferSize * subBufferCount;
  if (total > RING_BYTES_MAXIMUM) {
    fail(`ring buffers of ${total} bytes > ${RING_BYTES_MAXIMUM}`);
  }
  if (traceFileSize > 0n && traceFileSize < subBufferSize) {
    fail(`trace files of ${traceFileSize} bytes < ${subBufferSize}`);
  }
}

/** Session, kernel and channel names of a request about events. */
export interface EventPlace {
  readonly session: Session;
  readonly kernel: KernelDomain;
}

/** What requests about events begin with. */
export function eventPlace(session: Session, context: Context): EventPlace {
  checkOutput(session);
  return { session, kernel: kernelOf(session, context) };
}
