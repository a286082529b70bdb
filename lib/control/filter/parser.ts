/**
 * Makes a tree of a filter and checks that it means something
 * (`filter-parser.y`, `filter-visitor-generate-ir.c`, `-ir-validate-*.c`).
 * Bitwise operators bind tighter than comparisons here, unlike in C.
 */

import { FilterError, type Span } from "./error.ts";
import { type PatternKind, splitFilter, type Token } from "./lexer.ts";

/** What is known of a value before the filter runs. */
export type ValueKind = "field" | "integer" | "float" | "string";

/** What an expression has beyond its own. */
interface Expression extends Span {
  readonly value: ValueKind;
  /** Levels below it, itself with them. */
  readonly depth: number;
}

/** A part of a path: a name, with the index of an entry of it. */
export interface PathElement {
  readonly name: string;
  readonly index: bigint | undefined;
}

/** Where a path starts. */
export type PathRoot = "payload" | "context" | "application";

/** An expression: what it stands for in the bytecode. */
export type Node =
  & Expression
  & (
    | { readonly kind: "integer"; readonly number: bigint }
    | { readonly kind: "float"; readonly number: number }
    | {
      readonly kind: "string";
      readonly text: string;
      readonly pattern: PatternKind;
    }
    | {
      readonly kind: "path";
      readonly root: PathRoot;
      readonly elements: readonly PathElement[];
    }
    | {
      readonly kind: "unary";
      readonly operator: UnaryOperator;
      readonly operand: Node;
    }
    | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Node;
      readonly right: Node;
    }
  );

export type UnaryOperator = "-" | "!" | "~";
export type LogicalOperator = "&&" | "||";
export type BinaryOperator =
  | LogicalOperator
  | ("==" | "!=" | "<" | ">" | "<=" | ">=" | "|" | "^" | "&" | "<<" | ">>");

/** Operators from loosest to tightest; those of a row bind alike. */
const LEVELS: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", ">", "<=", ">="],
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];
const UNSUPPORTED = ["+", "-", "*", "/", "%"];
const BITWISE = ["|", "^", "&", "<<", ">>"];
const LOGICAL = ["&&", "||"];
const EQUALITY = ["==", "!="];

/** Deeper, a filter is refused before it exhausts the stack. */
const DEPTH_MAXIMUM = 2000;
/** Most parentheses and brackets open at once: each costs a call for every level. */
const OPEN_MAXIMUM = 200;

/**
 * The tree of a filter.
 *
 * @throws {FilterError} When it is none.
 */
export function parseFilter(text: string): Node {
  const parser = new Parser(splitFilter(text));
  const root = parser.whole();
  if (root.value === "string" || root.value === "float") {
    throw new FilterError(
      `a ${root.value} alone is neither true nor false`,
      root,
    );
  }
  return root;
}

class Parser {
  #at = 0;
  #open = 0;

  constructor(readonly tokens: readonly Token[]) {}

  whole(): Node {
    const root = this.#binary(0);
    if (this.#token.kind !== "end") throw this.#unexpected();
    return root;
  }

  get #token(): Token {
    return this.tokens[this.#at]!;
  }

  /** The operator that comes next, if it is one of `texts`. */
  #operator(texts: readonly string[]): (Token & { text: string }) | undefined {
    const token = this.#token;
    if (token.kind !== "operator" || !texts.includes(token.text)) {
      return undefined;
    }
    this.#at++;
    return token;
  }

  #unexpected(): FilterError {
    const token = this.#token;
    if (token.kind !== "end") {
      return new FilterError("syntax error: not expected here", token);
    }
    return new FilterError("syntax error: the filter ends too early", token);
  }

  #binary(level: number): Node {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = this.#operator(operators);
      if (operator === undefined) return left;
      const right = this.#binary(level + 1);
      left = binaryNode(left, operator, right);
    }
  }

  #unary(): Node {
    const signs: (Token & { text: string })[] = [];
    for (;;) {
      const sign = this.#operator(["+", "-", "!", "~"]);
      if (sign === undefined) break;
      signs.push(sign);
    }
    return signs.reduceRight(unaryNode, this.#primary());
  }

  #primary(): Node {
    const token = this.#token;
    const span = { start: token.start, end: token.end };
    switch (token.kind) {
      case "integer":
        this.#at++;
        return integerNode(token.value, span);
      case "float":
        this.#at++;
        return {
          ...{ kind: "float", value: "float", number: token.value },
          ...{ depth: 1, ...span },
        };
      case "string":
        this.#at++;
        return { ...token, value: "string", depth: 1 };
      case "name":
        return this.#path();
      case "operator":
        if (token.text === "(") return this.#group();
        throw this.#unexpected();
      case "end":
        throw this.#unexpected();
    }
  }

  #group(): Node {
    const { start } = this.#token;
    this.#enter();
    this.#at++;
    const inner = this.#binary(0);
    if (this.#operator([")"]) === undefined) throw this.#unexpected();
    this.#open--;
    return { ...inner, start, end: this.tokens[this.#at - 1]!.end };
  }

  /** Before what may hold another like it. */
  #enter(): void {
    if (++this.#open > OPEN_MAXIMUM) throw tooDeep(this.#token, OPEN_MAXIMUM);
  }

  #path(): Node {
    const first = this.#token;
    const names: (Token & { kind: "name" })[] = [];
    const elements: PathElement[] = [];
    do {
      const token = this.#token;
      if (token.kind !== "name") throw this.#unexpected();
      this.#at++;
      names.push(token);
      elements.push({ name: token.text, index: this.#index() });
    } while (this.#operator([".", "->"]) !== undefined);
    const span = { start: first.start, end: this.tokens[this.#at - 1]!.end };
    return pathNode(elements, names, span);
  }

  #index(): bigint | undefined {
    let index: bigint | undefined;
    for (;;) {
      const open = this.#operator(["["]);
      if (open === undefined) return index;
      this.#enter();
      const constant = this.#unary();
      this.#open--;
      if (constant.kind !== "integer") {
        throw new FilterError(
          "Expecting constant index in array expression",
          constant,
        );
      }
      const close = this.#operator(["]"]);
      if (close === undefined) throw this.#unexpected();
      if (index !== undefined) {
        // Upstream drops all but the first, and so tests something else.
        throw new FilterError("only one index can follow a name", {
          start: open.start,
          end: close.end,
        });
      }
      index = constant.number;
    }
  }
}

function integerNode(number: bigint, span: Span): Node {
  return { kind: "integer", value: "integer", depth: 1, number, ...span };
}

const ROOTS: ReadonlyMap<string, PathRoot> = new Map([
  ["$ctx", "context"],
  ["$app", "application"],
]);

function pathNode(
  elements: readonly PathElement[],
  names: readonly Span[],
  span: Span,
): Node {
  const [first] = elements;
  const base = { kind: "path", value: "field", depth: 1, ...span } as const;
  if (first === undefined || !first.name.startsWith("$")) {
    return { ...base, root: "payload", elements };
  }
  const root = ROOTS.get(first.name);
  if (root === undefined) {
    throw new FilterError(
      `Unexpected identifier ${first.name}: only $ctx and $app are known`,
      names[0]!,
    );
  }
  if (elements.length === 1 || first.index !== undefined) {
    throw new FilterError(`Expecting identifier after ${first.name}`, span);
  }
  return { ...base, root, elements: elements.slice(1) };
}

function tooDeep(span: Span, most = DEPTH_MAXIMUM): FilterError {
  return new FilterError(`nested deeper than ${most} levels`, span);
}

function unaryNode(operand: Node, operator: Token & { text: string }): Node {
  const span = { start: operator.start, end: operand.end };
  if (operand.value === "string") {
    throw new FilterError(
      `unary operation ${operator.text} not allowed on a string`,
      span,
    );
  }
  if (operator.text === "+") return { ...operand, ...span };
  const depth = operand.depth + 1;
  if (depth > DEPTH_MAXIMUM) throw tooDeep(span);
  const { value } = operand;
  const text = operator.text as UnaryOperator;
  return { kind: "unary", value, depth, operator: text, operand, ...span };
}

function binaryNode(
  left: Node,
  { text, start, end }: Token & { text: string },
  right: Node,
): Node {
  if (UNSUPPORTED.includes(text)) {
    throw new FilterError(`binary operation ${text} not supported`, {
      start,
      end,
    });
  }
  const span = { start: left.start, end: right.end };
  const operands = [left, right];
  const string = operands.find(({ value }) => value === "string");
  const float = operands.find(({ value }) => value === "float");
  if (LOGICAL.includes(text) || BITWISE.includes(text)) {
    const what = LOGICAL.includes(text) ? "logical" : "bitwise";
    if (string !== undefined) {
      throw new FilterError(`${what} ${text} cannot have a string`, string);
    }
    if (what === "bitwise" && float !== undefined) {
      throw new FilterError(
        `bitwise ${text} cannot have a floating point number`,
        float,
      );
    }
  } else checkComparison(left, text, right, span);
  const depth = Math.max(left.depth, right.depth) + 1;
  if (depth > DEPTH_MAXIMUM) throw tooDeep({ start, end });
  const operator = text as BinaryOperator;
  const value = "integer";
  return { kind: "binary", value, depth, operator, left, right, ...span };
}

function checkComparison(
  left: Node,
  operator: string,
  right: Node,
  span: Span,
): void {
  const isNumber = ({ value }: Node) =>
    value === "integer" || value === "float";
  if (
    (left.value === "string" && isNumber(right)) ||
    (right.value === "string" && isNumber(left))
  ) {
    throw new FilterError(
      `${operator} cannot compare a string with a number`,
      span,
    );
  }
  const patterns = [left, right].map((node) =>
    node.kind === "string" ? node.pattern : "plain"
  );
  if (!patterns.includes("pattern")) return;
  if (!patterns.includes("plain")) {
    throw new FilterError("two patterns cannot be compared", span);
  }
  if (!EQUALITY.includes(operator)) {
    throw new FilterError(
      "only == and != are allowed with a globbing pattern",
      span,
    );
  }
}
