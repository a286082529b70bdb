/** `lttng enable-channel`: makes channels, or enables them again. */

import type {
  BufferingScheme,
  ChannelOutputName,
  EventLossMode,
} from "../../control/names.ts";
import type { ChannelAttributes } from "../../control/recording_types.ts";
import type { Given } from "../lttng/arguments.ts";
import { type CommandValues, defineCommand } from "../lttng/command.ts";
import {
  HELP,
  KERNEL,
  LIST_OPTIONS,
  requireDomain,
  SESSION,
  USERSPACE,
} from "../lttng/common_options.ts";
import type { Console } from "../lttng/console.ts";
import {
  fits32,
  nextPowerOfTwo,
  parseCount,
  parseSize,
  parseTime,
} from "../lttng/quantity.ts";
import { reportChannel } from "../lttng/recording_report.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

const SIZE_FORM = "k, M or G may stand behind it";
const TIME_FORM = "microseconds, or with us, ms, s, m (minutes) or h behind it";

/** Longest name, in bytes. */
const NAME_MAXIMUM = 255;
const UINT64_MAXIMUM = 2n ** 64n - 1n;

const OPTIONS = [
  HELP,
  SESSION,
  KERNEL,
  USERSPACE,
  {
    name: "discard",
    kind: "switch",
    help: "When the ring buffers are full, discard new events. This is the " +
      "default, but for snapshot sessions.",
  },
  {
    name: "overwrite",
    kind: "switch",
    help: "When the ring buffers are full, overwrite the oldest events.",
  },
  {
    name: "subbuf-size",
    kind: "value",
    valueName: "SIZE",
    defaultText: "512k; 16k with --buffers-pid; 1M with --kernel",
    help: `Size of one sub-buffer, a power of two; ${SIZE_FORM}.`,
    read: readSubBufferSize,
  },
  {
    name: "num-subbuf",
    kind: "value",
    valueName: "COUNT",
    defaultText: "4",
    help: "Sub-buffers of each ring buffer, a power of two.",
    read: readSubBufferCount,
  },
  {
    name: "switch-timer",
    kind: "value",
    valueName: "TIME",
    defaultText: "0, never",
    help: `Hand out what sub-buffers hold so often: ${TIME_FORM}.`,
    read: (text: string) => readTimer32("switch-timer", text),
  },
  {
    name: "monitor-timer",
    kind: "value",
    valueName: "TIME",
    defaultText: "1s",
    help: `Look how full the ring buffers are so often: ${TIME_FORM}.`,
    read: (text: string) => readTimer("monitor-timer", text),
  },
  {
    name: "read-timer",
    kind: "value",
    valueName: "TIME",
    defaultText: "0, never; 200ms with --kernel",
    help: `Look for full sub-buffers so often: ${TIME_FORM}.`,
    read: (text: string) => readTimer32("read-timer", text),
  },
  LIST_OPTIONS,
  {
    name: "output",
    kind: "value",
    valueName: "TYPE",
    defaultText: "mmap; splice with --kernel",
    help: "How packets leave the ring buffers: mmap or splice.",
  },
  {
    name: "buffers-uid",
    kind: "switch",
    help: "One ring buffer for each user: the default with --userspace.",
  },
  {
    name: "buffers-pid",
    kind: "switch",
    help: "One ring buffer for each process.",
  },
  {
    name: "buffers-global",
    kind: "switch",
    help: "One ring buffer for all: the default with --kernel.",
  },
  {
    name: "tracefile-size",
    short: "C",
    kind: "value",
    valueName: "SIZE",
    defaultText: "0, no bound",
    help: `Begin a new file at this size; ${SIZE_FORM}.`,
    read: readTraceFileSize,
  },
  {
    name: "tracefile-count",
    short: "W",
    kind: "value",
    valueName: "COUNT",
    defaultText: "0, no bound",
    help: "Keep so many files of each stream, the newest.",
    read: readTraceFileCount,
  },
  {
    name: "blocking-timeout",
    kind: "value",
    valueName: "TIME",
    defaultText: "0",
    help: "How long programs that allow it wait for room: inf, or " +
      `${TIME_FORM}.`,
    read: readBlockingTimeout,
  },
] as const;

type Values = CommandValues<typeof OPTIONS>;

export const enableChannel = defineCommand({
  name: "enable-channel",
  group: "Channels",
  help: "Create or enable a channel",
  usage: ["(--kernel | --userspace) [OPTION]... CHANNEL[,CHANNEL]..."],
  about:
    "Makes channels of a session, or enables those that were disabled. A " +
    "channel is a set of ring buffers with its own size and its own event " +
    "rules.",
  examples: [
    [
      "lttng enable-channel --userspace big --subbuf-size=4M --num-subbuf=8",
      "Room for bursts: 32 MiB for each CPU.",
    ],
  ],
  options: OPTIONS,
  run: async (run, values, args, given) => {
    const domain = requireDomain(values, false) === "kernel" ? "kernel" : "ust";
    const timeout = values["blocking-timeout"] ?? 0;
    const eventLossMode = lossMode(given);
    if (eventLossMode === "overwrite" && timeout !== 0) {
      refuse(
        "You cannot specify --overwrite and --blocking-timeout=N, where N is " +
          "different than 0",
      );
    }
    return await run.reported(async (output) => {
      const [names] = args;
      if (names === undefined) refuse("Missing channel name.");
      run.refuseMore(args, 1);
      const session = run.session(values.session);
      const attributes = {
        ...channelAttributes(run.say, values, domain),
        eventLossMode,
      };
      const channels = output.add("channels");
      let status: number = Status.OK;
      for (const name of names.split(",").filter((name) => name !== "")) {
        const one = { ...attributes, name };
        const result = await enable(run, channels, session, domain, one);
        if (status === Status.OK || result === Status.WARNING) status = result;
      }
      return status;
    });
  },
});

function refuse(message: string): never {
  throw new CommandFailure(message);
}

/** Whichever comes last counts. */
function lossMode(given: readonly Given[]): EventLossMode | undefined {
  for (const { option } of given.toReversed()) {
    if (option.name === "discard" || option.name === "overwrite") {
      return option.name;
    }
  }
  return undefined;
}

/** Attributes of all channels, as they are asked for. */
interface Attributes extends ChannelAttributes {
  readonly bufferType: BufferingScheme;
  readonly subBufferSize: number;
}

function channelAttributes(
  say: Console,
  values: Values,
  domain: "kernel" | "ust",
): Omit<Attributes, "name"> {
  const bufferType = bufferTypeOf(values, domain);
  const subBufferSize = Number(
    values["subbuf-size"] ?? DEFAULT_SIZES[bufferType],
  );
  let traceFileSize = Number(values["tracefile-size"] ?? 0n);
  const traceFileCount = values["tracefile-count"] ?? 0;
  if (traceFileSize === 0 && traceFileCount > 0) {
    refuse(
      "Missing option --tracefile-size. A file count without a size won't do " +
        "anything.",
    );
  }
  if (traceFileSize > 0 && traceFileSize < subBufferSize) {
    say.warning(
      `Tracefile size rounded up from (${traceFileSize}) to subbuffer size ` +
        `(${subBufferSize})`,
    );
    traceFileSize = subBufferSize;
  }
  return {
    ...{ bufferType, subBufferSize, traceFileSize, traceFileCount },
    subBufferCount: numberOf(values["num-subbuf"]),
    switchTimerInterval: values["switch-timer"],
    readTimerInterval: values["read-timer"],
    monitorTimerInterval: values["monitor-timer"],
    blockingTimeout: values["blocking-timeout"],
    output: outputOf(values.output),
  };
}

const DEFAULT_SIZES: Readonly<Record<BufferingScheme, bigint>> = {
  global: 1_048_576n,
  "per-uid": 524_288n,
  "per-pid": 16_384n,
};

function numberOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function bufferTypeOf(
  values: Values,
  domain: "kernel" | "ust",
): BufferingScheme {
  if (domain === "kernel") {
    if (values["blocking-timeout"] !== undefined) {
      refuse("Retry timeout option not supported for kernel domain (-k)");
    }
    if (values["buffers-uid"] || values["buffers-pid"]) {
      refuse("Buffer type not supported for domain -k");
    }
    return "global";
  }
  if (values["buffers-pid"]) return "per-pid";
  if (values["buffers-global"]) {
    refuse("Buffer type not supported for domain -u");
  }
  return "per-uid";
}

function outputOf(text: string | undefined): ChannelOutputName | undefined {
  if (text === undefined) return undefined;
  for (const output of ["mmap", "splice"] as const) {
    if (text.startsWith(output)) return output;
  }
  refuse(
    `Unknown output type ${text}. Possible values are: mmap, splice\n`,
  );
}

async function enable(
  run: Run,
  channels: ReportElement,
  session: string,
  domain: "kernel" | "ust",
  attributes: Attributes,
): Promise<number> {
  const { name } = attributes;
  const status = await ask(run, session, domain, attributes);
  reportChannel(channels, reported(attributes, domain)).fields({
    success: status === Status.OK,
  });
  if (status === Status.OK) {
    run.say.message(
      `${domain} channel ${name} enabled for session ${session}`,
    );
  }
  return status;
}

async function ask(
  run: Run,
  session: string,
  domain: "kernel" | "ust",
  attributes: Attributes,
): Promise<number> {
  const { name } = attributes;
  if (new TextEncoder().encode(name).length > NAME_MAXIMUM) {
    run.say.error(
      `Channel name is too long (max. ${NAME_MAXIMUM} characters)`,
    );
    return Status.ERROR;
  }
  try {
    await run.ask((daemon) =>
      daemon.enableChannel(session, domain, attributes)
    );
    return Status.OK;
  } catch (error) {
    if (hasCode(error, "KERN_CHAN_EXIST", "UST_CHAN_EXIST", "CHAN_EXIST")) {
      run.say.warning(`Channel ${name}: ${error.text} (session ${session})`);
      return Status.WARNING;
    }
    const isName = hasCode(error, "INVALID_CHANNEL_NAME");
    run.failWith(
      error,
      (text) =>
        isName
          ? `Invalid channel name: "${name}". Channel names may not start with ` +
            "'.', and may not contain '/'."
          : `Channel ${name}: ${text} (session ${session})`,
    );
    return Status.ERROR;
  }
}

/** The live timer is the session's: LTTng says it is unset. */
const TIMER_UNSET = 0xFFFF_FFFF;

function reported(attributes: Attributes, domain: "kernel" | "ust") {
  return {
    name: attributes.name,
    enabled: true,
    // "As the session has it" is reported like this.
    overwrite: attributes.eventLossMode !== "discard",
    subBufferSize: attributes.subBufferSize,
    subBufferCount: attributes.subBufferCount ?? 4,
    switchTimerInterval: attributes.switchTimerInterval ?? 0,
    readTimerInterval: attributes.readTimerInterval ??
      (domain === "kernel" ? 200_000 : 0),
    monitorTimerInterval: attributes.monitorTimerInterval ?? 1_000_000,
    blockingTimeout: attributes.blockingTimeout ?? 0,
    output: attributes.output ?? (domain === "kernel" ? "splice" : "mmap"),
    traceFileSize: attributes.traceFileSize ?? 0,
    traceFileCount: attributes.traceFileCount ?? 0,
    liveTimerInterval: TIMER_UNSET,
    discardedEvents: 0n,
    lostPackets: 0n,
  } as const;
}

// ---- Reading values -----------------------------------------------------------

function readSubBufferSize(text: string, say: Console): bigint {
  const size = parseSize(text);
  if (size === undefined || size === 0n) {
    refuse(`Wrong value in --subbuf-size parameter: ${text}`);
  }
  return rounded(size, "subbuf size", say);
}

function readSubBufferCount(text: string, say: Console): bigint {
  const count = parseCount(text);
  if (count === undefined || count === 0n) {
    refuse(`Wrong value in --num-subbuf parameter: ${text}`);
  }
  return rounded(count, "number of subbuffers", say);
}

function rounded(value: bigint, what: string, say: Console): bigint {
  const power = nextPowerOfTwo(value);
  if (power > UINT64_MAXIMUM) {
    refuse(`The ${what} (${value}) is rounded and overflows!`);
  }
  if (power !== value) {
    say.warning(
      `The ${what} (${value}) is rounded to the next power of 2 (${power})`,
    );
  }
  return power;
}

function readTimer(option: string, text: string): number {
  const time = parseTime(text);
  if (time === undefined) {
    refuse(`Wrong value for --${option} parameter: ${text}`);
  }
  return Number(time);
}

function readTimer32(option: string, text: string): number {
  const time = readTimer(option, text);
  if (!fits32(BigInt(time))) {
    refuse(`32-bit overflow in --${option} parameter: ${text}`);
  }
  return time;
}

function readBlockingTimeout(text: string): number {
  if (text === "inf") return Infinity;
  const time = readTimer("blocking-timeout", text);
  const milliseconds = Math.floor(time / 1_000);
  if (milliseconds !== (milliseconds | 0)) {
    refuse(
      `32-bit milliseconds overflow in --blocking-timeout parameter: ${text}`,
    );
  }
  return time;
}

function readTraceFileSize(text: string): bigint {
  return parseSize(text) ??
    refuse(`Wrong value in --tracefile-size parameter: ${text}`);
}

function readTraceFileCount(text: string): number {
  const count = parseCount(text);
  if (count === undefined) {
    refuse(`Wrong value in --tracefile-count parameter: ${text}`);
  }
  if (!fits32(count)) {
    refuse(`32-bit overflow in --tracefile-count parameter: ${text}`);
  }
  return Number(count);
}
