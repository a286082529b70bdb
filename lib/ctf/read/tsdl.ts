/** Parses a whole TSDL text into the classes of one trace (CTF 1.8 §7). */

import type { EventBlock, StreamBlock, TraceBlocks } from "./blocks.ts";
import type { ClockClass, FieldClass, StructClass } from "./model.ts";
import type { AttributeValue } from "./token_reader.ts";
import {
  PACKET_CONTEXT_ROLES,
  PACKET_HEADER_ROLES,
  withHeaderRoles,
  withRoles,
} from "./tsdl_roles.ts";
import { TypeParser } from "./type_parser.ts";

/** What stands in one block: values, and types by their scope's name. */
interface Block {
  readonly values: Map<string, AttributeValue>;
  readonly types: Map<string, StructClass>;
}

/**
 * Parses TSDL.
 *
 * @throws {SyntaxError} with the line, where the text is not TSDL.
 */
export function parseTsdl(text: string): TraceBlocks {
  return new TsdlParser(text).parse();
}

class TsdlParser extends TypeParser {
  #uuid: string | undefined;
  #packetHeader: StructClass | undefined;
  readonly #environment = new Map<string, string | bigint>();
  readonly #clocks = new Map<string, ClockClass>();
  readonly #streams = new Map<bigint, StreamBlock>();
  readonly #events: EventBlock[] = [];

  parse(): TraceBlocks {
    while (this.token.kind !== "end") this.#parseDeclaration();
    return {
      byteOrder: this.byteOrder,
      uuid: this.#uuid,
      packetHeader: this.#packetHeader,
      environment: this.#environment,
      clocks: this.#clocks,
      streams: this.#streams,
      events: this.#events,
    };
  }

  #parseDeclaration(): void {
    if (this.accept(";") || this.parseTypeDeclaration()) return;
    if (this.accept("trace")) this.#addTrace(this.#parseBlock());
    else if (this.accept("env")) this.#addEnvironment(this.#parseBlock());
    else if (this.accept("clock")) this.#addClock(this.#parseBlock());
    else if (this.accept("stream")) this.#addStream(this.#parseBlock());
    else if (this.accept("event")) this.#addEvent(this.#parseBlock());
    else if (this.accept("callsite")) this.#parseBlock();
    else if (this.is("struct") || this.is("enum") || this.is("variant")) {
      this.parseType();
      this.expect(";");
    } else this.fail("A declaration expected");
  }

  #parseBlock(): Block {
    const block: Block = { values: new Map(), types: new Map() };
    this.inScope(() => {
      this.expect("{");
      while (!this.accept("}")) {
        if (this.parseTypeDeclaration()) continue;
        if (this.is("struct") || this.is("enum") || this.is("variant")) {
          this.parseType();
        } else this.#parseEntry(block);
        this.expect(";");
      }
    });
    this.expect(";");
    return block;
  }

  #parseEntry(block: Block): void {
    const name = this.parsePath().join(".");
    if (this.accept(":=")) {
      const fieldClass: FieldClass = this.parseType();
      if (fieldClass.kind !== "struct") {
        this.fail(`A struct as ${name} expected`);
      }
      block.types.set(name, fieldClass);
    } else {
      this.expect("=");
      block.values.set(name, this.parseValue());
    }
  }

  #addTrace({ values, types }: Block): void {
    this.#uuid = textOf(values, "uuid")?.toLowerCase();
    const header = types.get("packet.header");
    this.#packetHeader = header && withRoles(header, PACKET_HEADER_ROLES);
  }

  #addEnvironment({ values }: Block): void {
    for (const [name, value] of values) this.#environment.set(name, value);
  }

  #addClock({ values }: Block): void {
    const name = textOf(values, "name");
    if (name === undefined) this.fail("A clock with a name expected");
    const description = textOf(values, "description");
    const uuid = textOf(values, "uuid")?.toLowerCase();
    const frequency = integerOf(values, "freq") ?? 1_000_000_000n;
    if (frequency < 1n) this.fail("A clock's frequency above 0 expected");
    this.#clocks.set(name, {
      name,
      ...(description === undefined ? {} : { description }),
      ...(uuid === undefined ? {} : { uuid }),
      frequency,
      offsetSeconds: integerOf(values, "offset_s") ?? 0n,
      offset: integerOf(values, "offset") ?? 0n,
      precision: integerOf(values, "precision") ?? 0n,
    });
  }

  #addStream({ values, types }: Block): void {
    const id = integerOf(values, "id") ?? 0n;
    const eventHeader = types.get("event.header");
    const packetContext = types.get("packet.context");
    this.#streams.set(id, {
      id,
      clock: undefined,
      eventHeader: eventHeader && withHeaderRoles(eventHeader),
      packetContext: packetContext &&
        withRoles(packetContext, PACKET_CONTEXT_ROLES),
      eventContext: types.get("event.context"),
    });
  }

  #addEvent({ values, types }: Block): void {
    const logLevel = integerOf(values, "loglevel");
    this.#events.push({
      id: integerOf(values, "id") ?? 0n,
      streamId: integerOf(values, "stream_id") ?? 0n,
      name: textOf(values, "name") ?? "",
      logLevel: logLevel === undefined ? undefined : Number(logLevel),
      emfUri: textOf(values, "model.emf.uri"),
      context: types.get("context"),
      payload: types.get("fields"),
    });
  }
}

function textOf(
  values: ReadonlyMap<string, AttributeValue>,
  name: string,
): string | undefined {
  const value = values.get(name);
  return typeof value === "string" ? value : undefined;
}

function integerOf(
  values: ReadonlyMap<string, AttributeValue>,
  name: string,
): bigint | undefined {
  const value = values.get(name);
  return typeof value === "bigint" ? value : undefined;
}
