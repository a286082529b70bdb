import { assertEquals, assertThrows } from "@std/assert";
import { Elf, ElfError } from "../../lib/kernel/elf.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** Sections of a made-up file: strings, symbols, notes, base, section names. */
const NAMES = "\0.strtab\0.symtab\0.note.stapsdt\0.stapsdt.base\0.names\0";
const SYMBOL_NAMES = "\0a_function\0a_variable\0nowhere\0";

interface Shape {
  readonly is64: boolean;
  readonly little: boolean;
}

/**
 * A file whose one segment has address 0x10000 and lies at 0x100: a function
 * at 0x10020, one outside, a variable, and an instrumentation point at
 * 0x10040 whose note was written when the base was 0x500 less.
 */
function makeElf({ is64, little }: Shape): Uint8Array {
  const bytes = new Uint8Array(2048);
  const view = new DataView(bytes.buffer);
  const word = is64 ? 8 : 4;
  const u16 = (at: number, value: number) => view.setUint16(at, value, little);
  const u32 = (at: number, value: number) => view.setUint32(at, value, little);
  const put = (at: number, value: number) =>
    is64 ? view.setBigUint64(at, BigInt(value), little) : u32(at, value);
  const text = (at: number, value: string) =>
    new TextEncoder().encodeInto(value, bytes.subarray(at));

  view.setUint32(0, 0x7F454C46);
  bytes[4] = is64 ? 2 : 1;
  bytes[5] = little ? 1 : 2;
  const segmentAt = 0x80;
  const sectionAt = 0x400;
  put(is64 ? 32 : 28, segmentAt);
  put(is64 ? 40 : 32, sectionAt);
  u16(is64 ? 54 : 42, is64 ? 56 : 32);
  u16(is64 ? 56 : 44, 1);
  u16(is64 ? 58 : 46, is64 ? 64 : 40);
  u16(is64 ? 60 : 48, 6);
  u16(is64 ? 62 : 50, 5);
  u32(segmentAt, 1);
  put(segmentAt + (is64 ? 8 : 4), 0x100);
  put(segmentAt + (is64 ? 16 : 8), 0x10000);
  put(segmentAt + (is64 ? 32 : 16), 0x300);

  const symbolSize = is64 ? 24 : 16;
  const symbol = (index: number, name: string, type: number, value: number) => {
    const at = 0x200 + index * symbolSize;
    u32(at, SYMBOL_NAMES.indexOf(`\0${name}\0`) + 1);
    bytes[at + (is64 ? 4 : 12)] = 16 + type;
    put(at + (is64 ? 8 : 4), value);
  };
  symbol(1, "a_variable", 1, 0x10010);
  symbol(2, "a_function", 2, 0x10020);
  symbol(3, "nowhere", 2, 0x90000);
  text(0x1A0, SYMBOL_NAMES);

  const point = "a_provider\0a_point\0-4@%eax\0";
  u32(0x300, 8);
  u32(0x304, 3 * word + point.length);
  u32(0x308, 3);
  text(0x30C, "stapsdt");
  put(0x314, 0x10040 - 0x500);
  put(0x314 + word, 0x10080 - 0x500);
  put(0x314 + 2 * word, 0);
  text(0x314 + 3 * word, point);
  const noteSize = Math.ceil((20 + 3 * word + point.length) / 4) * 4;

  text(0x380, NAMES);
  const section = (
    index: number,
    name: string,
    type: number,
    values: readonly [address: number, offset: number, size: number],
    link = 0,
    entry = 0,
  ) => {
    const at = sectionAt + index * (is64 ? 64 : 40);
    u32(at, NAMES.indexOf(name));
    u32(at + 4, type);
    put(at + (is64 ? 16 : 12), values[0]);
    put(at + (is64 ? 24 : 16), values[1]);
    put(at + (is64 ? 32 : 20), values[2]);
    u32(at + (is64 ? 40 : 24), link);
    put(at + (is64 ? 56 : 36), entry);
  };
  section(1, ".strtab", 3, [0, 0x1A0, SYMBOL_NAMES.length]);
  section(2, ".symtab", 2, [0, 0x200, 4 * symbolSize], 1, symbolSize);
  section(3, ".note.stapsdt", 7, [0, 0x300, noteSize]);
  section(4, ".stapsdt.base", 1, [0x10080, 0x180, 1]);
  section(5, ".names", 3, [0, 0x380, NAMES.length]);
  return bytes;
}

for (const is64 of [true, false]) {
  for (const little of [true, false]) {
    const title = `${is64 ? 64 : 32}-bit, ${little ? "little" : "big"}-endian`;
    test(`Elf finds functions by their names, ${title}`, () => {
      const elf = new Elf(makeElf({ is64, little }));
      assertEquals(elf.functionOffset("a_function"), 0x120);
      assertThrows(
        () => elf.functionOffset("a_variable"),
        ElfError,
        'it has no function "a_variable"',
      );
      assertThrows(
        () => elf.functionOffset("nowhere"),
        ElfError,
        "address 0x90000 is not in the file",
      );
    });

    test(`Elf finds instrumentation points, ${title}`, () => {
      const elf = new Elf(makeElf({ is64, little }));
      assertEquals(elf.sdtPlaces("a_provider", "a_point"), [
        { offset: 0x140, hasSemaphore: false },
      ]);
      assertThrows(
        () => elf.sdtPlaces("a_provider", "other"),
        ElfError,
        'it has no instrumentation point "a_provider:other"',
      );
    });
  }
}

test("Elf refuses what is no executable", () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(100)]) {
    assertThrows(() => new Elf(bytes), ElfError, "it is no executable");
  }
});

test("Elf refuses a file that is cut anywhere, or finds what is whole", () => {
  const whole = makeElf({ is64: true, little: true });
  for (let size = 0; size < whole.length; size += 7) {
    try {
      const elf = new Elf(whole.subarray(0, size));
      assertEquals(elf.functionOffset("a_function"), 0x120);
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
    }
  }
});
