/**
 * What `lttng` says: messages on standard output, errors and warnings on
 * standard error, as `--quiet`, `--verbose` and `--mi` want it.
 */

/** Where text goes; tests make their own. */
export interface ConsoleStreams {
  out(text: string): void;
  err(text: string): void;
  /** Whether hints are wanted: a person reads standard error. */
  readonly hints: boolean;
}

/** How much is said. */
export interface ConsoleSettings {
  /** Nothing but what was asked for. */
  readonly quiet: boolean;
  /** 0 to 3. */
  readonly verbosity: number;
  /** Standard output is for a program: no messages there. */
  readonly forProgram: boolean;
}

/** Says things to whoever runs `lttng`. */
export class Console {
  constructor(
    readonly streams: ConsoleStreams,
    readonly settings: ConsoleSettings,
  ) {}

  /** Says how things went. */
  message(text: string): void {
    this.part(`${text}\n`);
  }

  /** A message without a line feed: progress. */
  part(text: string): void {
    const { quiet, forProgram } = this.settings;
    if (!quiet && !forProgram) this.streams.out(text);
  }

  /** Says what went wrong. */
  error(text: string): void {
    if (!this.settings.quiet) this.streams.err(`Error: ${text}\n`);
  }

  /** Says what may be unexpected. */
  warning(text: string): void {
    if (!this.settings.quiet) this.streams.err(`Warning: ${text}\n`);
  }

  /** More about an error, which the stock program does not say so. */
  explain(text: string): void {
    if (!this.settings.quiet) this.streams.err(`${text}\n`);
  }

  /** Says what to do next, where a person reads it. */
  hint(text: string | undefined): void {
    if (text === undefined || !this.streams.hints) return;
    if (!this.settings.quiet) this.streams.err(`Hint: ${text}\n`);
  }

  /** Says what goes on, from `-v` on; the level is 1 to 3. */
  debug(level: number, text: string): void {
    const { quiet, forProgram, verbosity } = this.settings;
    if (quiet || forProgram || verbosity < level) return;
    this.streams.err(`DEBUG${level}: ${text}\n`);
  }

  /** Prints what was asked for. */
  print(text: string): void {
    this.streams.out(text);
  }
}

/** The standard streams of this process. */
export function standardStreams(): ConsoleStreams {
  return {
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    get hints() {
      return wantsHints();
    },
  };
}

/** Variable that asks for hints, or forbids them: 1 or 0. */
export const HINTS_VARIABLE = "LTTNG_HINTS";

function wantsHints(): boolean {
  let wish: string | undefined;
  try {
    wish = Deno.env.get(HINTS_VARIABLE);
  } catch (error) {
    // `lttng view` also runs where it may only read.
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
  return wish ? wish !== "0" : Deno.stderr.isTerminal();
}

function writeAll(stream: typeof Deno.stdout, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) {
      at += stream.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    // Nobody reads any more: what was asked for is done all the same.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
