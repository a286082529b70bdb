/** Asks for event rules, and tells how it went: `lttng enable-event`. */

import { FilterError } from "../../control/filter/error.ts";
import type { EventTypeName } from "../../control/names.ts";
import type { EventRule, LogLevelRule } from "../../control/recording_types.ts";
import type { Domain } from "../lttng/common_options.ts";
import { DEFAULT_CHANNEL, shownChannel } from "./event_rules.ts";
import { parseExclusions } from "./exclusions.ts";
import { explainFilter } from "./filter_words.ts";
import { parseKernelProbe, parseUserspaceProbe } from "./probes.ts";
import { reportEvent } from "../lttng/recording_report.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

/** What is to be recorded. */
export interface Wanted {
  readonly session: string;
  readonly domain: Domain;
  readonly type: EventTypeName;
  readonly channel: string | undefined;
  readonly filter: string | undefined;
  readonly exclude: string | undefined;
  /** Of types `probe` and `function`. */
  readonly probe: string | undefined;
  readonly userspaceProbe: string | undefined;
  readonly level:
    | { readonly type: LogLevelRule["type"]; readonly word: string }
    | undefined;
}

/** A rule, and the exclusions that it is told with. */
interface Rule extends EventRule {
  readonly name: string;
  readonly type: EventTypeName;
  readonly exclusions: readonly string[];
}

const NEW_DOMAIN = "The command tried to enable an event in a new domain for " +
  "a session that has already been started once.";

// ---- All events -----------------------------------------------------------------

/** Enables all events of the domain; returns a status. */
export async function enableAll(
  run: Run,
  events: ReportElement,
  wanted: Wanted,
  logLevel: LogLevelRule | undefined,
): Promise<number> {
  const { domain, type, exclude, filter } = wanted;
  const rule: Rule = {
    name: "*",
    type: domain === "kernel" ? type : "tracepoint",
    ...{ logLevel, filter },
    exclusions: exclude === undefined
      ? []
      : parseExclusions(run.say, "*", exclude),
  };
  const status = await askForAll(run, wanted, rule);
  if (status === Status.OK) run.say.message(allWords(wanted, rule));
  // Without a filter a failure ends before the event is told of.
  if (status === Status.OK || filter !== undefined) {
    report(events, rule, domain, status === Status.OK);
  }
  return status;
}

async function askForAll(
  run: Run,
  wanted: Wanted,
  rule: Rule,
): Promise<number> {
  const { session, channel, filter } = wanted;
  try {
    await ask(run, wanted, rule);
    return Status.OK;
  } catch (error) {
    const shown = channel ?? DEFAULT_CHANNEL;
    if (filter === undefined && hasCode(error, "KERN_EVENT_EXIST")) {
      run.say.warning(
        `Kernel events already enabled (channel ${shown}, session ${session})`,
      );
      return Status.WARNING;
    }
    if (hasCode(error, "FILTER_EXIST")) {
      run.say.warning(
        "Filter on all events is already enabled " +
          `(channel ${shown}, session ${session})`,
      );
      return error.code;
    }
    const what = filter === undefined ? "Events" : "All events";
    const code = tell(run, error, wanted, what);
    return filter === undefined ? Status.ERROR : code;
  }
}

function allWords(wanted: Wanted, { exclusions }: Rule): string {
  const { domain, type, channel, level, filter } = wanted;
  if (filter !== undefined) return `Filter '${filter}' successfully set`;
  const where = `enabled in channel ${channel ?? DEFAULT_CHANNEL}`;
  if (type === "syscall") return `All ${domain} system calls are ${where}`;
  const what = type === "tracepoint" ? "tracepoints" : "events";
  const which = level === undefined || domain === "kernel"
    ? ""
    : ` for loglevel ${level.word}`;
  return `All ${domain} ${what}${excludingWords(exclusions)} are ${where}` +
    which;
}

// ---- Named events -----------------------------------------------------------------

/** Enables events by name; returns a status. */
export async function enableNamed(
  run: Run,
  events: ReportElement,
  wanted: Wanted,
  names: readonly string[],
  logLevel: () => LogLevelRule | undefined,
): Promise<number> {
  let failure: number = Status.OK;
  let hasWarned = false;
  for (const name of names) {
    const rule = { ...ruleOf(run, wanted, name), logLevel: logLevel() };
    const code = await enableOne(run, wanted, rule);
    if (code === Status.WARNING) hasWarned = true;
    else if (code !== Status.OK) failure = code;
    report(events, rule, wanted.domain, code === Status.OK);
  }
  if (failure !== Status.OK) return failure;
  return hasWarned ? Status.WARNING : Status.OK;
}

function ruleOf(run: Run, wanted: Wanted, name: string): Rule {
  const { domain, filter, exclude } = wanted;
  const base = { name, filter, exclusions: [] };
  switch (domain) {
    case "kernel":
      return kernelRule(wanted, name);
    case "ust":
      if (wanted.type !== "all" && wanted.type !== "tracepoint") {
        throw new CommandFailure(
          "Event type not available for user-space tracing",
          Status.UNSUPPORTED,
        );
      }
      return {
        ...base,
        type: "tracepoint",
        exclusions: exclude === undefined
          ? []
          : parseExclusions(run.say, name, exclude),
      };
    default:
      if (wanted.type !== "all" && wanted.type !== "tracepoint") {
        throw new CommandFailure(
          "Event type not supported for domain.",
          Status.UNSUPPORTED,
        );
      }
      return { ...base, type: "tracepoint" };
  }
}

function kernelRule(wanted: Wanted, name: string): Rule {
  const { filter, type, probe = "", userspaceProbe = "" } = wanted;
  const base = { name, filter, exclusions: [] };
  switch (type) {
    case "all":
      return { ...base, type: name === "*" ? "all" : "tracepoint" };
    case "probe":
      return { ...base, type, probe: parseKernelProbe(probe, "probe") };
    case "function":
      return {
        ...base,
        type,
        probe: parseKernelProbe(probe, "function probe"),
      };
    case "userspace-probe":
      return {
        ...base,
        type,
        userspaceProbe: parseUserspaceProbe(userspaceProbe),
      };
    default:
      return { ...base, type };
  }
}

async function enableOne(
  run: Run,
  wanted: Wanted,
  rule: Rule,
): Promise<number> {
  const { domain, session, channel, filter } = wanted;
  const { name } = rule;
  const excluding = excludingWords(rule.exclusions);
  const shown = channel ?? DEFAULT_CHANNEL;
  try {
    await ask(run, wanted, rule);
  } catch (error) {
    const place = `(channel ${shown}, session ${session})`;
    if (filter === undefined && hasCode(error, "KERN_EVENT_EXIST")) {
      run.say.warning(
        `Kernel event ${name}${excluding} already enabled ${place}`,
      );
      return error.code;
    }
    if (hasCode(error, "FILTER_EXIST")) {
      run.say.warning(
        `Filter on event ${name}${excluding} is already enabled ${place}`,
      );
      return error.code;
    }
    if (hasCode(error, "SDT_PROBE_SEMAPHORE")) {
      return run.failWith(
        error,
        () =>
          `SDT probes ${name} guarded by semaphores are not supported ${place}`,
      );
    }
    return tell(run, error, wanted, `Event ${name}${excluding}`);
  }
  run.say.message(
    filter !== undefined
      ? `Event ${name}${excluding}: Filter '${filter}' successfully set`
      : domain === "kernel" || domain === "ust"
      ? `${domain} event ${name}${excluding} created in channel ${shown}`
      : `${domain} event ${name}${excluding} enabled`,
  );
  return Status.OK;
}

// ---- Both ---------------------------------------------------------------------

async function ask(run: Run, wanted: Wanted, rule: Rule): Promise<void> {
  const { session, domain, channel } = wanted;
  await run.ask((daemon) => daemon.enableEvent(session, domain, rule, channel));
}

/** Tells why rules could not be enabled; returns the error's code. */
function tell(
  run: Run,
  error: unknown,
  wanted: Wanted,
  what: string,
): number {
  const { session, channel, filter } = wanted;
  const where = `channel ${shownChannel(error, channel)}, session ${session}`;
  const place = filter === undefined ? where : `${where}, filter '${filter}'`;
  const isNewDomain = hasCode(error, "TRACE_ALREADY_STARTED");
  const code = run.failWith(
    error,
    (text) => `${what}: ${isNewDomain ? NEW_DOMAIN : text} (${place})`,
  );
  if (filter !== undefined && error instanceof FilterError) {
    explainFilter(run.say, filter, error);
  }
  return code;
}

function excludingWords(exclusions: readonly string[]): string {
  if (exclusions.length === 0) return "";
  return ` excluding ${exclusions.map((name) => `"${name}"`).join(", ")}`;
}

function report(
  events: ReportElement,
  rule: Rule,
  domain: Domain,
  success: boolean,
): void {
  const { name, type, logLevel, exclusions, probe, userspaceProbe } = rule;
  const enabled = success;
  const element = reportEvent(
    events,
    { name, type, enabled, logLevel, probe, userspaceProbe },
    domain,
  );
  if (exclusions.length > 0) {
    const list = element.add("exclusions");
    for (const exclusion of exclusions) list.add("exclusion", exclusion);
  }
  element.fields({ success });
}
