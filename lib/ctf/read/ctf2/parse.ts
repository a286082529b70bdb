/** Parses the metadata of CTF 2 into the classes of one trace (CTF2-SPEC-2.0 §5). */

import type { EventBlock, StreamBlock, TraceBlocks } from "../blocks.ts";
import type { ClockClass, Role, StructClass } from "../model.ts";
import { INT64_MAX, INT64_MIN, UINT64_MAX } from "./class_parts.ts";
import { checkProperties, FieldClassParser } from "./field_classes.ts";
import { type Json, JsonNode, parseJson } from "./json.ts";
import {
  CLOCK_ROLES,
  CONTEXT_ROLES,
  EVENT_ROLES,
  HEADER_ROLES,
  membersWithRoles,
  nameOf,
} from "./roles.ts";

/** What each fragment begins with (RFC 7464). */
export const RECORD_SEPARATOR = "\x1E";

/** What identifies a class to programs. */
const IDENTITY = ["namespace", "name", "uid"];

/** Who writes `log-level` and `emf-uri`: babeltrace2 looks here first. */
const ATTRIBUTE_NAMESPACES = ["babeltrace.org,2020", "lttng.org,2009"];

/** By their numbers. */
const LOG_LEVELS: readonly Json[] = [
  ...["emergency", "alert", "critical", "error", "warning", "notice", "info"],
  ...["debug:system", "debug:program", "debug:process", "debug:module"],
  ...["debug:unit", "debug:function", "debug:line", "debug"],
];

/**
 * Parses a sequence of JSON fragments.
 *
 * @throws {SyntaxError} with the fragment's number, where it is no CTF 2.
 */
export function parseCtf2(text: string): TraceBlocks {
  if (!text.startsWith(RECORD_SEPARATOR)) {
    throw new SyntaxError("Metadata that begins with byte 0x1E expected");
  }
  const parser = new FragmentParser();
  let number = 0;
  for (const fragment of text.split(RECORD_SEPARATOR)) {
    if (fragment.trim() !== "") parser.parse(fragment, ++number);
  }
  return parser.finish();
}

/** One row a type of fragment: its own properties, and what takes them in. */
interface FragmentRow {
  readonly properties: readonly string[];
  readonly take: (parser: FragmentParser, node: JsonNode) => void;
}

/** Takes fragments in, in their order: each may refer to those before it. */
class FragmentParser {
  static readonly #rows: Readonly<Record<string, FragmentRow>> = {
    "preamble": {
      properties: ["version", "uuid"],
      take: (parser, node) => parser.#takePreamble(node),
    },
    "field-class-alias": {
      properties: ["name", "field-class"],
      take: (parser, node) =>
        parser.#classes.define(
          node.required("name"),
          node.required("field-class"),
        ),
    },
    "trace-class": {
      properties: [...IDENTITY, "environment", "packet-header-field-class"],
      take: (parser, node) => parser.#takeTrace(node),
    },
    "clock-class": {
      properties: [
        ...[...IDENTITY, "id", "description", "frequency", "origin"],
        ...["offset-from-origin", "precision", "accuracy"],
      ],
      take: (parser, node) => parser.#takeClock(node),
    },
    "data-stream-class": {
      properties: [
        ...[...IDENTITY, "id", "default-clock-class-id"],
        "packet-context-field-class",
        "event-record-header-field-class",
        "event-record-common-context-field-class",
      ],
      take: (parser, node) => parser.#takeStream(node),
    },
    "event-record-class": {
      properties: [
        ...[...IDENTITY, "id", "data-stream-class-id"],
        ...["specific-context-field-class", "payload-field-class"],
      ],
      take: (parser, node) => parser.#takeEvent(node),
    },
  };

  readonly #classes = new FieldClassParser();
  #uuid: string | undefined;
  #uid: string | undefined;
  /** Whether the trace class is known: it may be left out, but not come late. */
  #hasTrace = false;
  #hasPreamble = false;
  #packetHeader: StructClass | undefined;
  readonly #environment = new Map<string, string | bigint>();
  readonly #clocks = new Map<string, ClockClass>();
  readonly #streams = new Map<bigint, StreamBlock>();
  readonly #events: EventBlock[] = [];
  /** Stream and event ids that are taken. */
  readonly #eventIds = new Set<string>();

  parse(text: string, number: number): void {
    const name = `Fragment ${number}`;
    let value: Json;
    try {
      value = parseJson(text);
    } catch (error) {
      const detail = error instanceof Error ? error.message : error;
      throw new SyntaxError(`${name}: ${detail}`, { cause: error });
    }
    const node = new JsonNode(value, name, "");
    const type = node.required("type");
    const { properties, take } = type.choice(FragmentParser.#rows);
    if ((type.value === "preamble") === this.#hasPreamble) {
      node.fail(
        this.#hasPreamble
          ? "One preamble expected, not another"
          : `The preamble expected, not "${type.value}"`,
      );
    }
    this.#hasPreamble = true;
    checkProperties(node, properties);
    take(this, node);
  }

  finish(): TraceBlocks {
    if (!this.#hasPreamble) throw new SyntaxError("A fragment expected");
    return {
      byteOrder: undefined,
      uuid: this.#uuid,
      uid: this.#uid,
      packetHeader: this.#packetHeader,
      environment: this.#environment,
      clocks: this.#clocks,
      streams: this.#streams,
      events: this.#events,
    };
  }

  #takePreamble(node: JsonNode): void {
    node.required("version").number(2, 2);
    const uuid = node.optional("uuid");
    const bytes = uuid?.elements().map((byte) => byte.number(0, 255));
    if (!bytes) return;
    if (bytes.length !== 16) uuid?.fail(`16 bytes expected: ${bytes.length}`);
    const digits = Uint8Array.from(bytes).toHex();
    this.#uuid = digits.replace(
      /^(.{8})(.{4})(.{4})(.{4})(.{12})$/,
      "$1-$2-$3-$4-$5",
    );
  }

  #takeTrace(node: JsonNode): void {
    if (this.#hasTrace) {
      node.fail(
        "One trace class expected, before all data stream classes",
      );
    }
    this.#hasTrace = true;
    this.#uid = checkIdentity(node).uid;
    for (const [name, value] of node.optional("environment")?.entries() ?? []) {
      this.#environment.set(
        name,
        typeof value.value === "string"
          ? value.value
          : value.integer(INT64_MIN, UINT64_MAX),
      );
    }
    const header = this.#scope(node, "packet-header-field-class", HEADER_ROLES);
    if (header) this.#checkHeader(node, header);
    this.#packetHeader = header;
  }

  #checkHeader(node: JsonNode, header: StructClass): void {
    const property = node.required("packet-header-field-class");
    for (const member of membersWithRoles(header)) {
      const { class: fieldClass, roles } = member;
      if (roles?.includes("magic")) {
        const isFirst = member === header.members[0];
        if (
          !isFirst || fieldClass.kind !== "integer" || fieldClass.size !== 32
        ) {
          property.fail(
            `The role "${nameOf("magic")}" is for the first member, ` +
              "an unsigned integer of 32 bits",
          );
        }
      }
      if (roles?.includes("trace-uuid") && this.#uuid === undefined) {
        property.fail(
          `The role "${nameOf("trace-uuid")}" needs a UUID in the preamble`,
        );
      }
    }
  }

  #takeClock(node: JsonNode): void {
    const idNode = node.required("id");
    const id = idNode.text();
    if (this.#clocks.has(id)) {
      idNode.fail(`Clock class ${JSON.stringify(id)} is there already`);
    }
    const { name, uid } = checkIdentity(node);
    const description = node.optional("description")?.text();
    const frequency = node.required("frequency").integer(1n, UINT64_MAX);
    const offset = node.optional("offset-from-origin");
    offset?.only(["seconds", "cycles"]);
    checkOrigin(node.optional("origin"));
    node.optional("accuracy")?.integer(0n, UINT64_MAX);
    this.#clocks.set(id, {
      name: name ?? id,
      ...(description === undefined ? {} : { description }),
      ...(uid === undefined ? {} : { uuid: uid }),
      frequency,
      offsetSeconds:
        offset?.optional("seconds")?.integer(INT64_MIN, INT64_MAX) ??
          0n,
      offset: offset?.optional("cycles")?.integer(0n, frequency - 1n) ?? 0n,
      precision: node.optional("precision")?.integer(0n, UINT64_MAX) ?? 0n,
    });
  }

  #takeStream(node: JsonNode): void {
    this.#hasTrace = true;
    const id = node.optional("id")?.integer(0n, UINT64_MAX) ?? 0n;
    if (this.#streams.has(id)) {
      node.fail(`Data stream class ${id} is there already`);
    }
    checkIdentity(node);
    const clockNode = node.optional("default-clock-class-id");
    const clock = clockNode?.text();
    if (clock !== undefined && !this.#clocks.has(clock)) {
      clockNode?.fail(`No clock class has the id ${JSON.stringify(clock)}`);
    }
    const without = clock === undefined ? CLOCK_ROLES : [];
    const scope = (name: string, roles: readonly Role[]) =>
      this.#scope(node, name, roles, without);
    this.#streams.set(id, {
      id,
      clock,
      packetContext: scope("packet-context-field-class", CONTEXT_ROLES),
      eventHeader: scope("event-record-header-field-class", EVENT_ROLES),
      eventContext: scope("event-record-common-context-field-class", []),
    });
  }

  #takeEvent(node: JsonNode): void {
    const id = node.optional("id")?.integer(0n, UINT64_MAX) ?? 0n;
    const streamId =
      node.optional("data-stream-class-id")?.integer(0n, UINT64_MAX) ?? 0n;
    if (!this.#streams.has(streamId)) {
      node.fail(`No data stream class has the id ${streamId}`);
    }
    const key = `${streamId} ${id}`;
    if (this.#eventIds.has(key)) {
      node.fail(
        `Event record class ${id} of data stream class ${streamId} ` +
          "is there already",
      );
    }
    this.#eventIds.add(key);
    const logLevel = LOG_LEVELS.indexOf(attribute(node, "log-level") ?? null);
    const emfUri = attribute(node, "emf-uri");
    this.#events.push({
      id,
      streamId,
      name: checkIdentity(node).name ?? "",
      logLevel: logLevel < 0 ? undefined : logLevel,
      emfUri: typeof emfUri === "string" ? emfUri : undefined,
      context: this.#scope(node, "specific-context-field-class", []),
      payload: this.#scope(node, "payload-field-class", []),
    });
  }

  /** A struct with a place of its own in packets, and roles that fit there. */
  #scope(
    node: JsonNode,
    name: string,
    allowed: readonly Role[],
    without: readonly Role[] = [],
  ): StructClass | undefined {
    const property = node.optional(name);
    if (!property) return undefined;
    const structClass = this.#classes.parseScope(property);
    const roles = membersWithRoles(structClass)
      .flatMap((member) => member.roles ?? []);
    const wrong = roles.find((role) => !allowed.includes(role));
    if (wrong !== undefined) {
      property.fail(`The role "${nameOf(wrong)}" is not for fields in here`);
    }
    const timeless = roles.find((role) => without.includes(role));
    if (timeless !== undefined) {
      property.fail(
        `The role "${nameOf(timeless)}" needs a default clock class`,
      );
    }
    return structClass;
  }
}

function checkIdentity(
  node: JsonNode,
): { name: string | undefined; uid: string | undefined } {
  node.optional("namespace")?.text();
  return {
    name: node.optional("name")?.text(),
    uid: node.optional("uid")?.text(),
  };
}

/** Times are printed as if from 1970 whatever the origin is: so does babeltrace2. */
function checkOrigin(node: JsonNode | undefined): void {
  if (!node) return;
  if (typeof node.value === "string") {
    node.choice({ "unix-epoch": true });
    return;
  }
  node.only(IDENTITY);
  node.required("name");
  node.required("uid");
  checkIdentity(node);
}

/** What a tracer says beside what CTF defines; anything may be there. */
function attribute(node: JsonNode, name: string): Json | undefined {
  const attributes = node.optional("attributes");
  for (const namespace of ATTRIBUTE_NAMESPACES) {
    const value = attributes?.optional(namespace)?.value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      continue;
    }
    if (typeof value[name] === "string") return value[name];
  }
  return undefined;
}
