import { assert, assertEquals } from "@std/assert";
import { Cursor } from "../../lib/ctf/cursor.ts";
import type { FieldType } from "../../lib/ctf/types.ts";
import { type EventFormat, parseFormat } from "../../lib/kernel/format.ts";
import { EventCatalog } from "../../lib/kernel/naming.ts";
import { PageReader } from "../../lib/kernel/page.ts";
import { type EventPlan, planEvent } from "../../lib/kernel/plan.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";
import { compileWriter } from "../../lib/kernel/transcode.ts";
import { type Decoded, decodeFields } from "./support/decode.ts";
import { formats } from "./support/golden.ts";
import { layoutOf, makePage, usualLayout } from "./support/make_page.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const ID = 77;
const HEAD = `ID: ${ID}
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
`;

/** Of each argument: its C type and its name. */
type Arguments = readonly (readonly [type: string, name: string])[];

/**
 * The format of a system call's entry. As Linux 6.19 writes it, the arguments
 * in `recorded` are followed by words that say where their text lies.
 */
function formatOf(
  syscall: string,
  args: Arguments,
  recorded: readonly string[] = [],
): EventFormat {
  let at = 16;
  const lines = args.map(([type, name]) => {
    const line =
      `\tfield:${type} ${name};\toffset:${at};\tsize:8;\tsigned:0;\n`;
    at += 8;
    return line;
  });
  for (const name of recorded) {
    lines.push(
      `\tfield:__data_loc char[] __${name}_val;\toffset:${at};\tsize:4;\tsigned:0;\n`,
    );
    at += 4;
  }
  const text = `name: sys_enter_${syscall}\n${HEAD}${lines.join("")}`;
  return parseFormat("syscalls", text);
}

function planOf(format: EventFormat, layout = usualLayout): EventPlan {
  const { system, name } = format;
  const [event] = new EventCatalog([{ system, name }]).syscalls("*");
  return planEvent(event!, format, layout);
}

/** The record that Linux 6.19 writes, cut after `size` bytes. */
function recordOf(
  format: EventFormat,
  values: readonly bigint[],
  texts: readonly Uint8Array[],
  { little = true, cut = 0 } = {},
): Uint8Array {
  const words = 16 + values.length * 8;
  let at = words + texts.length * 4;
  const size = texts.reduce((sum, { length }) => sum + length, at);
  // Records are as long as a multiple of 4.
  const bytes = new Uint8Array(Math.ceil(size / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, format.id, little);
  values.forEach((value, index) =>
    view.setBigUint64(16 + index * 8, BigInt.asUintN(64, value), little)
  );
  texts.forEach((text, index) => {
    view.setUint32(words + index * 4, text.length * 65536 + at, little);
    bytes.set(text, at);
    at += text.length;
  });
  return bytes.subarray(0, bytes.length - cut);
}

function textOf(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** What a record becomes. */
function transcode(
  format: EventFormat,
  payload: Uint8Array,
  little = true,
): Record<string, Decoded> {
  const layout = layoutOf(little, 8);
  const page = new PageReader(layout);
  const made = makePage({
    time: 1n,
    records: [{ kind: "long data", delta: 0, payload }],
  }, layout);
  page.begin(new DataView(made.buffer));
  assert(page.next());
  const plan = planOf(format, layout);
  assert(page.size >= plan.size);
  const cursor = new Cursor(4096);
  cursor.bytes.fill(0xAA);
  const threads = new ThreadTable(() => undefined);
  const options = { littleEndian: little, context: [], threads };
  compileWriter(plan, options)(cursor, page);
  const written = cursor.bytes.subarray(0, cursor.position);
  return Object.fromEntries(decodeFields(plan.fields, written, little));
}

const OPENAT: Arguments = [
  ["int", "dfd"],
  ["const char *", "filename"],
  ["int", "flags"],
  ["umode_t", "mode"],
];
const RENAME: Arguments = [
  ["const char *", "oldname"],
  ["const char *", "newname"],
];
const WRITE: Arguments = [
  ["unsigned int", "fd"],
  ["const char *", "buf"],
  ["size_t", "count"],
];

for (const little of [true, false]) {
  const order = little ? "little" : "big";
  test(`planEvent() takes an argument's text where the kernel records it, ${order} endian`, () => {
    const format = formatOf("openat", OPENAT, ["filename"]);
    const record = recordOf(
      format,
      [-100n, 0x7FFF_1234_5678n, 0x80000n, 0o644n],
      [textOf("/etc/passwd")],
      { little },
    );
    assertEquals(transcode(format, record, little), {
      dfd: -100n,
      filename: "/etc/passwd",
      flags: 0x80000n,
      mode: 0o644n,
    });
  });

  test(`planEvent() keeps two texts of a system call apart, ${order} endian`, () => {
    const format = formatOf("rename", RENAME, ["oldname", "newname"]);
    const record = recordOf(
      format,
      [1n, 2n],
      [textOf("/tmp/a long name"), textOf("b")],
      { little },
    );
    assertEquals(
      transcode(format, record, little),
      { oldname: "/tmp/a long name", newname: "b" },
    );
  });
}

test("planEvent() makes empty text of what the kernel could not read", () => {
  const format = formatOf("openat", OPENAT, ["filename"]);
  for (const text of [new Uint8Array(0), textOf("")]) {
    const record = recordOf(format, [3n, 0n, 0n, 0n], [text]);
    assertEquals(transcode(format, record)["filename"], "");
  }
});

test("planEvent() takes text that the kernel cut as it is", () => {
  const format = formatOf("openat", OPENAT, ["filename"]);
  const cut = `${"/long".repeat(33)}...`;
  const record = recordOf(format, [3n, 9n, 0n, 0n], [textOf(cut)]);
  assertEquals(transcode(format, record)["filename"], cut);
});

test("planEvent() takes text that no NUL ends", () => {
  const format = formatOf("sethostname", [["char *", "name"], ["int", "len"]], [
    "name",
  ]);
  const name = new TextEncoder().encode("node7");
  const record = recordOf(format, [9n, 5n], [name]);
  assertEquals(transcode(format, record), { name: "node7", len: 5n });
});

test("planEvent() never reads text outside of a record that is cut", () => {
  const format = formatOf("openat", OPENAT, ["filename"]);
  const values = [3n, 9n, 0n, 0n];
  // 52 bytes hold all arguments and the word that says where the text is.
  for (const [cut, expected] of [[4, "/etc/pas"], [12, ""]] as const) {
    const record = recordOf(format, values, [textOf("/etc/passwd")], { cut });
    assertEquals(transcode(format, record)["filename"], expected);
  }
});

test("planEvent() writes the address where the kernel records no text", () => {
  const format = formatOf("openat", OPENAT);
  const record = recordOf(format, [-100n, 0x7FFF_1234_5678n, 0n, 0n], []);
  assertEquals(transcode(format, record)["filename"], 0x7FFF_1234_5678n);
});

test("planEvent() writes the address of a buffer, as LTTng does", () => {
  const format = formatOf("write", WRITE, ["buf"]);
  const bytes = Uint8Array.of(0, 255, 7);
  const record = recordOf(format, [1n, 0x5000n, 3n], [bytes]);
  assertEquals(
    transcode(format, record),
    { fd: 1n, buf: 0x5000n, count: 3n },
  );
});

/** Width, sign, base and labels of an integer. */
function describe(type: FieldType): unknown {
  if (type.kind === "enumeration") {
    return [
      describe(type.container),
      ...type.mappings.map(({ label, first }) => `${label} = ${first}`),
    ];
  }
  if (type.kind !== "integer") return type.kind;
  return [type.size, type.signed ? "signed" : "unsigned", type.base];
}

/** Names and types of an event of the recorded formats. */
function fieldsOf(name: string): unknown[] {
  const format = [...formats.values()].find((format) => format.name === name)!;
  return planOf(format).fields.map(({ name, type }) => [name, describe(type)]);
}

test("planEvent() names and types mmap's arguments as LTTng does", () => {
  assertEquals(fieldsOf("sys_enter_mmap"), [
    ["addr", [64, "unsigned", 16]],
    ["len", [64, "unsigned", 10]],
    ["prot", [32, "signed", 10]],
    ["flags", [32, "signed", 10]],
    ["fd", [32, "signed", 10]],
    ["offset", [64, "signed", 10]],
  ]);
  assertEquals(fieldsOf("sys_exit_mmap"), [["ret", [64, "unsigned", 16]]]);
  assertEquals(fieldsOf("sys_exit_read"), [["ret", [64, "signed", 10]]]);
});

test("planEvent() names and types clone's arguments as LTTng does", () => {
  assertEquals(fieldsOf("sys_enter_clone"), [
    ["flags", [64, "unsigned", 16]],
    ["newsp", [64, "unsigned", 16]],
    ["parent_tid", [64, "unsigned", 16]],
    ["child_tid", [64, "unsigned", 16]],
  ]);
});

test("planEvent() labels what epoll_ctl is to do", () => {
  const format = formatOf("epoll_ctl", [
    ["int", "epfd"],
    ["int", "op"],
    ["int", "fd"],
    ["struct epoll_event *", "event"],
  ]);
  const plan = planOf(format);
  assertEquals(
    plan.fields.map(({ name, type }) => [name, describe(type)])[1],
    ["op_enum", [
      [32, "signed", 10],
      "EPOLL_CTL_ADD = 1",
      "EPOLL_CTL_DEL = 2",
      "EPOLL_CTL_MOD = 3",
    ]],
  );
  const record = recordOf(format, [4n, 3n, 5n, 0x6000n], []);
  assertEquals(
    transcode(format, record),
    { epfd: 4n, op_enum: 3n, fd: 5n, event: 0x6000n },
  );
});
