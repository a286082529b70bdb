/** Turns a filter of LTTng into one that the kernel applies itself. */

import type { EventFormat, FormatField } from "./format.ts";
import type { PlannedField } from "./plan.ts";
import { argumentOfText, isTextArgument } from "./syscall_types.ts";

/** A filter that the kernel cannot apply, and why. */
export class FilterError extends Error {
  override name = "FilterError";
}

/** A filter that speaks of a field which the event does not have. */
export class UnknownFieldError extends FilterError {
  override name = "UnknownFieldError";
}

/** A filter as a tree: what a parser of LTTng's filter language makes. */
export type FilterExpression =
  | { readonly kind: "integer"; readonly number: bigint }
  | { readonly kind: "float"; readonly number: number }
  | {
    readonly kind: "string";
    readonly text: string;
    /** How much of it is a pattern, in which `*` is any text. */
    readonly pattern: "plain" | "star at end" | "pattern";
  }
  | {
    readonly kind: "path";
    /** `application` contexts are no kernel's. */
    readonly root: "payload" | "context" | "application";
    readonly elements: readonly {
      readonly name: string;
      readonly index: bigint | undefined;
    }[];
  }
  | {
    readonly kind: "unary";
    readonly operator: "-" | "!" | "~";
    readonly operand: FilterExpression;
  }
  | {
    readonly kind: "binary";
    readonly operator:
      | ("&&" | "||" | "==" | "!=" | "<" | ">" | "<=" | ">=")
      | ("|" | "^" | "&" | "<<" | ">>");
    readonly left: FilterExpression;
    readonly right: FilterExpression;
  };

/** What a filter can speak of. */
export interface FilterScope {
  readonly format: EventFormat;
  readonly fields: readonly PlannedField[];
}

/** Contexts that tracefs has under another name. */
const CONTEXTS: Readonly<Record<string, Operand>> = {
  tid: { name: "common_pid", kind: "integer", shift: 0n },
  cpu_id: { name: "CPU", kind: "integer", shift: 0n },
  procname: { name: "COMM", kind: "text", shift: 0n },
};

/** A name on the left of a comparison. */
interface Operand {
  /** As tracefs calls it. */
  readonly name: string;
  readonly kind: "integer" | "text";
  /** What LTTng's value is more than tracefs's. */
  readonly shift: bigint;
  /** What text is compared with, where that is not the field itself. */
  readonly textName?: string | undefined;
  /** A signed 32-bit argument of a system call, in 64 bits without a sign. */
  readonly isSignedArgument?: boolean;
}

/** Comparisons, and what they become when their sides change places. */
const MIRRORED: Readonly<Record<string, string>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  ">": "<",
  "<=": ">=",
  ">=": "<=",
};

/**
 * The filter in tracefs's language, for one event.
 *
 * @throws {FilterError} where the kernel has nothing like it; the message is
 * the reason.
 */
export function toTracefsFilter(
  filter: FilterExpression,
  scope: FilterScope,
): string {
  return new Translator(scope).truth(filter);
}

class Translator {
  readonly #scope: FilterScope;

  constructor(scope: FilterScope) {
    this.#scope = scope;
  }

  /** An expression that is true or false. */
  truth(filter: FilterExpression): string {
    if (filter.kind === "path") return `${this.#integer(filter).name} != 0`;
    if (filter.kind === "unary" && filter.operator === "!") {
      return `!(${this.truth(filter.operand)})`;
    }
    if (filter.kind !== "binary") {
      throw this.#refusal("a constant, or arithmetic, is no condition there");
    }
    const { operator, left, right } = filter;
    if (operator === "&&" || operator === "||") {
      return `(${this.truth(left)}) ${operator} (${this.truth(right)})`;
    }
    if (operator === "&") return this.#mask(left, right);
    if (!Object.hasOwn(MIRRORED, operator)) {
      throw this.#refusal(`it has no operator "${operator}"`);
    }
    return this.#comparison(operator, left, right);
  }

  #comparison(
    operator: string,
    left: FilterExpression,
    right: FilterExpression,
  ): string {
    if (left.kind !== "path") {
      if (right.kind !== "path") {
        throw this.#refusal("a comparison needs a field on one side");
      }
      return this.#comparison(MIRRORED[operator]!, right, left);
    }
    if (right.kind === "path") {
      throw this.#refusal("it cannot compare two fields");
    }
    if (right.kind === "string") return this.#text(operator, left, right);
    const value = constantOf(right);
    if (value === undefined) {
      throw this.#refusal(
        "it compares fields with whole numbers and text only",
      );
    }
    const { name, shift, isSignedArgument } = this.#integer(left);
    if (isSignedArgument !== true) {
      return `${name} ${operator} ${value - shift}`;
    }
    return this.#argument(name, operator, value);
  }

  /** Programs leave the upper half of an argument as 0, or as its sign. */
  #argument(name: string, operator: string, value: bigint): string {
    if (operator !== "==" && operator !== "!=") {
      throw this.#refusal(
        `it keeps "${name}" without its sign: only == and != work`,
      );
    }
    const short = BigInt.asUintN(32, value);
    const long = BigInt.asUintN(64, value);
    if (short === long) return `${name} ${operator} ${short}`;
    const either = operator === "==" ? "||" : "&&";
    return `(${name} ${operator} ${short} ${either} ` +
      `${name} ${operator} ${long})`;
  }

  /** `field & mask`, which is true where any of the bits is set. */
  #mask(left: FilterExpression, right: FilterExpression): string {
    if (left.kind !== "path") {
      if (right.kind === "path") return this.#mask(right, left);
      throw this.#refusal("a mask needs a field on one side");
    }
    const value = constantOf(right);
    const { name, shift } = this.#integer(left);
    if (value === undefined || shift !== 0n) {
      throw this.#refusal("a mask is one field and one whole number");
    }
    return `${name} & ${value}`;
  }

  #text(
    operator: string,
    left: Extract<FilterExpression, { kind: "path" }>,
    right: Extract<FilterExpression, { kind: "string" }>,
  ): string {
    const operand = this.#operand(left);
    if (operand.kind !== "text" && operand.textName === undefined) {
      throw this.#refusal(`"${operand.name}" is a number, not text`);
    }
    const name = operand.textName ?? operand.name;
    if (operator !== "==" && operator !== "!=") {
      throw this.#refusal(`text has no operator "${operator}"`);
    }
    const quoted = this.#quote(right);
    if (right.pattern === "plain") return `${name} ${operator} ${quoted}`;
    const match = `${name} ~ ${quoted}`;
    return operator === "==" ? match : `!(${match})`;
  }

  #quote({ text, pattern }: { text: string; pattern: string }): string {
    const isPattern = pattern !== "plain";
    if (text.includes("\\")) {
      throw this.#refusal('it has no "\\" in text');
    }
    if (text.includes('"') && text.includes("'")) {
      throw this.#refusal("it has no text with both kinds of quotes");
    }
    if (isPattern && /[?[\]]/.test(text)) {
      throw this.#refusal('"?" and "[" mean something else in its patterns');
    }
    return text.includes('"') ? `'${text}'` : `"${text}"`;
  }

  #integer(path: Extract<FilterExpression, { kind: "path" }>): Operand {
    const operand = this.#operand(path);
    if (operand.kind === "integer") return operand;
    throw this.#refusal(`"${operand.name}" is text, not a number`);
  }

  #operand(
    { root, elements }: Extract<FilterExpression, { kind: "path" }>,
  ): Operand {
    const [element] = elements;
    if (element === undefined || elements.length !== 1) {
      throw this.#refusal("its fields have no fields of their own");
    }
    if (element.index !== undefined) {
      throw this.#refusal("it has no indexes");
    }
    const { name } = element;
    if (root === "payload") return this.#field(name);
    const context = root === "context" && Object.hasOwn(CONTEXTS, name)
      ? CONTEXTS[name]
      : undefined;
    if (context !== undefined) return context;
    throw this.#refusal(
      `of contexts it knows ${Object.keys(CONTEXTS).join(", ")}, not "${name}"`,
    );
  }

  #field(name: string): Operand {
    const { format, fields } = this.#scope;
    const field = fields.find((field) => field.name === name);
    if (field === undefined) {
      throw new UnknownFieldError(
        `Cannot filter ${format.system}:${format.name}: it has no field ` +
          `"${name}"`,
      );
    }
    const { source } = field;
    switch (source.kind) {
      case "bytes":
        return {
          name: this.#fieldAt(source.at).name,
          kind: isTextType(field) ? "text" : "integer",
          shift: 0n,
          textName: this.#userText(source.at),
        };
      case "integer":
        return {
          name: this.#fieldAt(source.at).name,
          kind: "integer",
          shift: BigInt(source.add),
          isSignedArgument: source.size === 8 && source.width === 4 &&
            !source.signed && isSigned(field),
        };
      case "text":
      case "padded":
      case "text elements":
        return {
          name: this.#fieldAt(source.place.at).name,
          kind: "text",
          shift: 0n,
          textName: this.#userText(source.place.at),
        };
      default:
        throw this.#refusal(`it does not know "${name}" as LTTng writes it`);
    }
  }

  #fieldAt(at: number): FormatField {
    const { fields, common } = this.#scope.format;
    return [...fields, ...common].find(({ offset }) => offset === at)!;
  }

  /**
   * The text in a program's memory that a system call is given the address of.
   * What the kernel records of it since Linux 6.19 may be cut.
   */
  #userText(at: number): string | undefined {
    const { format } = this.#scope;
    if (format.system !== "syscalls") return undefined;
    const field = this.#fieldAt(at);
    const argument = argumentOfText(field, format) ?? field;
    return isTextArgument(argument) ? `${argument.name}.ustring` : undefined;
  }

  #refusal(reason: string): FilterError {
    const { system, name } = this.#scope.format;
    return new FilterError(
      `Cannot filter ${system}:${name} in the kernel: ${reason}`,
    );
  }
}

function isSigned({ type }: PlannedField): boolean {
  const integer = type.kind === "enumeration" ? type.container : type;
  return integer.kind === "integer" && integer.signed;
}

function isTextType({ type }: PlannedField): boolean {
  return type.kind === "array" && type.element.kind === "integer" &&
    type.element.encoding !== undefined;
}

/** The whole number that an expression is. */
function constantOf(expression: FilterExpression): bigint | undefined {
  if (expression.kind === "integer") return expression.number;
  if (expression.kind !== "unary") return undefined;
  const value = constantOf(expression.operand);
  if (value === undefined) return undefined;
  switch (expression.operator) {
    case "-":
      return -value;
    case "~":
      return ~value;
    case "!":
      return undefined;
  }
}
