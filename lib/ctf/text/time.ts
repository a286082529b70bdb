/** Times as babeltrace2 prints them. */

import type { TextBuffer } from "./buffer.ts";

/** How times are printed. */
export interface TimeOptions {
  /** As `SECONDS.NANOSECONDS`. */
  readonly seconds?: boolean;
  /** With the date. */
  readonly date?: boolean;
  /** In UTC instead of the local time zone. */
  readonly gmt?: boolean;
}

const SECOND = 1_000_000_000;
const SECOND_WIDE = 1_000_000_000n;

/** Prints times; the text of the last second is kept. */
export class TimePrinter {
  readonly #options: TimeOptions;
  readonly #warn: (line: string) => void;
  /** The time printed last, not below 0; and its nanoseconds. */
  #last: bigint | undefined;
  #nanoseconds = 0;
  /** Everything before the nanoseconds of {@linkcode #last}. */
  #text = "";
  #warned = false;

  constructor(options: TimeOptions, warn: (line: string) => void) {
    this.#options = options;
    this.#warn = warn;
  }

  /** Adds a time, in nanoseconds since 1970. */
  print(time: bigint, out: TextBuffer): void {
    const step = this.#last === undefined ? -1 : Number(time - this.#last);
    const next = this.#nanoseconds + step;
    if (step < 0 || next >= SECOND || this.#text === "") this.#begin(time);
    else this.#nanoseconds = next;
    if (time >= 0n) this.#last = time;
    out.text(this.#text);
    out.padded(this.#nanoseconds, 9);
  }

  #begin(time: bigint): void {
    const size = time < 0n ? -time : time;
    const seconds = size / SECOND_WIDE;
    this.#nanoseconds = Number(size % SECOND_WIDE);
    const sign = time < 0n ? "-" : "";
    if (this.#options.seconds || (time < 0n && !this.#warned)) {
      if (!this.#options.seconds) this.#warnOfNegative();
      this.#text = `${sign}${seconds}.`;
    } else {
      // After its one warning babeltrace2 drops the sign of later times.
      this.#text = this.#clockText(Number(seconds));
    }
  }

  #warnOfNegative(): void {
    this.#warned = true;
    this.#warn(
      "[warning] Fallback to [sec.ns] to print negative time value. " +
        "Use --clock-seconds.",
    );
  }

  #clockText(seconds: number): string {
    const { date, gmt } = this.#options;
    let moment = new Date(seconds * 1000);
    if (!gmt) {
      // The same clock on the wall, in UTC.
      moment = new Date(Date.UTC(
        moment.getFullYear(),
        moment.getMonth(),
        moment.getDate(),
        moment.getHours(),
        moment.getMinutes(),
        moment.getSeconds(),
      ));
    }
    const [day = "", time = ""] = moment.toISOString().split("T");
    const clock = `${time.slice(0, "HH:MM:SS".length)}.`;
    return date ? `${day} ${clock}` : clock;
  }
}
