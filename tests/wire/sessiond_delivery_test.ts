/** The command of this project's own, beside the stock ones. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeWhole } from "../../lib/wire/compose.ts";
import {
  OWN_COMMANDS,
  OWN_MARK,
  replyHeader,
  sessiondCommands,
} from "../../lib/wire/sessiond/commands.ts";
import {
  OutputState,
  sessionDelivery,
} from "../../lib/wire/sessiond/delivery.ts";
import { SESSIOND_MINORS } from "../../lib/wire/sessiond/version.ts";
import { WireError } from "../../lib/wire/struct.ts";
import { parseBytes } from "./golden.ts";

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** Above every process id of Linux, which the field had once. */
const PID_MAXIMUM = 2 ** 22;

const delivery = {
  outputState: OutputState.LOST,
  hasMore: true,
  url: "net://h",
  failure: "gone",
  streams: [{
    name: "c_0",
    recordedEvents: 1n,
    discardedEvents: 2n,
    pendingEvents: 9n,
    overwrittenPackets: 3n,
    givenUpPackets: 4n,
    waitingPackets: 5n,
    waitingBytes: 6n,
    unconfirmedPackets: 7n,
    unconfirmedBytes: 2n ** 40n,
  }],
};

const bytes = parseBytes(`
  05 01 07000000 04000000 01000000
  6e65743a2f2f68 676f6e65
  03000000
  0100000000000000 0200000000000000 0900000000000000 0300000000000000 0400000000000000
  0500000000000000 0600000000000000 0700000000000000 0000000000010000
  635f30
`.replaceAll(/\s/g, ""));

test("a session delivery is what was made by hand", () => {
  assertEquals(sessionDelivery.encode(delivery), bytes);
  assertEquals(decodeWhole(sessionDelivery, bytes), delivery);
});

test("a session delivery cut anywhere is refused", () => {
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(
      () => decodeWhole(sessionDelivery, bytes.slice(0, length)),
      WireError,
    );
  }
});

test("SESSION_DELIVERY says whether the session has ended after its domain", () => {
  const { request } = sessiondCommands(13).SESSION_DELIVERY;
  assertEquals(request.offsets["hasEnded"], 4688);
  const value = { session: "s", hasEnded: true };
  assertEquals(request.decode(request.encode(value)), value);
});

for (const minor of SESSIOND_MINORS) {
  test(`own commands are far from those of 2.${minor}`, () => {
    for (const { name, number } of Object.values(sessiondCommands(minor))) {
      assertEquals(number >= 100_000, OWN_COMMANDS.includes(name), name);
    }
  });
}

test("replies of 2.13 have the mark where a process id was", () => {
  const layout = replyHeader(13);
  const sizes = { headerSize: 3, dataSize: 4 };
  const header = { command: 1, code: 10, ...sizes };
  const marked = layout.encode({ ...header, mark: OWN_MARK });
  const plain = layout.encode(header);
  assertEquals(plain.slice(8, 12), new Uint8Array(4));
  assertEquals(replyHeader(14).decode(marked), header);
  assertEquals(layout.decode(marked).mark, OWN_MARK);
  assert(OWN_MARK > PID_MAXIMUM);
});
