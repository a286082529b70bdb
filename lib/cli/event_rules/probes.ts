/** Probes as `lttng enable-event` takes them. */

import type {
  KernelProbe,
  UserspaceProbeLocation,
} from "../../control/recording_types.ts";
import { parseCount } from "../lttng/quantity.ts";
import { CommandFailure } from "../lttng/status.ts";

/**
 * Reads `SYMBOL`, `SYMBOL+OFFSET` or an address.
 *
 * @throws {CommandFailure} When it is none of them.
 */
export function parseKernelProbe(text: string, what: string): KernelProbe {
  const [, base, offset] = /^([^'+]+)\+(\S{1,18})/.exec(text) ?? [];
  if (base !== undefined && offset !== undefined) {
    return { symbol: base, offset: parseCount(offset) ?? 0n };
  }
  if (/^[A-Za-z_]/.test(text)) return { symbol: text.split(/\s/)[0] };
  const [, address = ""] = /^\s*(\S{1,18})/.exec(text) ?? [];
  if (/^\d/.test(address)) return { address: parseCount(address) ?? 0n };
  const detail = address === ""
    ? ""
    : `Invalid probe description ${address}\nError: `;
  throw new CommandFailure(`${detail}Unable to parse ${what} options`);
}

/**
 * Reads `[elf:]PATH:FUNCTION` or `sdt:PATH:PROVIDER:PROBE`; colons in paths
 * stand behind a backslash.
 *
 * @throws {CommandFailure} When it is none of them, or there is no such file.
 */
export function parseUserspaceProbe(text: string): UserspaceProbeLocation {
  const words = splitEscaped(text, ":");
  const [method, path, provider, probe] = words;
  if (words.length === 4 && method === "sdt") {
    return {
      path: programPath(path ?? ""),
      lookup: "sdt",
      providerName: provider ?? "",
      probeName: probe ?? "",
    };
  }
  if (words.length === 2 || (words.length === 3 && method === "elf")) {
    const [file = "", functionName = ""] = words.slice(-2);
    return { path: programPath(file), lookup: "elf", functionName };
  }
  throw new CommandFailure("Unable to parse userspace probe options");
}

/** Splits at `separator`, unless a backslash precedes it, which goes away. */
export function splitEscaped(text: string, separator: string): string[] {
  const words: string[] = [];
  let word = "";
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    const next = text.charAt(i + 1);
    if (letter === "\\" && next !== "") {
      // Other escapes are left to whoever reads the word.
      word += next === separator ? next : letter + next;
      i++;
    } else if (letter === separator) {
      words.push(word);
      word = "";
    } else word += letter;
  }
  return [...words, word];
}

function programPath(written: string): string {
  const path = written.replaceAll(/\\(.)/g, "$1");
  if (!path.includes("/")) {
    const found = searchPath(path);
    if (found !== undefined) return found;
    throw new CommandFailure(
      "Binary not found.\nError: Unable to parse userspace probe options",
    );
  }
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  if (isThere(absolute)) return absolute;
  throw new CommandFailure(
    `Cannot find binary at path: ${absolute}.\n` +
      "Error: Unable to parse userspace probe options",
  );
}

function searchPath(program: string): string | undefined {
  return (Deno.env.get("PATH") ?? "").split(":")
    .map((directory) => `${directory}/${program}`)
    .find((path) => isThere(path));
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}
