/** What a session has lost, in the words of the stock program. */

import { ControlError } from "../../control/errors.ts";
import type { DomainName } from "../../control/names.ts";
import type { Run } from "./run.ts";
import { CommandFailure } from "./status.ts";

/** What a session lost. */
export interface Loss {
  readonly events: bigint;
  readonly packets: bigint;
}

/**
 * The warning about what a session lost; `undefined` when it lost nothing, or
 * is one of snapshots, which overwrite on purpose.
 *
 * @throws {CommandFailure} When there is no such session.
 */
export async function lossWarning(
  run: Run,
  name: string,
): Promise<string | undefined> {
  const sessions = await run.ask((daemon) => daemon.listSessions());
  if (sessions.length === 0) {
    throw new CommandFailure(
      "Failed to retrieve session descriptions while printing session " +
        "statistics.",
    );
  }
  const session = sessions.find((session) => session.name === name);
  if (session === undefined) {
    throw new CommandFailure(
      `Failed to retrieve session "${name}" description while printing ` +
        "session statistics.",
    );
  }
  if (session.snapshotMode) return undefined;
  let events = 0n;
  let packets = 0n;
  const domains = await run.ask((daemon) => daemon.listDomains(name));
  for (const { type } of domains) {
    for (const channel of await channelsOf(run, name, type)) {
      events += channel.discardedEvents;
      packets += channel.lostPackets;
    }
  }
  return lossText({ events, packets });
}

/** The warning about a loss; `undefined` where there is none. */
export function lossText({ events, packets }: Loss): string | undefined {
  const lost = [
    ...(events > 0n ? [`${events} events were discarded`] : []),
    ...(packets > 0n ? [`${packets} packets were lost`] : []),
  ];
  if (lost.length === 0) return undefined;
  return `Warning: ${lost.join(" and ")}, please refer to the ` +
    "documentation on channel configuration.";
}

/** Agents have no channels of their own. */
async function channelsOf(run: Run, session: string, domain: DomainName) {
  if (domain !== "kernel" && domain !== "ust") return [];
  try {
    return await run.ask((daemon) => daemon.listChannels(session, domain));
  } catch (error) {
    if (error instanceof ControlError) return [];
    throw error;
  }
}

/** Says what a session lost; that this cannot be said is no failure. */
export async function printLoss(run: Run, session: string): Promise<void> {
  try {
    const warning = await lossWarning(run, session);
    if (warning !== undefined) run.say.message(warning);
  } catch (error) {
    if (error instanceof CommandFailure) run.say.error(error.message);
    else if (!(error instanceof ControlError)) throw error;
  }
}
