/** The codec reads and writes what stock clients and session daemons send. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeWhole } from "../../lib/wire/compose.ts";
import {
  OWN_COMMANDS,
  replyHeader,
  type SessiondCommandName,
  sessiondCommands,
} from "../../lib/wire/sessiond/commands.ts";
import { type Struct, WireError } from "../../lib/wire/struct.ts";
import { type Exchange, readGolden } from "./golden.ts";

const commands = sessiondCommands(13);
const header = replyHeader(13);
/** Stock daemons have no other. */
const names = (Object.keys(commands) as SessiondCommandName[])
  .filter((name) => !OWN_COMMANDS.includes(name));

// Read here, with the permissions of the run: the tests have none.
const golden = new Map<SessiondCommandName, Exchange[]>(
  names.map((name) => [name, readGolden(`sessiond/${name}.txt`)]),
);

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** The request, and how many bytes follow it for its file descriptors. */
function decodeRequest(name: SessiondCommandName, bytes: Uint8Array) {
  const layout = commands[name].request as Struct<{ fdCount?: number }>;
  const { value, size } = layout.take(bytes);
  assertEquals(size + (value.fdCount ?? 0), bytes.length);
  return { value, size };
}

for (const [name, exchanges] of golden) {
  const { request, reply, replyHeaderSize } = commands[name];
  test(`${name} requests are read and written byte for byte`, () => {
    for (const { title, request: bytes } of exchanges) {
      const { value, size } = decodeRequest(name, bytes);
      const written = (request as Struct<unknown>).encode(value);
      assertEquals(written, bytes.slice(0, size), title);
    }
  });

  test(`${name} replies are read and written byte for byte`, () => {
    for (const { title, reply: bytes } of exchanges) {
      const { code, headerSize, dataSize } = header.decode(bytes);
      const body = bytes.slice(header.size);
      assertEquals(headerSize + dataSize, body.length, title);
      if (code !== 10) continue;
      assertEquals(headerSize, replyHeaderSize, title);
      const value = decodeWhole(reply as Struct<unknown>, body);
      const written = (reply as Struct<unknown>).encode(value);
      assertEquals(written, withoutGarbage(name, body), title);
    }
  });

  test(`${name} requests cut anywhere are refused`, () => {
    for (const { request: bytes } of exchanges) {
      const { size } = decodeRequest(name, bytes);
      for (const length of cuts(size)) {
        assertThrows(
          () => decodeWhole(request as Struct<unknown>, bytes.slice(0, length)),
          WireError,
        );
      }
    }
  });
}

/** What decoding says: nothing, or a WireError. Anything else is thrown. */
function refusalOf(layout: Struct<unknown>, bytes: Uint8Array) {
  try {
    decodeWhole(layout, bytes);
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

for (const [name, exchanges] of golden) {
  const reply = commands[name].reply as Struct<unknown>;
  const bodies = exchanges.filter(({ reply }) =>
    header.decode(reply).code === 10
  )
    .map(({ reply }) => reply.slice(header.size))
    .filter((body) => body.length > 0);
  if (bodies.length === 0) continue;
  test(`${name} replies with a byte more or less are refused`, () => {
    for (const body of bodies) {
      assert(refusalOf(reply, body.slice(0, -1)) !== undefined);
      const longer = new Uint8Array(body.length + 1);
      longer.set(body);
      assert(refusalOf(reply, longer) !== undefined);
    }
  });

  test(`${name} replies damaged anywhere cost nothing else`, () => {
    for (const body of bodies) {
      const step = Math.ceil(body.length / 200);
      for (let at = 0; at < body.length; at += step) {
        const damaged = body.slice();
        damaged[at] = 0xFF;
        refusalOf(reply, damaged);
        refusalOf(reply, body.slice(0, at));
      }
    }
  });
}

/** Bytes that the session daemon leaves as they were on its stack. */
function withoutGarbage(name: SessiondCommandName, body: Uint8Array) {
  const clean = body.slice();
  // The header of an archive's location, after its type and length.
  if (name === "DESTROY_SESSION" && body[4] === 1) clean.fill(0, 9, 18);
  return clean;
}

/** Lengths shorter than `size`: all of the payload's, some of the rest. */
function cuts(size: number): number[] {
  const fixed = commands.LIST_SESSIONS.request.size;
  const lengths = [0, 3, 4, 258, 4379, 4380, 4687, 4688, fixed - 4, fixed - 1];
  for (let length = fixed; length < size && length < fixed + 300; length++) {
    lengths.push(length);
  }
  return lengths;
}

test("every command was recorded", () => {
  for (const [name, exchanges] of golden) assert(exchanges.length > 0, name);
});
