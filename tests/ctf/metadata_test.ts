import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import {
  printEventClass,
  printPreamble,
  printStreamClass,
  type TraceDescription,
} from "../../lib/ctf/metadata.ts";
import {
  METADATA_HEADER_SIZE,
  METADATA_MAGIC,
  METADATA_PACKET_SIZE,
  packMetadata,
  parseUuid,
} from "../../lib/ctf/metadata_packet.ts";
import {
  array,
  integer,
  sequence,
  string,
  struct,
  u8,
} from "../../lib/ctf/declare.ts";

const PURE = { permissions: "none" } as const;
const UUID = "09753c37-9d7a-45a7-923a-a07e72a3b001";

const TRACE: TraceDescription = {
  uuid: UUID,
  byteOrder: "le",
  environment: { hostname: "h", vpid: 7, note: 'a "b" \\ \n\u0001' },
  clock: { name: "monotonic", frequency: 1_000_000_000n, offset: -5n },
};

Deno.test("printPreamble() says what it is told", PURE, () => {
  const text = printPreamble(TRACE);
  assertEquals(text.startsWith("/* CTF 1.8 */\n"), true);
  assertStringIncludes(text, `uuid = "${UUID}";`);
  assertStringIncludes(text, "byte_order = le;");
  assertStringIncludes(text, "offset = -5;");
  assertStringIncludes(text, "vpid = 7;");
  assertStringIncludes(text, 'note = "a \\"b\\" \\\\ \\n\\001";');
});

Deno.test("printPreamble() refuses a name that is no identifier", PURE, () => {
  const environment = { "x = 1; y": 1 };
  assertThrows(
    () => printPreamble({ ...TRACE, environment }),
    RangeError,
    'environment name "x = 1; y"',
  );
  const clock = { ...TRACE.clock, name: "my clock" };
  assertThrows(
    () => printPreamble({ ...TRACE, clock }),
    RangeError,
    'clock name "my clock"',
  );
});

Deno.test("printEventClass() prints as LTTng does", PURE, () => {
  const event = defineEvent("a:b", { bytes: sequence(u8), text: string }, {
    logLevel: "info",
  });
  const integer8 =
    "integer { size = 8; align = 8; signed = 0; encoding = none; base = 10; }";
  assertEquals(
    printEventClass(event, 3, 0),
    `event {
	name = "a:b";
	id = 3;
	stream_id = 0;
	loglevel = 6;
	fields := struct {
		${integer8.replace("size = 8", "size = 32")} __bytes_length;
		${integer8} _bytes[ __bytes_length ];
		string _text;
	};
};

`,
  );
});

Deno.test(
  "printEventClass() leaves out a log level that is not there",
  PURE,
  () => {
    const text = printEventClass({ name: "a", payload: struct({}) }, 0, 0);
    assertEquals(text.includes("loglevel"), false);
    assertStringIncludes(text, "fields := struct {");
  },
);

Deno.test("printEventClass() says which integers are characters", PURE, () => {
  const character = { ...integer(8), encoding: "UTF8" as const };
  const payload = struct({ comm: array(character, 16) });
  assertStringIncludes(
    printEventClass({ name: "a", payload }, 0, 0),
    "{ size = 8; align = 8; signed = 0; encoding = UTF8; base = 10; } _comm[16];",
  );
});

Deno.test("printStreamClass() declares the context of all events", PURE, () => {
  const text = printStreamClass(2, "large", struct({ tid: u8 }));
  assertStringIncludes(text, "id = 2;");
  assertStringIncludes(text, "event.context := struct {");
  assertStringIncludes(text, "_tid;");
  assertEquals(printStreamClass(2, "large").includes("event.context"), false);
});

Deno.test("packMetadata() fills packets of 4096 bytes with zeros", PURE, () => {
  const text = "é".repeat(3000);
  for (const byteOrder of ["le", "be"] as const) {
    const bytes = packMetadata(text, parseUuid(UUID), byteOrder);
    assertEquals(bytes.length, 2 * METADATA_PACKET_SIZE);
    let content = new Uint8Array();
    for (let at = 0; at < bytes.length; at += METADATA_PACKET_SIZE) {
      const view = new DataView(bytes.buffer, at, METADATA_PACKET_SIZE);
      const little = byteOrder === "le";
      assertEquals(view.getUint32(0, little), METADATA_MAGIC);
      assertEquals(
        bytes.slice(at + 4, at + 20).toHex(),
        UUID.replaceAll("-", ""),
      );
      assertEquals(view.getUint32(20, little), 0);
      assertEquals(view.getUint32(28, little), METADATA_PACKET_SIZE * 8);
      assertEquals(bytes.slice(at + 32, at + 37).toHex(), "0000000108");
      const end = view.getUint32(24, little) / 8;
      const part = bytes.slice(at + METADATA_HEADER_SIZE, at + end);
      assertEquals(
        bytes.slice(at + end, at + METADATA_PACKET_SIZE)
          .every((byte) => byte === 0),
        true,
      );
      content = new Uint8Array([...content, ...part]);
    }
    assertEquals(new TextDecoder().decode(content), text);
  }
});

Deno.test("packMetadata() makes nothing of nothing", PURE, () => {
  assertEquals(packMetadata("", parseUuid(UUID), "le").length, 0);
});

Deno.test("parseUuid() refuses what is no UUID", PURE, () => {
  for (const text of ["", "x", UUID.slice(1), `${UUID}0`]) {
    assertThrows(() => parseUuid(text), RangeError, "Cannot read a UUID");
  }
});
