/** Metadata written anew, where the time of day was put right after the start. */

import { errorText } from "../base/errors.ts";
import { RelayVersionError } from "../stream/errors.ts";
import { Bounded } from "./bounded.ts";
import { CommandError, refuse } from "./errors.ts";
import type { DaemonHost } from "./host.ts";
import { checkOutput, outputError, stopTimeout } from "./kernel_domain.ts";
import type { Session } from "./session.ts";

/**
 * Has the clocks compared once more, and all metadata replaced. Waits for the
 * output no longer than a stop does: what comes of it later is in the log.
 *
 * @throws {CommandError} LIVE_SESSION, SESSION_NOT_STARTED;
 * RELAYD_VERSION_FAIL of a relay daemon before 2.8; KERN_META_FAIL of the
 * tracer; of the output as {@linkcode checkOutput}.
 */
export async function regenerateMetadata(
  session: Session,
  host: DaemonHost,
): Promise<void> {
  const { name } = session;
  const { replaced } = await session.inTurn(() => begin(session));
  if (!await new Bounded(stopTimeout(host)).reaches(replaced)) {
    host.log.info(`Session ${name}: the new metadata is still on its way`);
    replaced.catch((error) => {
      const { message } = outputFailed(session, error);
      host.log.warning(`Session ${name}: ${message}`);
    });
    return;
  }
  try {
    await replaced;
  } catch (error) {
    throw outputFailed(session, error);
  }
  host.log.info(`Session ${name}: all metadata was written anew`);
}

/** Hands the new metadata over; `replaced` settles when the output has it. */
async function begin(
  session: Session,
): Promise<{ readonly replaced: Promise<void> }> {
  if (session.isLive) refuse("LIVE_SESSION");
  if (!session.isActive) refuse("SESSION_NOT_STARTED");
  checkOutput(session);
  const { kernel, consumer } = session;
  if (consumer?.state === "lost") {
    refuse(
      outputError(session),
      `The output of session ${session.name} does not work: its metadata ` +
        `stays as it is: ${consumer.failure?.message}`,
    );
  }
  try {
    await kernel?.tracing.regenerateMetadata();
  } catch (error) {
    throw failed("KERN_META_FAIL", error);
  }
  return { replaced: consumer?.replaced ?? Promise.resolve() };
}

/** A relay daemon empties its file first: it may have a part of the new. */
function outputFailed(session: Session, error: unknown): CommandError {
  return failed(
    outputError(session),
    error,
    session.destination.kind === "relay"
      ? "Not all of the new metadata may have reached the relay daemon"
      : undefined,
  );
}

function failed(
  symbol: string,
  error: unknown,
  what = "The metadata stays as it is",
): CommandError {
  const text = errorText(error);
  return error instanceof RelayVersionError
    ? new CommandError("RELAYD_VERSION_FAIL", text, { cause: error })
    : new CommandError(symbol, `${what}: ${text}`, { cause: error });
}
