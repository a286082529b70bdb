/** What commands about event rules have in common. */

import { hasCode } from "../lttng/run.ts";

/** The channel that is meant where none is named. */
export const DEFAULT_CHANNEL = "channel0";

/** The channel that an error message names. */
export function shownChannel(
  error: unknown,
  channel: string | undefined,
): string {
  if (channel !== undefined) return channel;
  return hasCode(error, "NEED_CHANNEL_NAME") ? "<default>" : DEFAULT_CHANNEL;
}
