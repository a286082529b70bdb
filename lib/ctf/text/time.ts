/** Times as babeltrace2 prints them. */

import { type Moment, timeOf } from "../read/clock.ts";
import { asciiBytes, type TextBuffer } from "./buffer.ts";

/** How times are printed. */
export interface TimeOptions {
  /** As `SECONDS.NANOSECONDS`. */
  readonly seconds?: boolean;
  /** With the date. */
  readonly date?: boolean;
  /** In UTC instead of the local time zone. */
  readonly gmt?: boolean;
}

const SECOND = 1_000_000_000n;

/** Prints times; the text of the last second is kept. */
export class TimePrinter {
  readonly #options: TimeOptions;
  readonly #warn: (line: string) => void;
  /** The second printed last, not below 0, and its text. */
  #second = -1;
  #text: Uint8Array = new Uint8Array(0);
  #warned = false;

  constructor(options: TimeOptions, warn: (line: string) => void) {
    this.#options = options;
    this.#warn = warn;
  }

  /** Adds a time since 1970. */
  print(moment: Moment, out: TextBuffer): void {
    const { seconds, nanoseconds } = moment;
    if (seconds !== this.#second) {
      if (seconds < 0) return this.#printNegative(timeOf(moment), out);
      this.#second = seconds;
      this.#text = asciiBytes(this.#secondText(seconds));
    }
    out.bytes(this.#text);
    out.nine(nanoseconds);
  }

  #printNegative(time: bigint, out: TextBuffer): void {
    const size = -time;
    const seconds = size / SECOND;
    if (this.#options.seconds || !this.#warned) {
      if (!this.#options.seconds) this.#warnOfNegative();
      out.text(`-${seconds}.`);
    } else {
      // After its one warning babeltrace2 drops the sign of later times.
      out.text(this.#clockText(Number(seconds)));
    }
    out.nine(Number(size % SECOND));
  }

  #warnOfNegative(): void {
    this.#warned = true;
    this.#warn(
      "[warning] Fallback to [sec.ns] to print negative time value. " +
        "Use --clock-seconds.",
    );
  }

  #secondText(seconds: number): string {
    return this.#options.seconds ? `${seconds}.` : this.#clockText(seconds);
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
