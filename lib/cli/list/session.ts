/** `lttng list SESSION`: what a session is and records. */

import { ControlError } from "../../control/errors.ts";
import type { DomainName } from "../../control/names.ts";
import type { ChannelInfo, DomainInfo } from "../../control/recording_types.ts";
import type { Domain } from "../lttng/common_options.ts";
import type { Console } from "../lttng/console.ts";
import { askDelivery, deliveryLines } from "../lttng/delivery.ts";
import { reportDelivery } from "../lttng/delivery_report.ts";
import {
  reportChannel,
  reportDomain,
  reportEvent,
} from "../lttng/recording_report.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { reportSchedule, reportSession } from "../lttng/session_report.ts";
import { CommandFailure } from "../lttng/status.ts";
import { printAgentEvent, printEvent } from "./events.ts";
import { listTrackers } from "./trackers.ts";

/** What of a session is listed. */
export interface SessionListOptions {
  /** Only this channel. */
  readonly channel: string | undefined;
  /** Only which domains there are. */
  readonly onlyDomains: boolean;
  /** Only this domain. */
  readonly domain: Domain | undefined;
}

/** A session that is being listed. */
interface Listing {
  readonly run: Run;
  readonly session: string;
  readonly isSnapshot: boolean;
  readonly channel: string | undefined;
}

/** Lists one session. */
export async function listSession(
  run: Run,
  output: ReportElement,
  session: string,
  options: SessionListOptions,
): Promise<void> {
  const { element, isSnapshot } = await begin(run, output, session);
  await listSchedules(run, element, session);
  if (options.onlyDomains) {
    await listDomains(run, element, session);
    return;
  }
  const { channel, domain } = options;
  const listing = { run, session, isSnapshot, channel };
  const domains = element.add("domains");
  if (domain === "kernel" || domain === "ust") {
    const parent = reportDomain(domains, domain, "per-pid");
    await listTrackers(run, parent, session, domain);
    await listChannels(listing, parent, domain);
    return;
  }
  const found = await run.ask((daemon) => daemon.listDomains(session));
  for (const info of found) await listDomain(listing, domains, info);
}

async function begin(run: Run, output: ReportElement, name: string) {
  const element = output.add("sessions");
  const sessions = await run.ask((daemon) => daemon.listSessions());
  const session = sessions.find((session) => session.name === name);
  if (session === undefined) {
    const isForProgram = run.settings.form !== undefined;
    // Without any session the stock program goes on, and fails a step later.
    if (sessions.length > 0 || isForProgram) {
      throw new CommandFailure(
        `Session '${name}' not found`,
        undefined,
        "lttng list says which sessions there are.",
      );
    }
    run.say.message("Currently no available recording session");
    return { element, isSnapshot: false };
  }
  const { enabled, snapshotMode, path } = session;
  const state = sessionState(enabled, snapshotMode);
  run.say.message(`Recording session ${name}: [${state}]`);
  if (path !== "") run.say.message(`    Trace output: ${path}`);
  const entry = reportSession(element, session);
  const delivery = await askDelivery(run, name);
  const lines = delivery === undefined
    ? []
    : deliveryLines(delivery, enabled ? "recording" : "stopped");
  for (const line of lines) run.say.message(`    ${line}`);
  if (path !== "" || lines.length > 0) run.say.message("");
  reportDelivery(run, entry, delivery);
  return { element: entry, isSnapshot: snapshotMode };
}

/** Such as `active` or `inactive snapshot`. */
export function sessionState(enabled: boolean, snapshot: boolean): string {
  return `${enabled ? "active" : "inactive"}${snapshot ? " snapshot" : ""}`;
}

async function listSchedules(
  run: Run,
  element: ReportElement,
  session: string,
): Promise<void> {
  let schedules;
  try {
    schedules = await run.ask((daemon) =>
      daemon.listRotationSchedules(session)
    );
  } catch (error) {
    run.failWith(
      error,
      (text) => `Failed to list session rotation schedules: ${text}`,
    );
    throw new CommandFailure("");
  }
  const { periodic, size } = schedules;
  if (periodic === undefined && size === undefined) return;
  run.say.message("Automatic rotation schedules:");
  const list = element.add("rotation_schedules");
  if (periodic !== undefined) {
    run.say.message(`    timer period: ${periodic} us`);
    reportSchedule(list, "periodic", periodic);
  }
  if (size !== undefined) {
    run.say.message(`    size threshold: ${size} bytes`);
    reportSchedule(list, "size", size);
  }
  run.say.message("");
}

const DOMAIN_LINES: Readonly<Record<DomainName, string>> = {
  kernel: "Kernel",
  ust: "UST global",
  jul: "JUL (Java Util Logging)",
  log4j: "LOG4j (Logging for Java)",
  log4j2: "LOG4j2 (Logging for Java 2)",
  python: "Python (logging)",
};

async function listDomains(
  run: Run,
  element: ReportElement,
  session: string,
): Promise<void> {
  const found = await run.ask((daemon) => daemon.listDomains(session));
  run.say.message("Domains:\n-------------");
  if (found.length === 0) run.say.message("  None");
  const domains = element.add("domains");
  for (const { type, bufferType } of found) {
    run.say.message(`  - ${DOMAIN_LINES[type]}`);
    reportDomain(domains, type, bufferType);
  }
}

const DOMAIN_TITLES: Readonly<Record<DomainName, string>> = {
  kernel: "Linux kernel",
  ust: "User space",
  jul: "java.util.logging (JUL)",
  log4j: "log4j",
  log4j2: "log4j2",
  python: "Python logging",
};

async function listDomain(
  listing: Listing,
  domains: ReportElement,
  { type, bufferType }: DomainInfo,
): Promise<void> {
  const { run, session } = listing;
  run.say.message(`=== Domain: ${DOMAIN_TITLES[type]} ===\n`);
  if (type === "ust") {
    const scheme = bufferType === "per-pid" ? "per-process" : "per-user";
    run.say.message(`Buffering scheme: ${scheme}\n`);
  }
  const parent = reportDomain(domains, type, bufferType);
  if (type === "kernel" || type === "ust") {
    await listTrackers(run, parent, session, type);
    await listChannels(listing, parent, type);
  } else if (type !== "log4j2") {
    await listAgentEvents(listing, parent, type);
  }
}

async function listAgentEvents(
  { run, session }: Listing,
  parent: ReportElement,
  domain: Domain,
): Promise<void> {
  const rules = await run.ask((daemon) => daemon.listEvents(session, domain));
  const events = parent.add("events");
  run.say.message("Events (Logger name):\n---------------------");
  if (rules.length === 0) {
    run.say.message("      None\n");
    return;
  }
  for (const rule of rules) {
    printAgentEvent(run.say, rule, domain);
    reportEvent(events, rule, domain);
  }
  run.say.message("");
}

async function listChannels(
  listing: Listing,
  parent: ReportElement,
  domain: "kernel" | "ust",
): Promise<void> {
  const { run, session, channel } = listing;
  const isForProgram = run.settings.form !== undefined;
  let found: ChannelInfo[];
  try {
    found = await run.ask((daemon) => daemon.listChannels(session, domain));
  } catch (error) {
    if (!hasCode(error, "KERN_CHAN_NOT_FOUND")) throw error;
    if (!isForProgram) return;
    found = [];
  }
  const channels = parent.add("channels");
  if (found.length > 0) run.say.message("Channels:\n-------------");
  const wanted = channel === undefined
    ? found
    : found.filter(({ name }) => name === channel);
  for (const info of wanted) {
    printChannel(run.say, info, listing.isSnapshot);
    const element = reportChannel(channels, {
      ...info,
      overwrite: info.eventLossMode === "overwrite",
    });
    await listEvents(listing, element, domain, info.name);
  }
  if (channel !== undefined && wanted.length === 0 && !isForProgram) {
    throw new CommandFailure(`Channel ${channel} not found`);
  }
}

async function listEvents(
  { run, session }: Listing,
  channel: ReportElement,
  domain: "kernel" | "ust",
  name: string,
): Promise<void> {
  let rules;
  try {
    rules = await run.ask((daemon) => daemon.listEvents(session, domain, name));
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    run.fail(error);
    throw new CommandFailure("");
  }
  const events = channel.add("events");
  run.say.message("\n    Recording event rules:");
  if (rules.length === 0) {
    run.say.message("      None\n");
    return;
  }
  for (const rule of rules) {
    printEvent(run.say, rule, domain);
    reportEvent(events, rule, domain);
  }
  run.say.message("");
}

function printChannel(
  say: Console,
  channel: ChannelInfo,
  isSnapshot: boolean,
): void {
  const isOverwrite = channel.eventLossMode === "overwrite";
  const state = channel.enabled ? " [enabled]" : " [disabled]";
  const { blockingTimeout, traceFileSize } = channel;
  const lines = [
    `- ${channel.name}:${state}\n`,
    "    Attributes:",
    `      Event-loss mode:  ${channel.eventLossMode}`,
    `      Sub-buffer size:  ${channel.subBufferSize} bytes`,
    `      Sub-buffer count: ${channel.subBufferCount}`,
    `      Switch timer:     ${timerText(channel.switchTimerInterval)}`,
    `      Read timer:       ${timerText(channel.readTimerInterval)}`,
    `      Monitor timer:    ${timerText(channel.monitorTimerInterval)}`,
    ...(isOverwrite ? [] : [
      "      Blocking timeout: " +
      (blockingTimeout === Infinity ? "infinite" : `${blockingTimeout} us`),
    ]),
    `      Trace file count: ${channel.traceFileCount || 1} per stream`,
    "      Trace file size:  " +
    (traceFileSize === 0 ? "unlimited" : `${traceFileSize} bytes`),
    `      Output mode:      ${channel.output}`,
    "\n    Statistics:",
    isSnapshot
      ? "      None"
      : isOverwrite
      ? `      Lost packets:     ${channel.lostPackets}`
      : `      Discarded events: ${channel.discardedEvents}`,
  ];
  for (const line of lines) say.message(line);
}

function timerText(microseconds: number): string {
  return microseconds === 0 ? "inactive" : `${microseconds} us`;
}
