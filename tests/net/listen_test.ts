/** Listeners that are bound together or not at all. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { availablePort, listenAll, ListenError } from "../../lib/net/listen.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

Deno.test("listenAll() returns listeners that accept", async () => {
  const { one, other } = listenAll({ one: LOCAL, other: LOCAL });
  for (const listener of [one, other]) {
    const { port } = listener.addr;
    using client = await Deno.connect({ hostname: LOCAL.hostname, port });
    using accepted = await listener.accept();
    assertEquals(accepted.remoteAddr, client.localAddr);
    listener.close();
  }
});

Deno.test("listenAll() closes what it bound when one port is in use", () => {
  using blocker = Deno.listen(LOCAL);
  const free = availablePort();
  const taken = blocker.addr.port;
  const error = assertThrows(
    () =>
      listenAll({
        control: { ...LOCAL, port: free },
        data: { ...LOCAL, port: taken },
      }),
    ListenError,
  );
  assertEquals(
    error.message,
    `Cannot listen on 127.0.0.1:${taken} for data connections: the port is in use`,
  );
  assertEquals(error.role, "data");
  assert(error.cause instanceof Deno.errors.AddrInUse);
  Deno.listen({ ...LOCAL, port: free }).close();
});

Deno.test("listenAll() says that an address is not this machine's", () => {
  // 192.0.2.0/24 is reserved for documentation.
  const error = assertThrows(
    () => listenAll({ live: { hostname: "192.0.2.1", port: 5344 } }),
    ListenError,
  );
  assertEquals(
    error.message,
    "Cannot listen on 192.0.2.1:5344 for live connections: this machine has no such address",
  );
});

Deno.test("availablePort() returns a port that can be listened on", () => {
  const port = availablePort();
  assert(port > 0);
  using listener = Deno.listen({ ...LOCAL, port });
  assertEquals(listener.addr.port, port);
});
