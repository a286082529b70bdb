/**
 * Turns a filter's tree into bytecode for the tracers' stack machine
 * (`filter-visitor-generate-bytecode.c`, `filter-bytecode.h`).
 */

import type {
  BinaryOperator,
  Node,
  PathRoot,
  UnaryOperator,
} from "./parser.ts";

/** Operations that a client emits; tracers replace some by others. */
const Op = {
  RETURN: 1,
  AND: 57,
  OR: 58,
  LOAD_FIELD_REFERENCE: 59,
  LOAD_STRING: 64,
  LOAD_INTEGER: 65,
  LOAD_FLOAT: 66,
  CAST_TO_INTEGER: 67,
  CAST_FLOAT_TO_INTEGER: 68,
  CONTEXT_REFERENCE: 70,
  LOAD_PATTERN: 76,
  CONTEXT_ROOT: 79,
  APPLICATION_ROOT: 80,
  PAYLOAD_ROOT: 81,
  GET_SYMBOL: 82,
  GET_INDEX: 85,
  LOAD_FIELD: 86,
} as const;

const unaryOps: Readonly<Record<UnaryOperator, number>> = {
  "-": 49,
  "!": 50,
  "~": 98,
};

const binaryOps: Readonly<Record<BinaryOperator, number>> = {
  ">>": 7,
  "<<": 8,
  "&": 9,
  "|": 10,
  "^": 11,
  "==": 12,
  "!=": 13,
  ">": 14,
  "<": 15,
  ">=": 16,
  "<=": 17,
  "&&": Op.AND,
  "||": Op.OR,
};

const rootOps: Readonly<Record<PathRoot, number>> = {
  payload: Op.PAYLOAD_ROOT,
  context: Op.CONTEXT_ROOT,
  application: Op.APPLICATION_ROOT,
};

const prefixes: Readonly<Record<PathRoot, string>> = {
  payload: "",
  context: "$ctx.",
  application: "$app.",
};

/** Stands where the tracer puts what it knows of a symbol. */
const UNRESOLVED = 0xFFFF;

const encoder = new TextEncoder();

/** Bytes that grow. */
class Bytes {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  u8(value: number): void {
    this.#bytes.push(value);
  }

  u16(value: number): void {
    this.#bytes.push(value & 0xFF, value >> 8 & 0xFF);
  }

  setU16(offset: number, value: number): void {
    this.#bytes[offset] = value & 0xFF;
    this.#bytes[offset + 1] = value >> 8 & 0xFF;
  }

  u64(value: bigint): void {
    for (let shift = 0n; shift < 64n; shift += 8n) {
      this.#bytes.push(Number(value >> shift & 0xFFn));
    }
  }

  f64(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    this.u64(view.getBigUint64(0, true));
  }

  text(value: string): void {
    for (const byte of encoder.encode(value)) this.#bytes.push(byte);
    this.#bytes.push(0);
  }

  toArray(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}

/** A filter for the stack machine, before it is packed. */
export interface Program {
  readonly code: Uint8Array<ArrayBuffer>;
  /** Which operation needs which symbol: u16 offset and text, repeated. */
  readonly relocations: Uint8Array<ArrayBuffer>;
}

/** The program of a whole filter. */
export function generate(root: Node): Program {
  const generator = new Generator();
  generator.emit(root);
  generator.code.u8(Op.RETURN);
  return {
    code: generator.code.toArray(),
    relocations: generator.relocations.toArray(),
  };
}

class Generator {
  readonly code = new Bytes();
  readonly relocations = new Bytes();

  emit(node: Node): void {
    const { code } = this;
    switch (node.kind) {
      case "integer":
        code.u8(Op.LOAD_INTEGER);
        code.u64(node.number);
        break;
      case "float":
        code.u8(Op.LOAD_FLOAT);
        code.f64(node.number);
        break;
      case "string":
        code.u8(node.pattern === "pattern" ? Op.LOAD_PATTERN : Op.LOAD_STRING);
        code.text(node.text);
        break;
      case "path":
        this.#path(node);
        break;
      case "unary":
        this.emit(node.operand);
        code.u8(unaryOps[node.operator]);
        break;
      case "binary":
        this.#binary(node);
        break;
    }
  }

  #path({ root, elements }: Node & { kind: "path" }): void {
    const { code } = this;
    if (elements.every(({ index }) => index === undefined)) {
      const names = elements.map(({ name }) => name).join(".");
      this.#relocate(`${prefixes[root]}${names}`);
      const isField = root === "payload";
      code.u8(isField ? Op.LOAD_FIELD_REFERENCE : Op.CONTEXT_REFERENCE);
      code.u16(UNRESOLVED);
      return;
    }
    code.u8(rootOps[root]);
    for (const { name, index } of elements) {
      // The symbol stands right after the entry's own offset.
      const symbol = this.relocations.length + 2;
      this.#relocate(name);
      code.u8(Op.GET_SYMBOL);
      code.u16(symbol);
      if (index === undefined) continue;
      code.u8(Op.GET_INDEX);
      code.u64(index);
    }
    code.u8(Op.LOAD_FIELD);
  }

  /** Notes that the next operation is about `symbol`. */
  #relocate(symbol: string): void {
    this.relocations.u16(this.code.length);
    this.relocations.text(symbol);
  }

  #binary(node: Node & { kind: "binary" }): void {
    const { operator, left, right } = node;
    this.emit(left);
    if (operator !== "&&" && operator !== "||") {
      this.emit(right);
      this.code.u8(binaryOps[operator]);
      return;
    }
    this.#cast(left);
    this.code.u8(binaryOps[operator]);
    const target = this.code.length;
    this.code.u16(UNRESOLVED);
    this.emit(right);
    this.#cast(right);
    // Where to go on when the left side decides alone.
    this.code.setU16(target, this.code.length);
  }

  /** The stack machine's logic wants integers. */
  #cast({ value }: Node): void {
    if (value === "field") this.code.u8(Op.CAST_TO_INTEGER);
    else if (value === "float") this.code.u8(Op.CAST_FLOAT_TO_INTEGER);
  }
}
