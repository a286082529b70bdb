/** The Unix socket that sends credentials: what arrives, and every way to fail. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { groupId, homeOfUser, identity } from "../../lib/os/identity.ts";
import { cString, Errno, SystemError } from "../../lib/os/libc.ts";
import { SocketTimeoutError, UnixSocket } from "../../lib/os/unix_socket.ts";
import { NativeListener } from "./native_listener.ts";

const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;

const wait = { timeoutMs: 5_000, what: "the test" };
const short = { timeoutMs: 150, what: "the test" };
const linux = { ignore: Deno.build.os !== "linux" };

function own() {
  const { effectiveUid, effectiveGid } = identity();
  return { uid: effectiveUid, gid: effectiveGid };
}

function test(name: string, fn: () => Promise<void> | void): void {
  Deno.test({ name, ...linux, fn });
}

test("send() brings its credentials with the first byte", async () => {
  using listener = new NativeListener(4);
  using socket = await UnixSocket.connect(listener.path, wait);
  const fd = listener.accept();
  await socket.send(new Uint8Array([1, 2, 3]), own(), wait);
  const { bytes, control } = listener.receive(fd, 100);
  assertEquals(bytes, new Uint8Array([1, 2, 3]));
  const { uid, gid } = own();
  assertEquals(control.get(SCM_CREDENTIALS), [Deno.pid, uid, gid]);
});

test("send() brings its credentials even before they are wanted", async () => {
  using listener = new NativeListener(4);
  using socket = await UnixSocket.connect(listener.path, wait);
  await socket.send(new Uint8Array([7]), own(), wait);
  const fd = listener.accept();
  const { control } = listener.receive(fd, 100);
  assertEquals(control.get(SCM_CREDENTIALS)?.[0], Deno.pid);
});

test("sendFile() brings a descriptor that can be read", async () => {
  using listener = new NativeListener(4);
  using socket = await UnixSocket.connect(listener.path, wait);
  const fd = listener.accept();
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "contents");
    await socket.sendFile(path, wait);
  } finally {
    await Deno.remove(path);
  }
  const { bytes, control } = listener.receive(fd, 100);
  assertEquals(bytes.length, 1);
  const [passed] = control.get(SCM_RIGHTS) ?? [];
  assertEquals(listener.readFile(passed!), "contents");
});

test("sendFile() names a file that cannot be opened", async () => {
  using listener = new NativeListener(4);
  using socket = await UnixSocket.connect(listener.path, wait);
  const error = await assertRejects(
    () => socket.sendFile("/no/such/file", wait),
    SystemError,
  );
  assertEquals(error.message, "open /no/such/file: No such file or directory");
});

test("send() gives up on a peer that takes nothing", async () => {
  using listener = new NativeListener(4);
  using socket = await UnixSocket.connect(listener.path, wait);
  await assertRejects(
    () => socket.send(new Uint8Array(8_000_000), own(), short),
    SocketTimeoutError,
    "Waited 150 ms in vain for the test",
  );
});

test("connect() waits for a full queue, but not for ever", async () => {
  using listener = new NativeListener(0);
  using _first = await UnixSocket.connect(listener.path, wait);
  await assertRejects(
    () => UnixSocket.connect(listener.path, short),
    SocketTimeoutError,
  );
  const second = UnixSocket.connect(listener.path, wait);
  setTimeout(() => listener.accept(), 50);
  (await second).close();
});

test("connect() and receive() give up when told to", async () => {
  using listener = new NativeListener(0);
  using socket = await UnixSocket.connect(listener.path, wait);
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(
    () => UnixSocket.connect(listener.path, { ...wait, signal }),
    Error,
    "enough",
  );
  await assertRejects(
    () => socket.receive(new Uint8Array(1), { ...wait, signal }),
    Error,
    "enough",
  );
});

test("connect() says why nothing answers", async () => {
  const path = await Deno.makeTempFile();
  try {
    const error = await assertRejects(
      () => UnixSocket.connect(path, wait),
      SystemError,
    );
    assertEquals(error.errno, Errno.ECONNREFUSED);
  } finally {
    await Deno.remove(path);
  }
});

test("send() to a peer that has gone is EPIPE, not the end", async () => {
  let socket: UnixSocket;
  {
    using listener = new NativeListener(4);
    socket = await UnixSocket.connect(listener.path, wait);
    listener.accept();
  }
  using _socket = socket;
  const error = await assertRejects(
    () => socket.send(new Uint8Array(10), own(), wait),
    SystemError,
  );
  assertEquals(error.errno, Errno.EPIPE);
  assertEquals(await socket.receive(new Uint8Array(1), wait), 0);
});

test("close() may be called again", async () => {
  using listener = new NativeListener(4);
  const socket = await UnixSocket.connect(listener.path, wait);
  socket.close();
  socket.close();
});

test("identity() is what id prints", async () => {
  const print = async (option: string) => {
    const { stdout } = await new Deno.Command("id", { args: [option] })
      .output();
    return new TextDecoder().decode(stdout).trim();
  };
  const { uid, effectiveUid, groups } = identity();
  assertEquals(`${uid}`, await print("-ru"));
  assertEquals(`${effectiveUid}`, await print("-u"));
  for (const group of groups) {
    assert((await print("-G")).split(" ").includes(`${group}`));
  }
});

test("groupId() and homeOfUser() read the system's lists", () => {
  assertEquals(groupId("root"), 0);
  assertEquals(groupId("no-such-group"), undefined);
  assertEquals(homeOfUser(0), "/root");
  assertEquals(homeOfUser(4_000_000_000), undefined);
});

test("cString() refuses a NUL, which would cut the text", () => {
  assertEquals(cString("a"), new Uint8Array([97, 0]));
  let refused = false;
  try {
    cString("a\0b");
  } catch {
    refused = true;
  }
  assert(refused);
});
