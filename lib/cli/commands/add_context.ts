/** `lttng add-context`: records more with each event. */

import { contextNames, parseContext } from "../../control/context.ts";
import { ControlError } from "../../control/errors.ts";
import {
  type ContextBlock,
  ContextType,
} from "../../wire/sessiond/recording.ts";
import { defineCommand } from "../lttng/command.ts";
import {
  type Domain,
  HELP,
  JUL,
  KERNEL,
  LIST_OPTIONS,
  LOG4J,
  requireDomain,
  SESSION,
  USERSPACE,
} from "../lttng/common_options.ts";
import type { Console } from "../lttng/console.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

/** A context field, and what it was called. */
interface Context {
  readonly symbol: string;
  readonly block: ContextBlock;
}

export const addContext = defineCommand({
  name: "add-context",
  group: "Channels",
  help: "Add context fields to be recorded",
  usage: [
    "DOMAIN [--session=SESSION] [--channel=CHANNEL] --type=TYPE...",
    "--list",
  ],
  about: "Records more with each event: who, where, counters. DOMAIN is " +
    "--kernel, --userspace, --jul or --log4j.",
  examples: [
    [
      "lttng add-context --userspace --type=vpid --type=procname",
      "Record which process it was.",
    ],
    [
      "lttng add-context --userspace --type=perf:thread:cycles",
      "Record the CPU's cycles.",
    ],
  ],
  options: [
    HELP,
    SESSION,
    {
      name: "channel",
      short: "c",
      kind: "value",
      valueName: "CHANNEL",
      defaultText: "all channels of the domain",
      help: "Record it in this channel.",
    },
    KERNEL,
    USERSPACE,
    JUL,
    LOG4J,
    {
      name: "type",
      short: "t",
      kind: "value",
      valueName: "TYPE",
      help: "A context that --list shows, perf:cpu:raw:rHEX:NAME, " +
        "perf:thread:raw:rHEX:NAME or $app.PROVIDER:NAME.",
      repeated: true,
      read: readContext,
    },
    {
      name: "list",
      kind: "switch",
      help: "List the context types, one a line, and exit.",
    },
    LIST_OPTIONS,
  ],
  run: async (run, values, args, given) => {
    if (given.length === 0 && args.length === 0) {
      run.say.hint("See lttng add-context --help.");
      return Status.ERROR;
    }
    if (values.list) return await run.reported((output) => list(run, output));
    run.refuseMore(args, 0);
    const { jul, log4j, kernel, userspace } = values;
    const domain = requireDomain({ jul, log4j, kernel, userspace }, true);
    if (values.type.length === 0) {
      throw new CommandFailure(
        "Missing mandatory -t TYPE",
        Status.ERROR,
        "lttng add-context --list says which types there are.",
      );
    }
    const session = run.session(values.session);
    return await run.reported((output) =>
      addAll(run, output, values.type, session, domain, values.channel)
    );
  },
});

async function addAll(
  run: Run,
  output: ReportElement,
  contexts: readonly Context[],
  session: string,
  domain: Domain,
  channel: string | undefined,
): Promise<number> {
  const element = output.add("contexts");
  let status: number = Status.OK;
  for (const { symbol, block } of contexts) {
    const context = reportContext(element, symbol, block);
    let success = true;
    try {
      await run.ask((daemon) =>
        daemon.addContext(session, domain, symbol, channel)
      );
      const where = channel === undefined
        ? "all channels"
        : `channel ${channel}`;
      run.say.message(`${domain} context ${symbol} added to ${where}`);
    } catch (error) {
      run.failWith(error, (text) => `${symbol}: ${text}`);
      success = false;
      status = Status.WARNING;
    }
    context.fields({ success });
  }
  return status;
}

function list(run: Run, output: ReportElement): Promise<number> {
  const element = output.add("contexts");
  for (const symbol of contextNames()) {
    // A list is what was asked for: --quiet does not matter.
    if (run.settings.form === undefined) run.say.print(`${symbol}\n`);
    reportContext(element, symbol, parseContext(symbol));
  }
  return Promise.resolve(Status.OK);
}

/** Adds a context to a report; more may be added to what is returned. */
function reportContext(
  contexts: ReportElement,
  symbol: string,
  block: ContextBlock,
): ReportElement {
  const element = contexts.add("context");
  switch (block.type) {
    case ContextType.PERF:
    case ContextType.PERF_CPU:
    case ContextType.PERF_THREAD:
      element.add("perf").fields({
        type: block.counterType,
        config: block.counterConfig,
        name: block.counterName,
      });
      break;
    case ContextType.APPLICATION:
      element.add("app").fields({
        provider_name: block.provider,
        ctx_name: block.name,
      });
      break;
    default:
      element.add("type", symbol.replaceAll("-", "_").toUpperCase());
  }
  return element.fields({ symbol });
}

function readContext(symbol: string, say: Console): Context {
  try {
    const isSplit = /^perf:[^:]*:raw(:[^:]*){3}/.test(symbol);
    if (!isSplit) return { symbol, block: parseContext(symbol) };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
  }
  const reason = wrongContext(symbol);
  if (reason !== undefined) say.error(reason);
  throw new CommandFailure(
    `Unknown context type ${symbol}`,
    Status.FATAL,
    "lttng add-context --list says which types there are.",
  );
}

/** Why a context is unknown, where it begins like one. */
function wrongContext(symbol: string): string | undefined {
  const [first, where, raw, mask, ...names] = symbol.split(":");
  if (symbol.startsWith("$app.")) {
    return "Invalid application context provided: no provider or context name " +
      "provided.";
  }
  if (first !== "perf" || (where !== "cpu" && where !== "thread")) {
    return undefined;
  }
  if (raw !== undefined && raw !== "raw") return undefined;
  if (mask !== undefined && !/^r[\dA-Fa-f]+$/.test(mask)) {
    return "Wrong perf raw mask format: expected rNNN";
  }
  if (names.length > 1) return "Too many ':' in perf raw format";
  return "Invalid perf counter specifier, expected a specifier of the form " +
    "perf:cpu:raw:rNNN:<name> or perf:thread:raw:rNNN:<name>";
}
