/** Reads TSDL tokens one after the other, and the values made of few of them. */

import type { Token } from "./lexer.ts";

/** What an attribute, `name = value`, may be given. */
export type AttributeValue = string | bigint;

/** What every parser of TSDL needs. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  /** @param tokens With one of kind `end` after them. */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  protected get token(): Token {
    return this.#tokens[this.#at]!;
  }

  /** The token after the next. */
  protected get following(): Token {
    return this.#tokens[this.#at + 1] ?? this.token;
  }

  protected next(): Token {
    const token = this.token;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  protected is(text: string): boolean {
    const { kind, text: found } = this.token;
    return found === text && (kind === "mark" || kind === "word");
  }

  protected accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  protected expect(text: string): void {
    if (!this.accept(text)) this.fail(`"${text}" expected`);
  }

  protected fail(detail: string): never {
    const { line, text } = this.token;
    throw new SyntaxError(
      `Line ${line}: ${detail}, not ${JSON.stringify(text)}`,
    );
  }

  protected word(): string {
    if (this.token.kind !== "word") this.fail("A name expected");
    return this.next().text;
  }

  /** `{ name = value; … }`. */
  protected parseAttributes(): Map<string, AttributeValue> {
    const attributes = new Map<string, AttributeValue>();
    this.expect("{");
    while (!this.accept("}")) {
      const name = this.parsePath().join(".");
      this.expect("=");
      attributes.set(name, this.parseValue());
      if (!this.is("}")) this.expect(";");
    }
    return attributes;
  }

  /** `a.b.c`; an array's index is left out. */
  protected parsePath(): string[] {
    const path = [this.word()];
    while (this.accept(".") || this.accept("->")) path.push(this.word());
    return path;
  }

  /** A string, an integer, or a path as text. */
  protected parseValue(): AttributeValue {
    const { kind } = this.token;
    if (kind === "string") return this.next().text;
    if (kind === "word") return this.parsePath().join(".");
    return this.parseInteger();
  }

  protected parseInteger(): bigint {
    const isNegative = this.accept("-");
    if (!isNegative) this.accept("+");
    if (this.token.kind !== "number") this.fail("An integer expected");
    const { number } = this.next();
    return isNegative ? -number : number;
  }
}
