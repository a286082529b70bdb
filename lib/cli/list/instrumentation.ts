/** `lttng list` without a session: what can be recorded. */

import { ControlError } from "../../control/errors.ts";
import type {
  InstrumentationPoint,
  TracepointField,
} from "../../control/recording_types.ts";
import type { Domain } from "../lttng/common_options.ts";
import { reportDomain, reportEvent } from "../lttng/recording_report.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure } from "../lttng/status.ts";
import { listedPoint, printEvent } from "./events.ts";
import { programName } from "./program_name.ts";

/** Lists the tracepoints or loggers of running programs. */
export async function listPrograms(
  run: Run,
  output: ReportElement,
  domain: Exclude<Domain, "kernel">,
): Promise<void> {
  const title = domain === "ust" ? "UST" : domain;
  const points = await listed(
    run,
    `Unable to list ${title} events`,
    () => run.ask((daemon) => daemon.listTracepoints(domain)),
  );
  run.say.message(
    domain === "ust"
      ? "UST events:\n-------------"
      : `${domain} events (Logger name):\n-------------------------`,
  );
  if (points.length === 0) run.say.message("None");
  const pids = reportDomain(output.add("domains"), domain, "per-pid")
    .add("pids");
  for (const [pid, own] of byProgram(points, ({ pid }) => pid)) {
    const events = await beginProgram(run, pids, pid);
    for (const point of own) {
      if (domain === "ust") printEvent(run.say, listedPoint(point), domain);
      else run.say.message(`      - ${point.name}`);
      reportEvent(events, { ...listedPoint(point), enabled: true }, domain);
    }
  }
  run.say.message("");
}

/** Lists the tracepoints of running programs with their fields. */
export async function listFields(
  run: Run,
  output: ReportElement,
): Promise<void> {
  const fields = await listed(
    run,
    "Unable to list UST event fields",
    () => run.ask((daemon) => daemon.listTracepointFields("ust")),
  );
  run.say.message("UST events:\n-------------");
  if (fields.length === 0) run.say.message("None");
  const pids = reportDomain(output.add("domains"), "ust", "per-pid")
    .add("pids");
  for (const [pid, own] of byProgram(fields, ({ event }) => event.pid)) {
    const events = await beginProgram(run, pids, pid);
    let last: string | undefined;
    let list: ReportElement | undefined;
    for (const field of own) {
      if (list === undefined || field.event.name !== last) {
        list = beginEvent(run, events, field.event);
      }
      last = field.event.name;
      addField(run, list, field);
    }
  }
  run.say.message("");
}

function beginEvent(
  run: Run,
  events: ReportElement,
  point: InstrumentationPoint,
): ReportElement {
  const event = listedPoint(point);
  printEvent(run.say, event, "ust");
  return reportEvent(events, { ...event, enabled: true }, "ust")
    .add("event_fields");
}

function addField(run: Run, list: ReportElement, field: TracepointField): void {
  const { name, type, notWritten } = field;
  if (name === "") return;
  const word = type === "other" ? "unknown" : type;
  const note = notWritten ? " [no write]" : "";
  run.say.message(`        field: ${name} (${word})${note}`);
  list.add("event_field").fields({
    name,
    type: type.toUpperCase(),
    nowrite: notWritten ? 1 : 0,
  });
}

/** Lists the tracepoints of the kernel. */
export async function listKernel(
  run: Run,
  output: ReportElement,
): Promise<void> {
  const points = await listed(
    run,
    "Unable to list kernel events",
    () => run.ask((daemon) => daemon.listTracepoints("kernel")),
  );
  run.say.message("Kernel events:\n-------------");
  const events = reportDomain(output.add("domains"), "kernel", "per-pid")
    .add("events");
  addPoints(run, events, points, false);
}

/** Lists the system calls of the kernel. */
export async function listSyscalls(
  run: Run,
  output: ReportElement,
): Promise<void> {
  const points = await listed(
    run,
    "Unable to list system calls",
    () => run.ask((daemon) => daemon.listSyscalls()),
  );
  run.say.message("System calls:\n-------------");
  addPoints(run, output.add("events"), points, true);
}

function addPoints(
  run: Run,
  events: ReportElement,
  points: readonly InstrumentationPoint[],
  isSyscallList: boolean,
): void {
  for (const point of points) {
    const event = listedPoint(point);
    printEvent(run.say, event, "kernel", isSyscallList);
    reportEvent(events, { ...event, enabled: true }, "kernel");
  }
  run.say.message("");
}

async function listed<T>(
  run: Run,
  what: string,
  ask: () => Promise<T[]>,
): Promise<T[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    run.failWith(error, (text) => `${what}: ${text}`);
    throw new CommandFailure("");
  }
}

/** Neighbors with the same process id, together. */
function byProgram<T>(
  entries: readonly T[],
  pidOf: (entry: T) => number,
): [number, T[]][] {
  const groups: [number, T[]][] = [];
  for (const entry of entries) {
    const pid = pidOf(entry);
    const last = groups.at(-1);
    if (last?.[0] === pid) last[1].push(entry);
    else groups.push([pid, [entry]]);
  }
  return groups;
}

async function beginProgram(
  run: Run,
  pids: ReportElement,
  pid: number,
): Promise<ReportElement> {
  const name = await programName(pid);
  // It has ended since: the stock program lists no further.
  if (name === undefined) throw new CommandFailure("");
  run.say.message(`\nPID: ${pid} - Name: ${name}`);
  return pids.add("pid").fields({ id: pid, name }).add("events");
}
