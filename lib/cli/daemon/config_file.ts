/** LTTng's configuration files: INI sections of `key = value` lines. */

/** One `key = value` line. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
  /** Line number, from 1. */
  readonly line: number;
}

/**
 * The entries of `[section]` in `text`, in order.
 *
 * As LTTng reads them: `:` stands for `=`, a line that starts with `;` or `#` is
 * a comment, and ` ;` after a value starts one. There is no quoting.
 *
 * @throws {SyntaxError} With the number of the first line that is neither.
 */
export function parseConfigFile(text: string, section: string): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  let current = "";
  for (
    const [index, raw] of text.replace(/^\uFEFF/, "").split("\n").entries()
  ) {
    const content = raw.trim();
    if (content === "" || /^[;#]/.test(content)) continue;
    const line = index + 1;
    const header = /^\[([^\]]*)\]/.exec(content);
    if (header !== null) {
      current = header[1] ?? "";
      continue;
    }
    const pair = /^([^=]*?)\s*=\s*(.*)$/.exec(content) ??
      /^([^:]*?)\s*:\s*(.*)$/.exec(content);
    if (pair === null || pair[1] === "") {
      throw new SyntaxError(
        `Line ${line}: Neither [section] nor key = value: ${content}`,
      );
    }
    if (current !== section) continue;
    const value = (pair[2] ?? "").replace(/(^|\s+);.*$/, "");
    entries.push({ key: pair[1] ?? "", value, line });
  }
  return entries;
}
