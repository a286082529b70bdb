/** Cuts TSDL, the language of CTF 1.8 metadata, into tokens. */

/** A piece of metadata text. */
export interface Token {
  readonly kind: "word" | "number" | "string" | "mark" | "end";
  /** As written; of a string what it stands for. */
  readonly text: string;
  /** Of a number what it stands for. */
  readonly number: bigint;
  /** From 1. */
  readonly line: number;
}

const TOKEN = new RegExp(
  [
    /(?<space>\s+|\/\/[^\n]*|\/\*[^]*?\*\/)/,
    /(?<word>[A-Za-z_][A-Za-z0-9_]*)/,
    /(?<number>0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*/,
    /"(?<string>(?:[^"\\]|\\[^])*)"/,
    /'(?<character>(?:[^'\\]|\\[^])+)'/,
    /(?<mark>:=|\.\.\.|->|[-+{}()[\]<>=:;,.*])/,
  ].map(({ source }) => source).join("|"),
  "y",
);

/**
 * All tokens of `text`, with one of kind `end` after them.
 *
 * @throws {SyntaxError} where something is not a token.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const match = TOKEN.exec(text);
    if (!match) {
      const found = JSON.stringify(text.slice(at, at + 10));
      throw new SyntaxError(`Line ${line}: ${found} is not TSDL`);
    }
    const token = tokenOf(match.groups!, line);
    if (token) tokens.push(token);
    for (let next = at; next < TOKEN.lastIndex; next++) {
      if (text.charCodeAt(next) === 10) line++;
    }
  }
  tokens.push({ kind: "end", text: "the end", number: 0n, line });
  return tokens;
}

function tokenOf(
  groups: Readonly<Record<string, string | undefined>>,
  line: number,
): Token | undefined {
  const { word, number, string, character, mark } = groups;
  if (word !== undefined) return { kind: "word", text: word, number: 0n, line };
  if (mark !== undefined) return { kind: "mark", text: mark, number: 0n, line };
  if (number !== undefined) {
    return { kind: "number", text: number, number: integerOf(number), line };
  }
  if (string !== undefined) {
    return { kind: "string", text: unescape(string), number: 0n, line };
  }
  if (character !== undefined) {
    const code = BigInt(unescape(character).codePointAt(0) ?? 0);
    return { kind: "number", text: character, number: code, line };
  }
  return undefined;
}

/** C's integers: a leading 0 means octal. */
function integerOf(text: string): bigint {
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text}`) : BigInt(text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Undoes C's escapes; octal and hexadecimal ones stand for bytes of UTF-8. */
function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  let bytes = "";
  const pattern = /\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[^])|([^\\]+)/g;
  for (const [, escape, plain] of text.matchAll(pattern)) {
    if (plain !== undefined) bytes += byteString(plain);
    else if (escape!.length > 1 && escape!.startsWith("x")) {
      bytes += String.fromCharCode(parseInt(escape!.slice(1), 16));
    } else if (/^[0-7]/.test(escape!)) {
      bytes += String.fromCharCode(parseInt(escape!, 8) & 0xFF);
    } else bytes += ESCAPES[escape!] ?? byteString(escape!);
  }
  const codes = Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
  return new TextDecoder().decode(codes);
}

/** One character for each byte of the text's UTF-8. */
function byteString(text: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) {
    bytes += String.fromCharCode(byte);
  }
  return bytes;
}
