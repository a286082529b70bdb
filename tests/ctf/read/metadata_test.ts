import { assertEquals, assertThrows } from "@std/assert";
import { packMetadata } from "../../../lib/ctf/metadata_packet.ts";
import { tokenize } from "../../../lib/ctf/read/lexer.ts";
import { metadataText } from "../../../lib/ctf/read/metadata_text.ts";
import { TraceReadError } from "../../../lib/ctf/read/model.ts";
import { TraceDecoder } from "../../../lib/ctf/read/trace_decoder.ts";
import { parseTsdl } from "../../../lib/ctf/read/tsdl.ts";
import { readGolden } from "../../wire/golden.ts";

/** GET_METADATA's reply: a u64 of length and a u32 of status come first. */
const REPLY_HEADER_SIZE = 12;

Deno.test("parseTsdl() reads the metadata that LTTng-UST 2.13 sent", () => {
  const replies = readGolden("live/GET_METADATA.txt")
    .map(({ reply }) => new Uint8Array(reply.subarray(REPLY_HEADER_SIZE)))
    .filter((reply) => reply.length > 0);
  const bytes = replies[0]!;
  const text = metadataText("metadata", bytes);
  const blocks = parseTsdl(text);
  const { trace } = new TraceDecoder("golden", blocks);
  assertEquals(trace.byteOrder, "le");
  assertEquals(trace.environment.get("tracer_name"), "lttng-ust");
  assertEquals(trace.environment.get("tracer_major"), 2n);
  const clock = trace.clocks.get("monotonic")!;
  assertEquals(clock.frequency, 1_000_000_000n);
  const stream = trace.streams.get(0n)!;
  assertEquals(stream.packetContext!.members.map(({ name }) => name), [
    "cpu_id",
  ]);
  assertEquals([...stream.events.values()].map(({ name }) => name), [
    "tp:tptest",
  ]);
  assertEquals(
    stream.events.get(0n)!.payload!.members.map(({ name }) => name),
    [
      "intfield",
      "negative",
      "network",
      "floatfield",
      "stringfield",
      "_payload_length",
      "payload",
    ],
  );
});

for (const byteOrder of ["le", "be"] as const) {
  Deno.test({
    name: `metadataText() joins packets, ${byteOrder}`,
    permissions: "none",
    fn() {
      const text = `/* CTF 1.8 */ ${"ä".repeat(5000)}`;
      const bytes = packMetadata(text, new Uint8Array(16), byteOrder);
      assertEquals(metadataText("metadata", bytes), text);
      const error = assertThrows(
        () => metadataText("metadata", bytes.slice(0, 4096 + 50)),
        TraceReadError,
        "a metadata packet of 4096 bytes, of which 50 are there",
      );
      assertEquals(error.offset, 4096);
    },
  });
}

Deno.test({
  name: "tokenize() undoes escapes and reads every base",
  permissions: "none",
  fn() {
    const tokens = tokenize(
      String.raw`"a\n\x41\303\251\"ü" 0x1F 017 12uLL 'A' // end`,
    );
    assertEquals(tokens[0]!.text, 'a\nAé"ü');
    assertEquals(tokens.slice(1).map(({ number }) => number), [
      31n,
      15n,
      12n,
      65n,
      0n,
    ]);
  },
});

const REFUSED: Readonly<Record<string, string>> = {
  "trace { major = 1;": "Line 1: A name expected",
  "\n\nclock { freq = 1; };": "Line 3: A clock with a name expected",
  "typealias integer { size = 8; } := cut": '";" expected',
  "typealias integer { size = 65; } := x;": "Integer of 65 bits",
  "typealias integer { size = 8; align = 3; } := x;": "Alignment 3",
  "event { fields := struct { nothing x; }; };": '"nothing" is no type',
  "event { fields := string; };": "A struct as fields expected",
  "typealias floating_point { exp_dig = 1; mant_dig = 1; } := f;": "of 2 bits",
};

for (const [text, message] of Object.entries(REFUSED)) {
  Deno.test({
    name: `parseTsdl() refuses ${JSON.stringify(text)}`,
    permissions: "none",
    fn() {
      assertThrows(() => parseTsdl(text), SyntaxError, message);
    },
  });
}

Deno.test({
  name: "parseTsdl() refuses nesting that would exhaust the stack",
  permissions: "none",
  fn() {
    const text = `event { fields := ${"struct { ".repeat(100_000)}`;
    assertThrows(() => parseTsdl(text), SyntaxError, "Less nesting expected");
  },
});

Deno.test({
  name: "TraceDecoder refuses a sequence whose length is nowhere",
  permissions: "none",
  fn() {
    const blocks = parseTsdl(
      "typealias integer { size = 8; } := u8;" +
        "trace { packet.header := struct { u8 a[ nowhere ]; }; };",
    );
    assertThrows(
      () => new TraceDecoder("", blocks),
      SyntaxError,
      "Reference nowhere finds no integer",
    );
  },
});
