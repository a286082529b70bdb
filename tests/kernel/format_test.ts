import { assertEquals, assertThrows } from "@std/assert";
import {
  FormatError,
  pageSizeOf,
  parseFormat,
  parseHeaderPage,
} from "../../lib/kernel/format.ts";
import { formats, formatTexts, headerPage } from "./support/golden.ts";
import { tracefsTest } from "./support/tracefs.ts";
import { readFile, Tracefs } from "../../lib/kernel/tracefs.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const HEAD = `name: made_up
ID: 77
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

`;

function fieldOf(line: string) {
  const { fields } = parseFormat("made", `${HEAD}\t${line}\n`);
  assertEquals(fields.length, 1);
  return fields[0]!;
}

test("parseFormat() tells common fields from the event's own", () => {
  const text = `${HEAD}\tfield:int x;\toffset:8;\tsize:4;\tsigned:1;\n` +
    `\nprint fmt: "field:int y;\toffset:12;\tsize:4;"\n`;
  const { system, name, id, common, fields } = parseFormat("made", text);
  assertEquals([system, name, id], ["made", "made_up", 77]);
  assertEquals(common.map(({ name }) => name), ["common_type", "common_pid"]);
  assertEquals(fields.map(({ name }) => name), ["x"]);
});

test("parseFormat() reads every form of declaration", () => {
  const tail = "\toffset:8;\tsize:8;\tsigned:0;";
  const forms = [
    ["int x", "int", "static", false, undefined],
    ["const char * filename", "const char *", "static", false, undefined],
    [
      "struct task_struct *p",
      "struct task_struct *",
      "static",
      false,
      undefined,
    ],
    [
      'void __attribute__((btf_type_tag("user"))) *p',
      'void __attribute__((btf_type_tag("user"))) *',
      "static",
      false,
      undefined,
    ],
    ["enum zone_type zone", "enum zone_type", "static", false, undefined],
    ["char comm[16]", "char", "static", true, 16],
    ["u8 mac[2][3]", "u8", "static", true, 6],
    ["char buf[]", "char", "rest", true, undefined],
    ["unsigned long args[MAX]", "unsigned long", "rest", true, undefined],
    ["__data_loc char[] name", "char", "located", true, undefined],
    ["__data_loc cpumask_t mask", "cpumask_t", "located", true, undefined],
    ["__rel_loc u64[] list", "u64", "located here", true, undefined],
  ] as const;
  for (const [text, type, storage, isArray, length] of forms) {
    const field = fieldOf(`field:${text};${tail}`);
    assertEquals(
      [field.type, field.storage, field.isArray, field.length],
      [type, storage, isArray, length],
      text,
    );
  }
});

test("parseFormat() takes a field without a sign for unsigned", () => {
  const field = fieldOf("field:u32 x;\toffset:8;\tsize:4;");
  assertEquals([field.offset, field.size, field.signed], [8, 4, false]);
});

test("parseFormat() refuses text that is no format", () => {
  assertThrows(
    () => parseFormat("made", "format:\n"),
    FormatError,
    "Cannot read an event's format in made: it has no name or no ID",
  );
  assertThrows(
    () => parseFormat("made", `${HEAD}\tfield:int x;\toffset:8;\n`),
    FormatError,
    'Cannot read the format of made:made_up: no field is "field:int x;\\toffset:8;"',
  );
});

test("parseFormat() finds every field of the recorded formats", () => {
  assertEquals(formats.size, formatTexts.length);
  for (const [system, text] of formatTexts) {
    const format = parseFormat(system, text);
    const lines = text.match(/^\tfield:/gm)?.length;
    assertEquals(format.common.length + format.fields.length, lines);
    assertEquals(format.common.map(({ offset, size }) => [offset, size]), [
      [0, 2],
      [2, 1],
      [3, 1],
      [4, 4],
    ]);
  }
});

test("parseHeaderPage() reads the layout that was recorded", () => {
  const layout = parseHeaderPage(headerPage, true);
  assertEquals(layout, {
    littleEndian: true,
    timestampOffset: 0,
    commitOffset: 8,
    longSize: 8,
    dataOffset: 16,
    dataSize: 4080,
  });
  assertEquals(pageSizeOf(layout), 4096);
});

test("parseHeaderPage() refuses a layout that it does not know", () => {
  assertThrows(
    () => parseHeaderPage(headerPage.replace("timestamp", "time"), true),
    FormatError,
    "timestamp, commit or data is not as known",
  );
});

tracefsTest("parseFormat() reads every format of this machine", () => {
  const tracefs = Tracefs.open();
  let count = 0;
  for (const { name: system } of Deno.readDirSync(`${tracefs.path}/events`)) {
    const directory = `${tracefs.path}/events/${system}`;
    if (!Deno.statSync(directory).isDirectory) continue;
    for (const { name } of Deno.readDirSync(directory)) {
      const path = `${directory}/${name}`;
      if (!Deno.statSync(path).isDirectory) continue;
      const text = readFile(`${path}/format`);
      const format = parseFormat(system, text);
      assertEquals(format.name, name);
      assertEquals(
        format.common.length + format.fields.length,
        text.split("\nprint fmt:")[0]!.match(/^\tfield:/gm)?.length,
        `${system}:${name}`,
      );
      count++;
    }
  }
  console.log(`${count} formats`);
});
