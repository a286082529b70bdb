/** Event rules and contexts of channels. */

import { FilterError } from "../control/filter/error.ts";
import { type Node, parseFilter } from "../control/filter/parser.ts";
import {
  type EventBlock,
  EventType,
  LogLevelType,
} from "../wire/sessiond/recording.ts";
import type { Context, Handlers } from "./command.ts";
import { channelFor, eventPlace } from "./channel_commands.ts";
import { contextName } from "./context_name.ts";
import { refuse } from "./errors.ts";
import { channelName, checkDomain } from "./kernel_domain.ts";
import { type Channel, DEFAULT_CHANNEL, type Rule } from "./recording_state.ts";
import type { TracingRule } from "./tracer.ts";

/** Most event rules of one channel. */
const RULES_MAXIMUM = 4_096;

export const eventCommands: Handlers<
  "ADD_CONTEXT" | "DISABLE_EVENT" | "ENABLE_EVENT"
> = {
  ENABLE_EVENT({ session: name, domain, event, ...request }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    return session.inTurn(async () => {
      const { kernel } = eventPlace(session, context);
      checkProgram(event, context);
      const rules = rulesOf(event);
      const channel = channelFor(
        session,
        kernel,
        channelName(kernel, request.channelName),
      );
      for (const rule of rules) await enable(channel, rule);
      return {};
    });
  },

  DISABLE_EVENT({ session: name, domain, event, ...request }, context) {
    const session = context.sessions.find(name, context.caller);
    if (session.kernel === undefined) refuse("NO_CHANNEL");
    checkDomain(domain.type, context);
    return session.inTurn(async () => {
      const { kernel } = eventPlace(session, context);
      checkDisable(event);
      const wanted = channelName(kernel, request.channelName);
      const channel = kernel.channels.get(wanted);
      if (channel === undefined) refuse("KERN_CHAN_NOT_FOUND");
      const found = channel.rules.filter((rule) =>
        (event.name === "" || rule.block.name === event.name) &&
        (event.type === EventType.ALL || rule.block.type === event.type)
      );
      if (found.length === 0 && event.name !== "") refuse("NO_EVENT");
      for (const rule of found) {
        if (rule.isEnabled) await channel.tracing.disable(rule.tracing);
        rule.isEnabled = false;
      }
      return {};
    });
  },

  ADD_CONTEXT({ session: name, domain, context: block, ...request }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    return session.inTurn(() => {
      const { kernel } = eventPlace(session, context);
      if (session.wasStarted) refuse("TRACE_ALREADY_STARTED");
      const added = contextName(block);
      const channels = channelsFor(request.channelName, session, kernel);
      for (const channel of channels) {
        if (channel.contexts.some(({ name }) => name === added)) continue;
        channel.tracing.addContext(added);
        channel.contexts.push({ block, name: added });
      }
      return {};
    });
  },
};

/** The channels of an ADD_CONTEXT: one, or all, or a new one. */
function channelsFor(
  name: string,
  session: Parameters<typeof channelFor>[0],
  kernel: Parameters<typeof channelFor>[1],
): Channel[] {
  if (name !== "") {
    return [kernel.channels.get(name) ?? refuse("KERN_CHAN_NOT_FOUND")];
  }
  if (kernel.channels.size > 0) return [...kernel.channels.values()];
  return [channelFor(session, kernel, DEFAULT_CHANNEL)];
}

async function enable(channel: Channel, rule: Rule): Promise<void> {
  const same = channel.rules.find(({ block }) =>
    block.name === rule.block.name && block.type === rule.block.type &&
    block.filter === rule.block.filter
  );
  if (same?.isEnabled) refuse("KERN_EVENT_EXIST");
  if (same === undefined && channel.rules.length >= RULES_MAXIMUM) {
    refuse(
      "KERN_ENABLE_FAIL",
      `Channel ${channel.attributes.name} has ${RULES_MAXIMUM} event rules`,
    );
  }
  await channel.tracing.enable(rule.tracing);
  if (same === undefined) channel.rules.push(rule);
  else same.isEnabled = true;
}

/** The rules that a request means: "all" is tracepoints and system calls. */
function rulesOf(event: EventBlock): Rule[] {
  const hasFilter = event.filter !== "";
  if (hasFilter !== event.bytecode.length > 0) {
    refuse("INVALID", "A filter comes as text and as bytecode, or not at all");
  }
  if (event.exclusions.length > 0) {
    refuse("NOT_SUPPORTED", "Kernel event rules have no exclusions");
  }
  if (event.logLevelType !== LogLevelType.ALL) {
    refuse("NOT_SUPPORTED", "Kernel events have no log levels");
  }
  const filter = hasFilter ? parse(event.filter) : undefined;
  const name = (event.name === "" ? "*" : event.name).replace(/\*+/g, "*");
  const types = event.type === EventType.ALL
    ? [EventType.TRACEPOINT, EventType.SYSCALL]
    : [event.type];
  return types.map((type) => {
    const block = {
      ...event,
      type,
      name,
      // None: the kernel's events have no log levels.
      logLevel: -1,
      enabled: 1,
      bytecode: new Uint8Array(),
    };
    return {
      block,
      bytecode: event.bytecode.slice(),
      filter,
      tracing: tracingRule(block, filter),
      isEnabled: true,
    };
  });
}

function parse(text: string): Node {
  try {
    return parseFilter(text);
  } catch (error) {
    if (error instanceof FilterError) refuse("FILTER_INVAL", error.message);
    throw error;
  }
}

function tracingRule(
  { type, name, ...block }: EventBlock,
  filter: Node | undefined,
): TracingRule {
  const rule = { pattern: name, filter };
  switch (type) {
    case EventType.TRACEPOINT:
      return { ...rule, kind: "tracepoint" };
    case EventType.SYSCALL:
      return { ...rule, kind: "syscall" };
    case EventType.PROBE:
    case EventType.FUNCTION:
      return {
        ...rule,
        kind: type === EventType.PROBE ? "probe" : "function",
        ...block.probe ?? refuse("INVALID", "A probe without a place"),
      };
    case EventType.FUNCTION_ENTRY:
      return {
        ...{ ...rule, kind: "probe", offset: 0n, address: 0n },
        symbol: block.functionEntry?.symbol ?? name,
      };
    case EventType.USERSPACE_PROBE: {
      const { path, functionName, providerName, probeName } =
        block.userspaceProbe ?? refuse("PROBE_LOCATION_INVAL");
      return {
        ...{ ...rule, kind: "userspace probe", path, functionName },
        ...{ provider: providerName, probe: probeName },
      };
    }
    default:
      return refuse("UND", `Event type ${type} is unknown`);
  }
}

/**
 * A user may look into programs that the user can read, though root traces.
 *
 * @throws {CommandError} PROBE_LOCATION_INVAL.
 */
function checkProgram(
  { userspaceProbe }: EventBlock,
  { host, caller }: Context,
): void {
  if (userspaceProbe === undefined) return;
  const { path } = userspaceProbe;
  if (path.startsWith("/") && host.outputs.mayRead(caller, path)) return;
  refuse("PROBE_LOCATION_INVAL", `User ${caller.uid} cannot read ${path}`);
}

/** What the stock client leaves alone in a DISABLE_EVENT. */
function checkDisable(event: EventBlock): void {
  const isPlain = event.logLevelType === LogLevelType.ALL &&
    event.logLevel === -1 && event.enabled === 0 && event.pid === 0;
  if (!isPlain) {
    refuse("UNK", "An event rule is disabled by its name and type alone");
  }
}
