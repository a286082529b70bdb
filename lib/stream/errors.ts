/** What can go wrong between a sender and its relay daemon. */

import { Code } from "../base/errors.ts";
import type { CommandName } from "../wire/relay.ts";

/** What each code means in a relay daemon's replies. */
const meanings: ReadonlyMap<number, string> = new Map([
  [Code.UNKNOWN, "failure"],
  [Code.FATAL, "session refused"],
  [Code.NO_MEMORY, "unknown trace chunk, or out of memory"],
  [Code.INVALID, "invalid argument"],
  [Code.INVALID_PROTOCOL, "not allowed at this point"],
  [Code.FILE_CREATION_ERROR, "cannot create a file"],
  [0xFFFF_FFFF, "unknown stream"],
]);

/**
 * A relay daemon answered a command with an error code. After most codes it
 * also closes the connection; see the relay protocol, outcome rule.
 */
export class RelayError extends Error {
  override name = "RelayError";

  constructor(
    /** The command that was refused. */
    readonly command: CommandName,
    /** LTTng error code of the reply (`lttng/lttng-error.h`). */
    readonly code: number,
    detail: string = meanings.get(code) ?? "unknown code",
  ) {
    super(`The relay daemon refused ${command}: code ${code}, ${detail}`);
  }
}

/** The two sides do not speak a common version, or not one that is needed. */
export class RelayVersionError extends Error {
  override name = "RelayVersionError";
}

/** The trace was ended although the relay daemon does not hold all of it. */
export class IncompleteTraceError extends Error {
  override name = "IncompleteTraceError";

  constructor(
    message: string,
    /** What the relay daemon had not confirmed when time ran out. */
    readonly report: StorageReport,
  ) {
    super(message);
  }
}

/** A stream whose last packets the relay daemon has not confirmed. */
export interface MissingStream {
  readonly name: string;
  readonly pathname: string;
  /** Sequence number, from 0, of the last packet that was submitted. */
  readonly lastSequenceNumber: bigint;
}

/** How much of what was sent the relay daemon has confirmed. */
export interface StorageReport {
  /** Everything is stored. */
  readonly stored: boolean;
  /** Open streams with packets on their way. */
  readonly missing: readonly MissingStream[];
  /** Metadata streams that were not confirmed, by path. */
  readonly missingMetadata: readonly string[];
  /** Streams that were closed earlier still wait for packets. */
  readonly closedStreamsPending: boolean;
  /** How long it took, milliseconds. */
  readonly waitedMs: number;
}

/** One line for a person: what is missing. */
export function describeReport(report: StorageReport): string {
  if (report.stored) return "Everything is stored";
  const parts = [
    ...report.missing.map(({ name, lastSequenceNumber }) =>
      `stream ${name} up to packet ${lastSequenceNumber}`
    ),
    ...report.missingMetadata.map((pathname) => `metadata of ${pathname}`),
  ];
  if (report.closedStreamsPending) parts.push("streams closed before");
  const what = parts.length === 0 ? "the last answer" : parts.join(", ");
  return `Not confirmed after ${report.waitedMs} ms: ${what}`;
}
