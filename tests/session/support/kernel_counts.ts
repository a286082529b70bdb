/** What tracefs counts of a session daemon's sessions, for tests to compare with. */

import { parseRingCounters } from "../../../lib/kernel/loss.ts";
import { Tracefs } from "../../../lib/kernel/tracefs.ts";
import { instancesOf } from "../../kernel/support/tracefs.ts";

/** Events of one channel. */
export interface KernelCounts {
  /** That happened while they were to be recorded. */
  readonly produced: number;
  /** That found the ring buffers full, or were overwritten. */
  readonly lost: number;
}

/** The counts of a channel of daemon `pid`; zeros before its instance is there. */
export function kernelCounts(
  pid: number,
  session: string,
  channel: string,
): KernelCounts {
  const sum = { produced: 0, lost: 0 };
  const { path } = Tracefs.open();
  for (const name of instancesOf(pid)) {
    if (!name.endsWith(`.${session}-${channel}`)) continue;
    const directory = `${path}/instances/${name}/per_cpu`;
    for (const cpu of Deno.readDirSync(directory)) {
      const text = Deno.readTextFileSync(`${directory}/${cpu.name}/stats`);
      const { entries, read, overrun, commitOverrun, dropped } =
        parseRingCounters(text);
      const lost = overrun + commitOverrun + dropped;
      sum.lost += lost;
      sum.produced += entries + read + lost;
    }
  }
  return sum;
}

/** What the daemon said of a session at its end. */
export interface EndCounts {
  readonly recorded: number;
  readonly discarded: number;
}

/** What a daemon's log says of a session's end. @throws {Error} Nothing. */
export function endCounts(log: string, session: string): EndCounts {
  const pattern = new RegExp(
    `Session ${session} destroyed: (\\d+) events recorded, (\\d+) discarded`,
  );
  const match = pattern.exec(log);
  if (match === null) throw new Error(`No end of ${session} in: ${log}`);
  return { recorded: Number(match[1]), discarded: Number(match[2]) };
}
