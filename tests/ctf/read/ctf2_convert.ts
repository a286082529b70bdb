/** Says what TSDL says of a trace in CTF 2, as LTTng 2.15 would: the data files stay as they are. */

import type { EventBlock, TraceBlocks } from "../../../lib/ctf/read/blocks.ts";
import type {
  ClockClass,
  FieldClass,
  IntegerClass,
  Mapping,
  NamedClass,
  Reference,
  StructClass,
} from "../../../lib/ctf/read/model.ts";
import { packMetadata } from "../../../lib/ctf/metadata_packet.ts";
import { parseMetadata } from "../../../lib/ctf/read/metadata.ts";
import { plainName } from "../../../lib/ctf/read/type_parser.ts";
import { type Fragment, type Json2, metadataOf } from "./ctf2_writer.ts";

const ROLES: Readonly<Record<string, string>> = {
  "magic": "packet-magic-number",
  "trace-uuid": "metadata-stream-uuid",
  "stream-class-id": "data-stream-class-id",
  "stream-id": "data-stream-id",
  "packet-size": "packet-total-length",
  "content-size": "packet-content-length",
  "timestamp": "default-clock-timestamp",
  "timestamp-end": "packet-end-default-clock-timestamp",
  "events-discarded": "discarded-event-record-counter-snapshot",
  "sequence-number": "packet-sequence-number",
  "event-class-id": "event-record-class-id",
};

const LEVELS = [
  ...["emergency", "alert", "critical", "error", "warning", "notice", "info"],
  ...["debug:system", "debug:program", "debug:process", "debug:module"],
  ...["debug:unit", "debug:function", "debug:line", "debug"],
];

/** Rewrites all metadata files at and below a directory; returns how many. */
export async function rewriteAsCtf2(
  directory: string,
  form: "plain" | "packets",
): Promise<number> {
  let count = 0;
  for (const { name, isDirectory, isFile } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) count += await rewriteAsCtf2(path, form);
    if (!isFile || name !== "metadata") continue;
    const blocks = parseMetadata(path, await Deno.readFile(path));
    const text = metadataOf(toCtf2(blocks));
    const bytes = form === "plain"
      ? new TextEncoder().encode(text)
      : packMetadata(text, new Uint8Array(16), blocks.byteOrder ?? "le");
    await Deno.writeFile(path, bytes);
    count++;
  }
  return count;
}

/** The fragments of a trace. */
export function toCtf2(blocks: TraceBlocks): Fragment[] {
  const { uuid } = blocks;
  const bytes = uuid && [...Uint8Array.fromHex(uuid.replaceAll("-", ""))];
  const [clock] = [...blocks.clocks.values()];
  return [
    { type: "preamble", version: 2, uuid: bytes },
    {
      type: "trace-class",
      namespace: "lttng.org,2009",
      name: "",
      uid: uuid,
      environment: Object.fromEntries(blocks.environment),
      "packet-header-field-class": scope(blocks.packetHeader),
    },
    ...clock ? [clockFragment(clock)] : [],
    ...[...blocks.streams.values()].map((stream): Fragment => ({
      type: "data-stream-class",
      id: stream.id,
      "default-clock-class-id": clock?.name,
      "packet-context-field-class": scope(stream.packetContext),
      "event-record-header-field-class": scope(stream.eventHeader),
      "event-record-common-context-field-class": scope(stream.eventContext),
    })),
    ...blocks.events.map(eventFragment),
  ];
}

function clockFragment(clock: ClockClass): Fragment {
  const { name, description, uuid, frequency, offset, offsetSeconds } = clock;
  return {
    type: "clock-class",
    id: name,
    name,
    uid: uuid,
    description,
    frequency,
    precision: clock.precision,
    origin: "unix-epoch",
    "offset-from-origin": {
      seconds: offsetSeconds + offset / frequency,
      cycles: offset % frequency,
    },
  };
}

function eventFragment(event: EventBlock): Fragment {
  const level = event.logLevel === undefined
    ? undefined
    : LEVELS[event.logLevel];
  return {
    type: "event-record-class",
    id: event.id,
    "data-stream-class-id": event.streamId,
    name: event.name,
    attributes: {
      "lttng.org,2009": { "log-level": level, "emf-uri": event.emfUri },
    },
    "specific-context-field-class": scope(event.context),
    "payload-field-class": scope(event.payload),
  };
}

function scope(fieldClass: StructClass | undefined): Json2 | undefined {
  return fieldClass && convert(fieldClass, []);
}

function convert(
  fieldClass: FieldClass,
  roles: readonly string[],
  around: readonly NamedClass[] = [],
): Exclude<Json2, string> {
  const more = roles.length === 0 ? {} : { roles };
  switch (fieldClass.kind) {
    case "integer":
      return { ...integer(fieldClass), ...more };
    case "enumeration":
      return {
        ...convert(fieldClass.container, roles),
        mappings: mappings(fieldClass.mappings),
      };
    case "float":
      return {
        type: "fixed-length-floating-point-number",
        length: fieldClass.size,
        alignment: fieldClass.alignment,
        "byte-order": byteOrder(fieldClass),
      };
    case "string":
      return { type: "null-terminated-string" };
    case "text":
      return typeof fieldClass.length === "number"
        ? { type: "static-length-string", length: fieldClass.length }
        : {
          type: "dynamic-length-string",
          "length-field-location": location(fieldClass.length),
        };
    case "array":
      return roles.includes("metadata-stream-uuid")
        ? { type: "static-length-blob", length: 16, ...more }
        : {
          type: "static-length-array",
          length: fieldClass.length,
          "minimum-alignment": fieldClass.minimumAlignment,
          "element-field-class": convert(fieldClass.element, []),
        };
    case "sequence":
      return {
        type: "dynamic-length-array",
        "length-field-location": location(fieldClass.length),
        "minimum-alignment": fieldClass.minimumAlignment,
        "element-field-class": convert(fieldClass.element, []),
      };
    case "struct":
      return {
        type: "structure",
        "minimum-alignment": fieldClass.minimumAlignment,
        "member-classes": fieldClass.members.map((item) =>
          member(item, fieldClass.members)
        ),
      };
    case "variant":
      return {
        type: "variant",
        "selector-field-location": location(fieldClass.tag),
        options: fieldClass.options.map((option) => ({
          ...member(option),
          "selector-field-ranges": rangesOf(option, fieldClass.tag, around),
        })),
      };
    default:
      throw new TypeError(`TSDL has no ${fieldClass.kind}`);
  }
}

/** The values of a tag, beside a variant, that are labelled as its option is. */
function rangesOf(
  { name }: NamedClass,
  tag: Reference,
  around: readonly NamedClass[],
): bigint[][] {
  const found = around.find(({ rawName }) => rawName === tag.path.at(-1));
  if (found?.class.kind !== "enumeration") {
    throw new TypeError(`${tag.path.join(".")} is not beside its variant`);
  }
  return mappings(found.class.mappings)[name]!;
}

function member(
  { name, class: fieldClass, roles = [] }: NamedClass,
  around: readonly NamedClass[] = [],
) {
  const names = roles.map((role) => ROLES[role]!);
  return { name, "field-class": convert(fieldClass, names, around) };
}

function integer(fieldClass: IntegerClass): Exclude<Json2, string> {
  return {
    type: fieldClass.signed
      ? "fixed-length-signed-integer"
      : "fixed-length-unsigned-integer",
    length: fieldClass.size,
    alignment: fieldClass.alignment,
    "byte-order": byteOrder(fieldClass),
    "preferred-display-base": fieldClass.base,
  };
}

function byteOrder({ byteOrder }: { byteOrder: string }): string {
  return byteOrder === "le" ? "little-endian" : "big-endian";
}

function mappings(list: readonly Mapping[]): Record<string, bigint[][]> {
  const byLabel: Record<string, bigint[][]> = {};
  for (const { label, first, last } of list) {
    (byLabel[label] ??= []).push([first, last]);
  }
  return byLabel;
}

function location({ path }: Reference) {
  return { path: path.map((name) => name && plainName(name)) };
}
