/** Makes a function of a plan: one that writes an event of a ring-buffer page as CTF. */

import type { Cursor } from "../ctf/cursor.ts";
import type { EventPlan, Place, PlannedField, Source } from "./plan.ts";
import type { ThreadTable } from "./threads.ts";
import * as copy from "./copy.ts";

/** Writes the record on which a `PageReader` stands at the cursor. */
export type RecordWriter = (cursor: Cursor, record: unknown) => void;

/** What the writers of one stream share. */
export interface TranscoderOptions {
  /** The machine's byte order, which is the trace's. */
  readonly littleEndian: boolean;
  /** Fields before the payload of each event. */
  readonly context: readonly PlannedField[];
  readonly threads: ThreadTable;
}

/** Bytes that one source writes, where that is always the same. */
function widthOf(source: Source): number | undefined {
  switch (source.kind) {
    case "bytes":
      return source.size;
    case "integer":
    case "constant":
    case "padded":
    case "literal":
      return source.width;
    case "request bits":
      return 4;
    case "thread":
      return source.property === "name" ? 16 : 4;
    case "flag":
      return 1;
    case "text":
    case "elements":
    case "text elements":
    case "stack":
      return undefined;
  }
}

/**
 * The writer of one event. Its code is generated: a loop over the plan takes
 * about twice the time. It is given the `PageReader`; a record must
 * have at least `plan.size` bytes.
 */
export function compileWriter(
  plan: Pick<EventPlan, "fields">,
  options: TranscoderOptions,
): RecordWriter {
  const code = new Code(options.littleEndian);
  const body = code.write([...options.context, ...plan.fields]);
  const names = Object.keys(copy);
  const make = new Function(
    "threads",
    ...names,
    `return function write(cursor, page) {\n${body}\n};`,
  );
  return make(options.threads, ...Object.values(copy)) as RecordWriter;
}

/** The text of one writer. */
class Code {
  readonly #little: string;
  readonly #lines: string[] = [];

  constructor(littleEndian: boolean) {
    this.#little = String(littleEndian);
  }

  write(fields: readonly PlannedField[]): string {
    this.#lines.push(
      "const view = page.view, at = page.at, to = cursor.view;",
      "let out, place;",
    );
    // Fields of known width are taken together, up to one of another kind.
    let run: Source[] = [];
    for (const { source } of fields) {
      if (widthOf(source) !== undefined) {
        run.push(source);
        continue;
      }
      this.#writeRun(run);
      run = [];
      this.#writeVariable(source);
    }
    this.#writeRun(run);
    return this.#lines.join("\n");
  }

  #writeRun(run: readonly Source[]): void {
    const sources = merged(run);
    let total = 0;
    for (const source of sources) total += widthOf(source)!;
    if (total === 0) return;
    this.#lines.push(`out = cursor.take(${total});`);
    let offset = 0;
    for (const source of sources) {
      this.#writeFixed(source, offset);
      offset += widthOf(source)!;
    }
  }

  #writeFixed(source: Source, offset: number): void {
    const little = this.#little;
    switch (source.kind) {
      case "bytes":
        return this.#copy(source.at, source.size, offset);
      case "integer":
        return this.#writeInteger(source, offset);
      case "constant":
        return this.#store(source.width, offset, String(source.value));
      case "padded":
        this.#lines.push(
          this.#span(source.place),
          `padded(cursor, out + ${offset}, ${source.width}, view, place.from, place.to);`,
        );
        return;
      case "literal":
        this.#lines.push(
          `literal(cursor, out + ${offset}, ${source.width}, ${
            JSON.stringify(source.text)
          });`,
        );
        return;
      case "request bits":
        this.#lines.push(this.#span(source.place));
        return this.#store(
          4,
          offset,
          "requestBits(view, place.from, place.to)",
        );
      case "thread": {
        const tid = `view.getInt32(at + ${source.at}, ${little})`;
        if (source.property !== "name") {
          const value = `threads.get(${tid}).${source.property}`;
          return this.#store(4, offset, value);
        }
        this.#lines.push(
          `cursor.bytes.set(threads.get(${tid}).name, out + ${offset});`,
        );
        return;
      }
      case "flag": {
        const tests = source.tests.map(({ at, mask, equals }) =>
          `(view.getUint8(at + ${at}) & ${mask}) === ${equals}`
        );
        return this.#store(1, offset, `${tests.join(" && ")} ? 1 : 0`);
      }
      default:
        throw new TypeError(`A ${source.kind} has no fixed width`);
    }
  }

  /** Copies in the widest steps there are. */
  #copy(at: number, size: number, offset: number): void {
    const little = this.#little;
    for (let done = 0; done < size;) {
      const step = [8, 4, 2, 1].find((step) => done + step <= size)!;
      const type = step === 8 ? "BigUint64" : `Uint${step * 8}`;
      this.#lines.push(
        `to.set${type}(out + ${offset + done}, ` +
          `view.get${type}(at + ${at + done}, ${little}), ${little});`,
      );
      done += step;
    }
  }

  #writeInteger(
    source: Extract<Source, { kind: "integer" }>,
    offset: number,
  ): void {
    const { at, size, signed, add, width } = source;
    const little = this.#little;
    const sign = signed ? "Int" : "Uint";
    if (size === 8 && width === 8) {
      this.#lines.push(
        `to.setBigInt64(out + ${offset}, ` +
          `view.getBigInt64(at + ${at}, ${little}) + ${add}n, ${little});`,
      );
      return;
    }
    if (size < 8 && width === 8) {
      this.#lines.push(
        `to.setBigInt64(out + ${offset}, ` +
          `BigInt(view.get${sign}${
            size * 8
          }(at + ${at}, ${little}) + ${add}), ` +
          `${little});`,
      );
      return;
    }
    // Where it becomes narrower its low bytes are the value.
    const skipped = little === "true" ? 0 : Math.max(size - 4, 0);
    const read = Math.min(size, 4);
    const value = `view.get${sign}${read * 8}(at + ${
      at + skipped
    }, ${little}) + ${add}`;
    this.#store(width, offset, value);
  }

  /** Stores a number modulo its width; a boolean expression is none. */
  #store(width: number, offset: number, value: string): void {
    const little = this.#little;
    this.#lines.push(
      width === 8
        ? `to.setBigInt64(out + ${offset}, BigInt(${value}), ${little});`
        : `to.setUint${width * 8}(out + ${offset}, ${value}, ${little});`,
    );
  }

  #writeVariable(source: Source): void {
    switch (source.kind) {
      case "text":
        this.#lines.push(
          this.#span(source.place),
          "text(cursor, view, place.from, place.to);",
        );
        return;
      case "text elements":
        this.#lines.push(
          this.#span(source.place),
          `textElements(cursor, view, place.from, place.to, ${this.#little});`,
        );
        return;
      case "elements":
        this.#lines.push(
          this.#span(source.place),
          `elements(cursor, view, place.from, place.to, ` +
            `${source.elementSize}, ${source.countSize}, ${this.#little});`,
        );
        return;
      case "stack":
        this.#lines.push(
          `stack(cursor, view, page.stacks.${source.stack}, ` +
            `page.layout.longSize, ${this.#little});`,
        );
        return;
      default:
        throw new TypeError(`A ${source.kind} has a fixed width`);
    }
  }

  /** Code that sets `place` to where a field's bytes lie in the page. */
  #span(place: Place): string {
    switch (place.kind) {
      case "static":
        return `place = spanOf(at + ${place.at}, ${place.size});`;
      case "rest":
        return `place = spanOf(at + ${place.at}, page.size - ${place.at});`;
      case "located":
        return `place = located(view, at, page.size, at + ${place.at}, at, ` +
          `${this.#little});`;
      case "located here":
        return `place = located(view, at, page.size, at + ${place.at}, ` +
          `at + ${place.at + 4}, ${this.#little});`;
    }
  }
}

/** Bytes that follow each other on both sides become one copy. */
function merged(run: readonly Source[]): Source[] {
  const sources: Source[] = [];
  for (const source of run) {
    const last = sources.at(-1);
    if (
      source.kind === "bytes" && last?.kind === "bytes" &&
      last.at + last.size === source.at
    ) {
      const size = last.size + source.size;
      sources[sources.length - 1] = { kind: "bytes", at: last.at, size };
    } else {
      sources.push(source);
    }
  }
  return sources;
}
