/** Splits a filter into words (`src/common/filter/filter-lexer.l` upstream). */

import { FilterError, type Span } from "./error.ts";

/** How much of a string is a pattern. */
export type PatternKind = "plain" | "star at end" | "pattern";

/** A word of a filter. */
export type Token =
  & Span
  & (
    /** The text of names keeps a leading `$`. */
    | { readonly kind: "name"; readonly text: string }
    | { readonly kind: "integer"; readonly value: bigint }
    | { readonly kind: "float"; readonly value: number }
    | {
      readonly kind: "string";
      /** As written, but for runs of `*`, which are one. */
      readonly text: string;
      readonly pattern: PatternKind;
    }
    | { readonly kind: "operator"; readonly text: string }
    | { readonly kind: "end" }
  );

const SPACE = /(?:[ \t\n\r\v\f]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const NAME =
  /\$?(?:[A-Za-z_:]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})(?:[A-Za-z0-9_:]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*/y;
const FLOAT =
  /(?:0[xX](?:[0-9A-Fa-f]+\.?[0-9A-Fa-f]*|\.[0-9A-Fa-f]+)[pP][+-]?\d+|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)[fFlL]?/y;
const INTEGER =
  /(0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9]\d*)(?:[uU](?:ll?|LL?)?|(?:ll?|LL?)[uU]?)?/y;
const OPERATOR = /->|<<|>>|<=|>=|==|!=|&&|\|\||[[\]().+\-~!*/%<>^|&]/y;
const QUOTE = /L?["']/y;

const LARGEST_INTEGER = (1n << 64n) - 1n;

/** The words of `text`, the last of them its end. */
export function splitFilter(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  function match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    return pattern.exec(text) ?? undefined;
  }
  for (;;) {
    at += match(SPACE)?.[0].length ?? 0;
    if (at === text.length) break;
    const token = next(text, at, match);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", start: at, end: at });
  return tokens;
}

function next(
  text: string,
  start: number,
  match: (pattern: RegExp) => RegExpExecArray | undefined,
): Token {
  const quote = match(QUOTE);
  if (quote !== undefined) return readString(text, start, quote[0]);
  const name = match(NAME)?.[0];
  if (name !== undefined) {
    return { kind: "name", text: name, start, end: start + name.length };
  }
  const float = match(FLOAT)?.[0];
  if (float !== undefined) {
    const span = { start, end: start + float.length };
    return { kind: "float", value: floatOf(float, span), ...span };
  }
  const integer = match(INTEGER);
  if (integer !== undefined) {
    const span = { start, end: start + integer[0].length };
    return { kind: "integer", value: integerOf(integer[1]!, span), ...span };
  }
  if (text.startsWith("/*", start)) {
    const span = { start, end: text.length };
    throw new FilterError("a comment that does not end", span);
  }
  const operator = match(OPERATOR)?.[0];
  if (operator !== undefined) {
    const end = start + operator.length;
    return { kind: "operator", text: operator, start, end };
  }
  const character = String.fromCodePoint(text.codePointAt(start)!);
  throw new FilterError(
    character === "="
      ? '"=" compares nothing: use "=="'
      : `${JSON.stringify(character)} has no meaning here`,
    { start, end: start + character.length },
  );
}

function integerOf(digits: string, span: Span): bigint {
  const isOctal = /^0[0-7]+$/.test(digits);
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (value > LARGEST_INTEGER) {
    throw new FilterError(`${digits} > ${LARGEST_INTEGER}`, span);
  }
  return value;
}

function floatOf(text: string, span: Span): number {
  const isHexadecimal = /^0x/i.test(text);
  // "f" is a digit of a hexadecimal mantissa, but not after the exponent.
  const digits = text.replace(/[fFlL]$/, "");
  const value = isHexadecimal ? hexadecimalFloat(digits) : Number(digits);
  if (Number.isFinite(value)) return value;
  throw new FilterError(
    `${text} is too large for a floating point number`,
    span,
  );
}

function hexadecimalFloat(text: string): number {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/i.exec(text) ?? [];
  const mantissa = Number(BigInt(`0x0${whole}${fraction}`));
  return mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
}

function readString(text: string, start: number, opening: string): Token {
  const quote = opening.at(-1)!;
  let content = "";
  let at = start + opening.length;
  for (; text[at] !== quote; at++) {
    const character = text[at];
    if (character === undefined) {
      throw new FilterError(`a string without its closing ${quote}`, {
        start,
        end: text.length,
      });
    }
    // Upstream drops line feeds.
    if (character === "\n") continue;
    content += character;
    if (character !== "\\") continue;
    const escaped = text[++at];
    if (escaped !== "\\" && escaped !== "*") {
      throw new FilterError(
        'Unsupported escape character detected: only "\\\\" and "\\*" are known',
        { start: at - 1, end: Math.min(at + 1, text.length) },
      );
    }
    content += escaped;
  }
  const pattern = patternOf(content);
  const end = at + 1;
  return { kind: "string", text: collapse(content), pattern, start, end };
}

/** What the stars that no backslash precedes make of a string. */
function patternOf(content: string): PatternKind {
  const bare = content.replace(/\\./g, "__");
  const star = bare.indexOf("*");
  if (star < 0) return "plain";
  return star === bare.length - 1 ? "star at end" : "pattern";
}

/** One star for each run of them. */
function collapse(content: string): string {
  return content.replace(/\\.|\*+/g, (part) => part[0] === "*" ? "*" : part);
}
