/** Log lines: what happened, for a person or, as JSON, for a program. */

/** How much a line matters; lines below the log's level are dropped. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Facts that belong to a line, kept apart from its text for `--json`. */
export type LogFields = Readonly<
  Record<string, string | number | bigint | boolean | undefined>
>;

/** Somewhere that lines go. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** What {@linkcode createLog} needs. */
export interface LogOptions {
  /** The least level that is written. */
  level: LogLevel;
  /** One JSON object a line instead of text. */
  json: boolean;
  /** Takes one finished line, without its line feed. */
  write: (line: string) => void;
  /** Milliseconds since 1970, for the `time` of JSON lines. */
  now: () => number;
}

/** A log that hands finished lines to `options.write`. */
export function createLog(options: LogOptions): Log {
  const least = ORDER.indexOf(options.level);
  function at(level: LogLevel) {
    return (message: string, fields: LogFields = {}) => {
      if (ORDER.indexOf(level) < least) return;
      options.write(
        options.json
          ? jsonLine(level, message, fields, options.now())
          : textLine(level, message),
      );
    };
  }
  return {
    debug: at("debug"),
    info: at("info"),
    warning: at("warning"),
    error: at("error"),
  };
}

/** A log that keeps nothing. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warning: () => {},
  error: () => {},
};

function textLine(level: LogLevel, message: string): string {
  const text = oneLine(message);
  switch (level) {
    case "warning":
      return `Warning: ${text}`;
    case "error":
      return `Error: ${text}`;
    case "debug":
      return `DEBUG: ${text}`;
    case "info":
      return text;
  }
}

/**
 * Control characters as `\xNN`: a peer chooses parts of messages, and must not
 * be able to forge a line or steer the operator's terminal.
 */
function oneLine(message: string): string {
  return message.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}

function jsonLine(
  level: LogLevel,
  message: string,
  fields: LogFields,
  now: number,
): string {
  // The line's own keys come last, so that no field can replace them.
  const own = { time: new Date(now).toISOString(), level, message };
  return JSON.stringify({ ...own, ...fields, ...own }, jsonValue);
}

/** A 64-bit number as a number where that is exact, as text where it is not. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
