/** The text form of recorded bytes, as kept in `tests/golden/`: reading and printing it. */

/**
 * Where the bytes of an exchange come from: `recorded` between two stock
 * peers; `answered`, a request of ours with the stock daemon's reply.
 */
export type Origin = "recorded" | "answered";

/** One request and what came back. */
export interface Exchange {
  /** What happened, in words. */
  readonly title: string;
  readonly origin: Origin;
  /** The minor version that both peers had agreed on. */
  readonly minor: number;
  /** Header and payload, as the producer or viewer sent them. */
  readonly request: Uint8Array;
  /** Empty where nothing came back. */
  readonly reply: Uint8Array;
  /** Whether the daemon closed the connection after it. */
  readonly closed: boolean;
}

/** Bytes in one line of text. */
const LINE_BYTES = 32;
/** Repetitions of one byte that are worth abbreviating. */
const RUN_BYTES = 24;

/** Prints bytes as hexadecimal lines, long runs as `00*4090`. */
export function printBytes(bytes: Uint8Array, mark: ">" | "<"): string[] {
  const lines: string[] = [];
  let line = "";
  function flush() {
    if (line !== "") lines.push(`${mark} ${line}`);
    line = "";
  }
  for (let i = 0; i < bytes.length;) {
    let end = i;
    while (end < bytes.length && bytes[end] === bytes[i]) end++;
    const digits = bytes[i]!.toString(16).padStart(2, "0");
    if (end - i >= RUN_BYTES) {
      flush();
      lines.push(`${mark} ${digits}*${end - i}`);
      i = end;
      continue;
    }
    line += digits;
    i++;
    if (line.length === 2 * LINE_BYTES) flush();
  }
  flush();
  return lines;
}

/** Reads one line that {@linkcode printBytes} printed, without its mark. */
export function parseBytes(text: string): Uint8Array {
  const run = /^([0-9a-f]{2})\*(\d+)$/.exec(text);
  if (run !== null) {
    return new Uint8Array(Number(run[2])).fill(parseInt(run[1]!, 16));
  }
  const digits = text.replaceAll(" ", "");
  if (!/^([0-9a-f]{2})*$/.test(digits)) {
    throw new SyntaxError(`Not hexadecimal: ${text}`);
  }
  return Uint8Array.from(
    digits.match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}

/** Prints a file of exchanges under comment lines, request headers apart. */
export function printExchanges(
  comment: readonly string[],
  exchanges: readonly Exchange[],
  headerSize: number,
): string {
  const lines = comment.map((line) => `# ${line}`.trimEnd());
  for (const { title, origin, minor, request, reply, closed } of exchanges) {
    lines.push("", `[${title}] minor ${minor}, ${origin}`);
    lines.push(...printBytes(request.subarray(0, headerSize), ">"));
    lines.push(...printBytes(request.subarray(headerSize), ">"));
    lines.push(...printBytes(reply, "<"));
    if (closed) lines.push("closed");
  }
  return lines.join("\n") + "\n";
}

/** Reads a file of exchanges; throws SyntaxError naming the line. */
export function parseExchanges(text: string): Exchange[] {
  const found: { head: RegExpExecArray; lines: string[] }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const head = /^\[(.+)\] minor (\d+), (recorded|answered)$/.exec(line);
    if (head !== null) found.push({ head, lines: [] });
    else if (/^(closed|[<>] .+)$/.test(line) && found.length > 0) {
      found.at(-1)!.lines.push(line);
    } else throw new SyntaxError(`Line ${index + 1} is no exchange: ${line}`);
  }
  return found.map(({ head, lines }) => ({
    title: head[1]!,
    minor: Number(head[2]),
    origin: head[3] as Origin,
    request: join(lines, ">"),
    reply: join(lines, "<"),
    closed: lines.includes("closed"),
  }));
}

function join(lines: string[], mark: string): Uint8Array {
  const parts = lines.filter((line) => line.startsWith(mark))
    .map((line) => parseBytes(line.slice(2)));
  return concat(...parts);
}

/** All of `parts` in one. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** The exchanges in a file of `tests/golden/`. */
export function readGolden(name: string): Exchange[] {
  const url = new URL(`../golden/${name}`, import.meta.url);
  return parseExchanges(Deno.readTextFileSync(url));
}

/** A file of JSON strings, each with the bytes that belong to it, if any. */
export function readPairs(name: string): [string, Uint8Array | undefined][] {
  const url = new URL(`../golden/${name}`, import.meta.url);
  const lines = Deno.readTextFileSync(url).split("\n");
  return lines.flatMap((line, index): [string, Uint8Array | undefined][] => {
    if (!line.startsWith('"')) return [];
    const next = lines[index + 1]!;
    const bytes = next.startsWith("= ") ? parseBytes(next.slice(2)) : undefined;
    return [[JSON.parse(line), bytes]];
  });
}
