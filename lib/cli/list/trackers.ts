/** Which processes a session traces, in `lttng list`. */

import { ControlError } from "../../control/errors.ts";
import type { ProcessAttributeName } from "../../control/names.ts";
import {
  attributeTitle,
  PROCESS_ATTRIBUTES,
  reportTrackedValue,
  reportTracker,
  UST_ATTRIBUTES,
} from "../event_rules/process_attributes.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure } from "../lttng/status.ts";

/** Where the values begin, in columns. */
const VALUE_COLUMN = 22;

/** Lists the trackers of a domain. */
export async function listTrackers(
  run: Run,
  parent: ReportElement,
  session: string,
  domain: "kernel" | "ust",
): Promise<void> {
  run.say.message("Tracked process attributes");
  const trackers = parent.add("process_attr_trackers");
  const attributes = domain === "kernel" ? PROCESS_ATTRIBUTES : UST_ATTRIBUTES;
  for (const attribute of attributes) {
    await listTracker(run, trackers, session, domain, attribute);
  }
  run.say.message("");
}

async function listTracker(
  run: Run,
  trackers: ReportElement,
  session: string,
  domain: "kernel" | "ust",
  attribute: ProcessAttributeName,
): Promise<void> {
  const { policy, values } = await ask(run, session, domain, attribute);
  const title = `${attributeTitle(attribute)}s:`.padEnd(VALUE_COLUMN);
  if (policy === "include all") {
    run.say.message(`  ${title}all`);
    return;
  }
  const list = reportTracker(trackers, attribute);
  if (values.length === 0) {
    run.say.message(`  ${title}none`);
    return;
  }
  for (const value of values) reportTrackedValue(list, attribute, value);
  const words = values.map((value) =>
    typeof value === "string" ? `\`${value}\`` : `${value}`
  );
  run.say.message(`  ${title}${words.join(", ")}`);
}

async function ask(
  run: Run,
  session: string,
  domain: "kernel" | "ust",
  attribute: ProcessAttributeName,
) {
  try {
    const policy = await run.ask((daemon) =>
      daemon.getTrackingPolicy(session, domain, attribute)
    );
    const values = policy === "include set"
      ? await run.ask((daemon) =>
        daemon.listInclusions(session, domain, attribute)
      )
      : [];
    return { policy, values };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    run.failWith(
      error,
      (text) => `Failed to get process attribute tracker handle: ${text}`,
    );
    throw new CommandFailure("");
  }
}
