import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../lib/os/libc.ts";
import { UnixListener, type UnixPeer } from "../../lib/os/unix_listener.ts";
import { UnixSocket } from "../../lib/os/unix_socket.ts";

const isLinux = Deno.build.os === "linux";
const WAIT = { timeoutMs: 5_000, what: "the test" };
const forever = new AbortController().signal;

function test(name: string, fn: () => Promise<void>): void {
  if (!isLinux) console.log(`Skipped: ${name}: Linux only`);
  Deno.test({ name, ignore: !isLinux, fn });
}

/** Listens for the time of `use`, in a directory of its own. */
async function listening(
  use: (listener: UnixListener) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await using listener = UnixListener.listen(`${directory}/socket`, 8);
    await use(listener);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function nextPeer(listener: UnixListener): Promise<UnixPeer> {
  for await (const peer of listener) return peer;
  throw new Error("Nobody connected");
}

test("UnixPeer.credentials tells who sent the bytes", () =>
  listening(async (listener) => {
    const accepted = nextPeer(listener);
    using socket = await UnixSocket.connect(listener.path, WAIT);
    const uid = Deno.uid() ?? 0;
    const gid = Deno.gid() ?? 0;
    await socket.send(Uint8Array.of(1, 2, 3), { uid, gid }, WAIT);
    using peer = await accepted;
    const bytes = new Uint8Array(3);
    assert(await peer.readFully(bytes, forever));
    assertEquals([...bytes], [1, 2, 3]);
    assertEquals(peer.credentials, { pid: Deno.pid, uid, gid });
  }));

test("UnixPeer.credentials tells who connected where nothing came along", () =>
  listening(async (listener) => {
    const accepted = nextPeer(listener);
    const connection = await Deno.connect({
      transport: "unix",
      path: listener.path,
    });
    await connection.write(Uint8Array.of(7));
    using peer = await accepted;
    assert(await peer.readFully(new Uint8Array(1), forever));
    assertEquals(peer.credentials.uid, Deno.uid());
    connection.close();
  }));

test("UnixPeer.readFully() says that the peer closed before", () =>
  listening(async (listener) => {
    const accepted = nextPeer(listener);
    const connection = await Deno.connect({
      transport: "unix",
      path: listener.path,
    });
    await connection.write(Uint8Array.of(7));
    connection.close();
    using peer = await accepted;
    assertEquals(await peer.readFully(new Uint8Array(2), forever), false);
  }));

test("UnixPeer.readFully() gives up when its signal says so", () =>
  listening(async (listener) => {
    const accepted = nextPeer(listener);
    const connection = await Deno.connect({
      transport: "unix",
      path: listener.path,
    });
    using peer = await accepted;
    const end = new AbortController();
    const reading = peer.readFully(new Uint8Array(2), end.signal);
    end.abort();
    assertEquals(await reading, false);
    connection.close();
  }));

test("UnixPeer.writeAll() sends more than the socket holds to a slow reader", () =>
  listening(async (listener) => {
    const accepted = nextPeer(listener);
    const connection = await Deno.connect({
      transport: "unix",
      path: listener.path,
    });
    using peer = await accepted;
    const size = 4 * 1024 * 1024;
    const writing = peer.writeAll(new Uint8Array(size).fill(9), forever);
    let got = 0;
    const buffer = new Uint8Array(65_536);
    while (got < size) got += await connection.read(buffer) ?? size;
    assertEquals(got, size);
    assert(await writing);
    connection.close();
  }));

test("UnixPeer counts and closes file descriptors that come along", () =>
  listening(async (listener) => {
    const accepted = nextPeer(listener);
    using socket = await UnixSocket.connect(listener.path, WAIT);
    await socket.sendFile("/dev/null", WAIT);
    using peer = await accepted;
    assert(await peer.readFully(new Uint8Array(1), forever));
    assertEquals(peer.filesReceived, 1);
  }));

test("UnixListener.listen() refuses a path where something is", async () => {
  await listening((listener) => {
    assertThrows(
      () => UnixListener.listen(listener.path, 1),
      SystemError,
      "Address already in use",
    );
    return Promise.resolve();
  });
});
