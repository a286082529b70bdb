/** A small trace put together by hand, in the forms that our own writer does not use. */

import type { ByteOrder } from "../../../lib/ctf/types.ts";

/** Forms of LTTng's kernel tracer and of barectf: aliases, variants, ranges, references. */
export function handMadeMetadata(byteOrder: ByteOrder): string {
  return `/* CTF 1.8 */
// Types before the trace block need its byte order all the same.
typealias integer { size = 8; align = 8; signed = false; } := uint8_t;
typealias integer { size = 16; align = 8; signed = false; } := uint16_t;
typealias integer { size = 32; align = 8; signed = false; } := uint32_t;
typealias integer { size = 64; align = 8; signed = false; } := unsigned long;
typealias integer { size = 5; align = 1; signed = false; } := uint5_t;
typedef integer { size = 32; align = 32; signed = true; base = hexadecimal; } word_t;
typealias integer { size = 8; align = 8; encoding = UTF8; } := char;

trace {
	major = 1;
	minor = 8;
	uuid = "2a6422d0-6cee-11e0-8c08-cb07d7b3a564";
	byte_order = ${byteOrder};
	packet.header := struct {
		uint32_t magic;
		uint8_t uuid[16];
		uint32_t stream_id;
	};
};

env {
	hostname = "by-hand";
	domain = "kernel";
	tracer_name = "lttng-modules";
	tracer_major = 2;
	word = "ab\\x21\\041\\n";
};

clock {
	name = cycles;
	description = "Counts at 8 MHz";
	freq = 8000000;
	precision = 100;
	offset_s = 1326476837;
	offset = 897235420;
};

typealias integer {
	size = 27; align = 1; signed = false;
	map = clock.cycles.value;
} := uint27_clock_t;

struct packet_context {
	integer { size = 64; align = 8; map = clock.cycles.value; } timestamp_begin;
	integer { size = 64; align = 8; map = clock.cycles.value; } timestamp_end;
	unsigned long content_size;
	unsigned long packet_size;
	uint32_t cpu_id;
};

struct event_header {
	enum : uint5_t { brief = 0 ... 30, full = 31 } id;
	variant <id> {
		struct { uint27_clock_t timestamp; } brief;
		struct {
			uint32_t id;
			integer { size = 64; align = 8; map = clock.cycles.value; } timestamp;
		} full;
	} v;
} align(8);

stream {
	id = 7;
	event.header := struct event_header;
	packet.context := struct packet_context;
	event.context := struct { uint8_t _kinds; char _procname[4]; };
};

enum shape : uint8_t { "point", line = 1 ... 3, other = 10, next, };
variant shapes {
	struct { } _point;
	struct { uint16_t x; word_t _y; } line;
	string other;
};

event {
	name = "by_hand:first";
	id = 3;
	stream_id = 7;
	loglevel = 6;
	model.emf.uri = "http://example.com/";
	context := struct { uint8_t _count; };
	fields := struct {
		enum shape _tag;
		struct { variant shapes <_tag> _v; } _nested;
		uint8_t _a[ stream.event.context._kinds ], _b[2][event.context._count];
		floating_point { exp_dig = 8; mant_dig = 24; align = 8; } _f;
		enum : integer { size = 8; signed = true; } { minus = -2 ... -1, zero = 0 } _e;
	};
};

callsite { name = "by_hand:first"; func = "f"; file = "f.c"; line = 1; };
`;
}

const HEADER_SIZE = 24 + 36;

/** One packet of three events: one for each option of the variant. */
export function handMadePacket(byteOrder: ByteOrder): Uint8Array<ArrayBuffer> {
  const little = byteOrder === "le";
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  let at = HEADER_SIZE;
  function put(...values: number[]): void {
    for (const value of values) bytes[at++] = value;
  }
  function event(ticks: number): void {
    const word = little ? ticks * 32 + 3 : 3 * 2 ** 27 + ticks;
    view.setUint32(at, word, little);
    at += 4;
    put(2, 0x61, 0x62, 0, 0, 1);
  }
  function rest(enumeration: number): void {
    put(1, 2, 3, 4);
    view.setFloat32(at, 1.5, little);
    at += 4;
    put(enumeration & 0xFF);
  }
  event(1000);
  put(0);
  rest(-2);
  event(2000);
  put(2);
  // Two structs and an integer aligned to 32 bits.
  at = Math.ceil(at / 4) * 4;
  view.setUint16(at, 513, little);
  at += 4;
  view.setInt32(at, -3, little);
  at += 4;
  rest(0);
  // A time that is less than the one before: 2^27 ticks went by.
  event(500);
  put(10, 0x68, 0x69, 0);
  rest(7);
  writeHeader(view, at, little);
  return bytes;
}

function writeHeader(
  view: DataView<ArrayBuffer>,
  contentSize: number,
  little: boolean,
): void {
  view.setUint32(0, 0xC1FC1FC1, little);
  const uuid = Uint8Array.fromHex("2a6422d06cee11e08c08cb07d7b3a564");
  new Uint8Array(view.buffer).set(uuid, 4);
  view.setUint32(20, 7, little);
  view.setBigUint64(24, 900n, little);
  view.setBigUint64(32, 2n ** 27n + 600n, little);
  view.setBigUint64(40, BigInt(contentSize * 8), little);
  view.setBigUint64(48, BigInt(view.byteLength * 8), little);
  view.setUint32(56, 5, little);
}

/** Writes the trace into a directory of its own. */
export async function writeHandMade(
  directory: string,
  byteOrder: ByteOrder,
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  const metadata = handMadeMetadata(byteOrder);
  await Deno.writeTextFile(`${directory}/metadata`, metadata);
  await Deno.writeFile(`${directory}/stream`, handMadePacket(byteOrder));
}
