/** What a viewer gets on the live port that does not keep to the protocol. */

import { assertEquals } from "@std/assert";
import { LIVE_PAYLOAD_BYTES } from "../../lib/base/limits.ts";
import { viewerHeader } from "../../lib/wire/live.ts";
import { hex, TestRelay } from "./support/relay.ts";

const NOTHING = new Uint8Array();
const CONNECT = hex("ffffffffffffffff 00000002 00000004 00000001");

function command(number: number, payload: Uint8Array, size?: bigint) {
  const dataSize = size ?? BigInt(payload.length);
  const header = viewerHeader.encode({
    dataSize,
    command: number,
    commandVersion: 0,
  });
  return Uint8Array.from([...header, ...payload]);
}

Deno.test("a viewer is greeted with an id of its own", async () => {
  await using relay = new TestRelay();
  for (const id of ["01", "02"]) {
    using viewer = await relay.connect("live");
    await viewer.send(command(1, CONNECT));
    assertEquals(
      await viewer.read(20),
      hex(`00000000000000${id} 00000002 0000000f 00000000`),
    );
    await viewer.expectSilence(20);
  }
});

Deno.test("two greetings in one piece get two answers", async () => {
  await using relay = new TestRelay();
  using viewer = await relay.connect("live");
  const greeting = command(1, CONNECT);
  await viewer.send(greeting, greeting);
  assertEquals((await viewer.read(40)).length, 40);
});

Deno.test("a greeting byte by byte is answered", async () => {
  await using relay = new TestRelay();
  using viewer = await relay.connect("live");
  for (const byte of command(1, CONNECT)) {
    await viewer.send(Uint8Array.of(byte));
    await new Promise((later) => setTimeout(later, 1));
  }
  assertEquals((await viewer.read(20)).length, 20);
});

for (const number of [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xFFFF_FFFF]) {
  Deno.test(`viewer command ${number} before CONNECT is the end`, async () => {
    await using relay = new TestRelay();
    using viewer = await relay.connect("live");
    await viewer.send(command(number, new Uint8Array(20)));
    assertEquals(await viewer.readToEnd(), NOTHING);
    await relay.assertServing();
  });
}

for (const number of [0, 10, 0xFFFF_FFFF]) {
  Deno.test(`viewer command ${number} does not exist: 11, close`, async () => {
    await using relay = new TestRelay();
    using viewer = await relay.connect("live");
    await viewer.send(command(1, CONNECT), command(number, NOTHING));
    assertEquals((await viewer.readToEnd()).subarray(20), hex("0000000b"));
    await relay.assertServing();
  });
}

for (const number of [3, 4, 5, 6, 7, 9]) {
  Deno.test(`viewer command ${number} without payload is the end`, async () => {
    await using relay = new TestRelay();
    using viewer = await relay.connect("live");
    await viewer.send(command(1, CONNECT), command(number, NOTHING));
    assertEquals((await viewer.readToEnd()).length, 20);
    await relay.assertServing();
  });
}

const REFUSED = [
  ["too long", command(1, NOTHING, BigInt(LIVE_PAYLOAD_BYTES + 1))],
  ["absurdly long", command(1, NOTHING, 0xFFFF_FFFF_FFFF_FFFFn)],
  ["too short", command(1, CONNECT.subarray(1))],
  ["empty", command(1, NOTHING)],
  [
    "of another major version",
    command(1, hex("ffffffffffffffff 00000003 00000004 00000001")),
  ],
  [
    "of no known type",
    command(1, hex("ffffffffffffffff 00000002 00000004 00000003")),
  ],
] as const;

for (const [name, bytes] of REFUSED) {
  Deno.test(`a greeting that is ${name} is the end`, async () => {
    await using relay = new TestRelay();
    using viewer = await relay.connect("live");
    await viewer.send(bytes);
    assertEquals(await viewer.readToEnd(), NOTHING);
    await relay.assertServing();
  });
}

Deno.test("half a greeting and then nothing delays nobody", async () => {
  await using relay = new TestRelay();
  using stalled = await relay.connect("live");
  await stalled.send(new Uint8Array(15));
  using viewer = await relay.connect("live");
  await viewer.send(command(1, CONNECT));
  assertEquals((await viewer.read(20)).length, 20);
  await relay.assertServing();
});
