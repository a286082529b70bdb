/** Which sockets a client tries, by who it is. */

import { assertEquals } from "@std/assert";
import {
  socketCandidates,
  type SocketSurroundings,
} from "../../lib/control/socket_path.ts";

const SYSTEM = "/var/run/lttng/client-lttng-sessiond";
const OWN = "/home/u/.lttng/client-lttng-sessiond";

/** The candidates of user 1000 in group 50, but for `changes`. */
function candidates(changes: Partial<SocketSurroundings>): string[] {
  return socketCandidates({
    identity: { uid: 1000, groups: [50] },
    tracingGroup: undefined,
    home: "/home/u",
    runDirectory: undefined,
    ...changes,
  });
}

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

test("socketCandidates() gives root the system's socket alone", () => {
  const identity = { uid: 0, groups: [50] };
  assertEquals(candidates({ identity, tracingGroup: 50 }), [SYSTEM]);
});

test("socketCandidates() gives a member of the tracing group both", () => {
  assertEquals(candidates({ tracingGroup: 50 }), [SYSTEM, OWN]);
});

test("socketCandidates() gives others their own alone", () => {
  assertEquals(candidates({ tracingGroup: 51 }), [OWN]);
  assertEquals(candidates({}), [OWN]);
});

test("socketCandidates() puts LTTNG_RUNDIR first", () => {
  assertEquals(candidates({ runDirectory: "/run/x" }), [
    "/run/x/client-lttng-sessiond",
    OWN,
  ]);
});

test("socketCandidates() has nothing for a user without a home", () => {
  assertEquals(candidates({ home: undefined }), []);
});
