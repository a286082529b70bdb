/** Exact reads, bounded waits and clear ends of one TCP connection. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connection, ConnectionError } from "../../lib/net/connection.ts";

const permissions: Deno.PermissionOptions = { net: ["127.0.0.1"] };

/** Defines a test with both ends of a connection. */
function connected(
  name: string,
  fn: (near: Connection, far: Connection) => Promise<void>,
): void {
  Deno.test({
    name,
    permissions,
    fn: async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr;
      const accepting = listener.accept();
      using near = await Connection.connect({ hostname: "127.0.0.1", port });
      using far = new Connection(await accepting);
      await fn(near, far);
    },
  });
}

const bytes = (...values: number[]) => new Uint8Array(values);

connected(
  "Connection.readExactly() joins what came in pieces",
  async (near, far) => {
    const reading = near.readExactly(4);
    for (const value of [1, 2, 3, 4, 5]) await far.write(bytes(value));
    assertEquals(await reading, bytes(1, 2, 3, 4));
    assertEquals(await near.readExactly(1), bytes(5));
  },
);

connected(
  "Connection.readExactly() reads more than any buffer holds",
  async (near, far) => {
    const sent = new Uint8Array(3_000_000).map((_, i) => i * 7);
    const writing = far.write(sent);
    assertEquals(await near.readExactly(10), sent.slice(0, 10));
    const rest = await near.readExactly(sent.length - 10);
    assert(rest.every((byte, i) => byte === sent[i + 10]));
    await writing;
  },
);

connected(
  "Connection.readExactly() loses nothing when time runs out",
  async (near, far) => {
    await far.write(bytes(1, 2));
    await assertRejects(
      () => near.readExactly(4, { timeoutMs: 50, what: "the answer" }),
      ConnectionError,
      "Waited 50 ms in vain for the answer",
    );
    await far.write(bytes(3, 4));
    assertEquals(await near.readExactly(4), bytes(1, 2, 3, 4));
  },
);

connected(
  "Connection.readExactly() says how much came before the end",
  async (near, far) => {
    await far.write(bytes(1, 2, 3));
    await far.closeWrite();
    await assertRejects(
      () => near.readExactly(8),
      ConnectionError,
      "after 3 of 8 bytes",
    );
  },
);

connected(
  "Connection.close() fails a read that waits, and may be called twice",
  async (near) => {
    const reading = near.readExactly(1);
    near.close();
    near.close();
    await assertRejects(() => reading, ConnectionError, "is closed");
  },
);

connected(
  "Connection.write() fails when the peer takes nothing for too long",
  async (near) => {
    await assertRejects(
      () => near.write(new Uint8Array(64 * 1024 * 1024), 100),
      ConnectionError,
      "Waited 100 ms in vain",
    );
  },
);

Deno.test({
  name: "Connection.connect() names the peer that refuses",
  permissions,
  fn: async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await assertRejects(
      () => Connection.connect({ hostname: "127.0.0.1", port }),
      ConnectionError,
      `Cannot connect to 127.0.0.1:${port}`,
    );
  },
});

Deno.test({
  name: "Connection.connect() gives up on a peer that does not accept",
  permissions,
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const full: Connection[] = [];
    const to = { hostname: "127.0.0.1", port };
    try {
      // The system accepts for the listener until its backlog is full.
      await assertRejects(
        async () => {
          for (let i = 0; i < 5000; i++) {
            full.push(await Connection.connect({ ...to, timeoutMs: 150 }));
          }
        },
        ConnectionError,
        `Waited 150 ms in vain for a connection to 127.0.0.1:${port}`,
      );
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error("Enough")), 20);
      await assertRejects(
        () => Connection.connect({ ...to, signal: abort.signal }),
        Error,
        "Enough",
      );
    } finally {
      for (const connection of full) connection.close();
    }
  },
});
