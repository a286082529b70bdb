/** Text gathered as bytes. */

import { assertEquals } from "@std/assert";
import { TextBuffer } from "../../../lib/ctf/text/buffer.ts";

function gathered(write: (out: TextBuffer) => void): string {
  const out = new TextBuffer();
  write(out);
  return new TextDecoder().decode(out.take());
}

Deno.test({
  name: "TextBuffer grows with what is added",
  permissions: "none",
  fn: () => {
    const long = "é".repeat(300_000);
    const out = new TextBuffer();
    out.text("before ");
    out.quoted(long, []);
    out.text(long);
    for (let index = 0; index < 100_000; index++) out.decimal(123456789);
    assertEquals(out.isFull, true);
    assertEquals(
      new TextDecoder().decode(out.take()),
      `before "${long}"${long}${"123456789".repeat(100_000)}`,
    );
    assertEquals(out.length, 0);
  },
});

Deno.test({
  name: "TextBuffer.decimal() writes every integer",
  permissions: "none",
  fn: () => {
    const values = [0, -1, 9, 10, 999999999, 1e9, 4294967296, -(2 ** 53 - 1)];
    const wide = [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, 7n];
    for (const value of [...values, ...wide]) {
      assertEquals(gathered((out) => out.decimal(value)), String(value));
    }
  },
});

Deno.test({
  name: "TextBuffer.hexadecimal() writes every width",
  permissions: "none",
  fn: () => {
    for (let bits = 4; bits <= 64; bits += 4) {
      const most = 2n ** BigInt(bits) - 1n;
      for (const value of [0n, 1n, most, most >> 1n, -1n, -(most >> 1n)]) {
        const expected = BigInt.asUintN(bits, value).toString(16).toUpperCase();
        assertEquals(gathered((out) => out.hexadecimal(value, bits)), expected);
        if (bits > 52) continue;
        const short = Number(value);
        assertEquals(gathered((out) => out.hexadecimal(short, bits)), expected);
      }
    }
  },
});

Deno.test({
  name: "TextBuffer.quoted() writes bytes that are no UTF-8 as they are",
  permissions: "none",
  fn: () => {
    const out = new TextBuffer();
    out.quoted("a\udcff\u{1f600}\udc80é\ud800", []);
    assertEquals(
      [...out.take()],
      [
        ...[0x22, 0x61, 0xff, 0xf0, 0x9f, 0x98, 0x80, 0x80, 0xc3, 0xa9],
        ...[0xef, 0xbf, 0xbd, 0x22],
      ],
    );
  },
});
