/** CREATE_SESSION and ADD_STREAM of every minor, and what a session says. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { PeerError } from "../../lib/base/errors.ts";
import { dateTime } from "../../lib/relay/layout.ts";
import { assertRefused } from "./support/refused.ts";
import { START_SECONDS, UST_PATH, World } from "./support/world.ts";

const NOW = dateTime(START_SECONDS);

for (let minor = 1; minor <= 15; minor++) {
  Deno.test(`a peer of 2.${minor} records`, () => {
    using world = new World();
    const consumer = world.consumer(minor);
    const reply = consumer.createSession();
    assertEquals(reply.code, 10);
    assertEquals(`${reply.outputPath}`, minor < 11 ? "" : "vm/demo");
    assertEquals(Number(consumer.session.minor), minor);
    if (minor >= 11) consumer.createChunk(0n);
    const path = minor < 11 ? "/vm/demo/kernel" : "kernel";
    const stream = consumer.addStream("ch_0", { path });
    consumer.data(stream, 0n);
    if (minor >= 4) consumer.index(stream, 0n);
    assertEquals(world.tree(), [
      "vm/demo/kernel/ch_0",
      ...(minor >= 4 ? ["vm/demo/kernel/index/ch_0.idx"] : []),
    ]);
  });
}

for (const minor of [16, 99, 0xFFFF_FFFF]) {
  Deno.test(`a peer of 2.${minor} gets 2.15`, () => {
    using world = new World();
    const consumer = world.consumer(minor);
    assertEquals(
      consumer.call("VERSION", { major: 2, minor }),
      { major: 2, minor: consumer.state.minor! },
    );
    assertEquals(Number(consumer.state.minor), 15);
  });
}

Deno.test("a second VERSION changes nothing", () => {
  using world = new World();
  const consumer = world.consumer(11);
  consumer.call("VERSION", { major: 2, minor: 15 });
  assertEquals(Number(consumer.state.minor), 11);
});

Deno.test("sessions are numbered from 1, refused ones not counted", () => {
  using world = new World();
  assertThrows(() => world.recording({ sessionName: "" }), PeerError);
  assertEquals(world.recording({ sessionName: "a" }).session.id, 1n as never);
  assertEquals(world.recording({ sessionName: "b" }).session.id, 2n as never);
});

Deno.test("a second CREATE_SESSION on a connection is refused", () => {
  using world = new World();
  const consumer = world.recording();
  assertRefused(() => consumer.createSession({ sessionName: "more" }), {
    code: 25,
    text: 'A second session on one connection, after session 1 "demo"',
  });
  assertEquals(world.tree(), ["vm/demo/"]);
});

const BAD_NAMES = ["", ".", "..", ".x", "a/b", "../x", "/x", "a\0b"];

for (const minor of [4, 10, 11, 14, 15]) {
  for (const name of BAD_NAMES) {
    Deno.test(`2.${minor}: the name ${JSON.stringify(name)} is refused`, () => {
      using world = new World();
      for (const field of ["sessionName", "hostname"]) {
        const consumer = world.consumer(minor);
        const error = assertThrows(
          () => consumer.createSession({ [field]: name }),
          PeerError,
          field === "hostname" ? "Host name" : "Session name",
        );
        assertEquals(error.code, 25);
        assertEquals(consumer.state.session, undefined);
      }
      assertEquals(world.tree(), []);
    });
  }
}

for (const basePath of ["/etc", "..", "../x", "a/..", "a/../../b", "a\0b"]) {
  Deno.test(`the base path ${JSON.stringify(basePath)} is refused`, () => {
    using world = new World();
    const error = assertThrows(
      () => world.recording({ basePath }),
      PeerError,
      "Base path",
    );
    assertEquals(error.code, 25);
    assertEquals(world.tree(), []);
  });
}

Deno.test("an all-zero UUID and an unknown trace format are refused", () => {
  using world = new World();
  assertThrows(
    () => world.recording({ sessiondUuid: new Uint8Array(16) }),
    PeerError,
    "UUID is all zero",
  );
  for (const traceFormat of [0, 3, 0xFFFF_FFFF]) {
    assertThrows(
      () => world.recording({ traceFormat }, 15),
      PeerError,
      `Unknown trace format: ${traceFormat}`,
    );
  }
  world.recording({ traceFormat: 2 }, 15);
});

const OUTPUTS = [
  { group: "host", request: {}, path: "vm/demo" },
  {
    group: "host",
    request: { nameContainsCreationTime: false },
    path: `vm/demo-${NOW}`,
  },
  { group: "host", request: { basePath: "my/path" }, path: "vm/my/path" },
  { group: "session", request: {}, path: `demo/vm-${NOW}` },
  {
    group: "session",
    request: { basePath: "my/path" },
    path: `demo/vm-${NOW}/my/path`,
  },
] as const;

for (const { group, request, path } of OUTPUTS) {
  Deno.test(`grouped by ${group}, a session lies at ${path}`, () => {
    using world = new World({ groupOutputBy: group });
    const consumer = world.consumer();
    assertEquals(`${consumer.createSession(request).outputPath}`, path);
    assertEquals(world.tree(), [`${path}/`]);
  });
}

const LEGACY = [
  { group: "host", sent: "/vm/demo-20250101-000000/kernel", path: undefined },
  {
    group: "session",
    sent: "/vm/demo-20250101-000000/kernel",
    path: "demo/vm-20250101-000000/kernel",
  },
  { group: "session", sent: "vm/demo/ust", path: `demo/vm-${NOW}/ust` },
  { group: "session", sent: "/vm/own/ust", path: `demo/vm-${NOW}/own/ust` },
] as const;

for (const { group, sent, path } of LEGACY) {
  Deno.test(`grouped by ${group}, a 2.10 peer's ${sent} is found`, () => {
    using world = new World({ groupOutputBy: group });
    const consumer = world.recording({}, 10);
    consumer.addStream("ch_0", { path: sent });
    assertEquals(world.tree(), [`${path ?? sent.slice(1)}/ch_0`]);
  });
}

Deno.test("a nameless session is grouped by host, with a warning", () => {
  using world = new World({ groupOutputBy: "session" });
  const consumer = world.recording({}, 3);
  consumer.addStream("ch_0", { path: "/vm/demo/kernel" });
  assertEquals(world.tree(), ["vm/demo/kernel/ch_0"]);
  assertEquals(
    world.lines[0],
    "Warning: A peer of LTTng 2.3 does not say its session's name: its " +
      "output is grouped by host",
  );
});

const BAD_PATHS = [
  ...["", "/", ".", "..", "../x", "a/..", "a/../../b", "//etc", "a\0b"],
  ...["archives", "archives/x", ".tmp_old_chunk/x", ".tmp_new_chunk"],
];

for (const path of BAD_PATHS) {
  Deno.test(`the stream path ${JSON.stringify(path)} is refused`, () => {
    using world = new World();
    const consumer = world.recording();
    assertRefused(() => consumer.addStream("ch_0", { path }), {
      code: 11,
      text: "Stream path",
      goesOn: true,
    });
    assertEquals(world.tree(), ["vm/demo/"]);
    consumer.addStream("ch_0");
  });
}

const BAD_CHANNELS = [
  ...["", ".", "..", "../ch", "a/b", "/x", "a\0b", "index", "x".repeat(252)],
];

for (const name of BAD_CHANNELS) {
  Deno.test(`the channel name ${JSON.stringify(name).slice(0, 20)} is refused`, () => {
    using world = new World();
    const consumer = world.recording();
    for (const size of [0n, 4096n]) {
      assertRefused(() => consumer.addStream(name, { size }), {
        code: 11,
        text: "ame",
        goesOn: true,
      });
    }
    assertEquals(world.tree(), ["vm/demo/"]);
  });
}

for (const minor of [1, 2, 4, 8, 10]) {
  Deno.test(`2.${minor}: a stream path that climbs is refused`, () => {
    for (const groupOutputBy of ["host", "session"] as const) {
      using world = new World({ groupOutputBy });
      const consumer = world.recording({}, minor);
      for (const path of ["/../x", "../x", "/vm/../../x", "//x", "/vm/.."]) {
        assertRefused(() => consumer.addStream("ch_0", { path }), {
          code: 11,
          text: "Stream path",
          goesOn: true,
        });
      }
      assertEquals(world.tree(), []);
    }
  });
}

Deno.test("ADD_STREAM without a trace chunk is refused", () => {
  using world = new World();
  const consumer = world.consumer();
  consumer.createSession();
  assertRefused(() => consumer.addStream(), {
    code: 11,
    text: "a stream while there is no trace chunk",
    goesOn: true,
  });
});

Deno.test("ADD_STREAM empties the file of a stream that was there", () => {
  using world = new World();
  const consumer = world.recording();
  const first = consumer.addStream();
  consumer.packets(first, 0n, 0n);
  consumer.closeStream(first, 0n);
  consumer.addStream();
  assertEquals(world.read(`vm/demo/${UST_PATH}/ch_0`).length, 0);
});

Deno.test("stream handles do not tell the next one", () => {
  using world = new World();
  const consumer = world.recording();
  const ids = Array.from(
    { length: 50 },
    (_, at) => consumer.addStream(`${at}`),
  );
  assertEquals(new Set(ids).size, 50);
  assertEquals(ids.filter((id) => ids.includes(id + 1n)), []);
  for (const id of ids) assertEquals(id > 0n && id < 1n << 63n, true);
});

Deno.test("a stream of another session is unknown", () => {
  using world = new World();
  const owner = world.recording();
  const stream = owner.addStream();
  const metadata = owner.addStream("metadata");
  const thief = world.recording({ sessionName: "thief" });
  const unknown = { code: 11, text: "has no stream" };
  assertRefused(() => thief.index(stream, 0n), unknown);
  assertRefused(() => thief.closeStream(stream), unknown);
  assertRefused(() => thief.metadata(metadata, "x"), unknown);
  assertRefused(() => thief.rotate(undefined, [stream, 0n]), {
    ...unknown,
    code: 97,
  });
  assertRefused(() => thief.pending(stream, 0n), {
    code: 0xFFFF_FFFF,
    text: "No such stream",
  });
  assertEquals(owner.isOpen(stream), true);
});

for (const allowClear of [true, false]) {
  Deno.test(`GET_CONFIGURATION says whether clear is allowed: ${allowClear}`, () => {
    using world = new World({ allowClear });
    const consumer = world.consumer();
    assertEquals(
      consumer.call("GET_CONFIGURATION", { queryFlags: 0n }),
      { code: 10, flags: allowClear ? 1n : 0n },
    );
    assertRefused(
      () => consumer.call("GET_CONFIGURATION", { queryFlags: 1n }),
      { code: 152, text: "Unknown query flags: 1", goesOn: true },
    );
  });
}

Deno.test("a session says in one line what it recorded", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  const metadata = consumer.addStream("metadata");
  consumer.metadata(metadata, "12345", 3);
  consumer.data(stream, 0n, 8, 4);
  consumer.index(stream, 0n);
  world.now += 2500;
  consumer.leave(new Map([[metadata, 0xFFFF_FFFF_FFFF_FFFFn], [stream, 0n]]));
  assertEquals(world.lines, [
    'session 1 "demo" of "vm" began: vm/demo',
    'session 1 "demo" of "vm" ended: 2.5 s, 2 streams, 1 packets, 20 bytes, ' +
    "0 packets lost, 0 events discarded",
  ]);
});

Deno.test("a session that lost something says so in a warning", () => {
  using world = new World();
  const consumer = world.recording();
  const first = consumer.addStream("ch_0");
  const second = consumer.addStream("ch_1");
  for (const stream of [first, second]) {
    consumer.packets(stream, 0n, 0n);
    consumer.data(stream, 1n);
    consumer.index(stream, 1n, {
      packetSequenceNumber: 4n,
      eventsDiscarded: 7n,
    });
  }
  consumer.leave(new Map([[first, 1n], [second, 1n]]));
  assertMatch(
    world.lines.at(-1)!,
    /^Warning: session 1 .*, 6 packets lost, 14 events discarded$/,
  );
});

Deno.test("a session without indexes does not claim that nothing was lost", () => {
  using world = new World();
  const consumer = world.recording({}, 2);
  const stream = consumer.addStream("ch_0", { path: "vm/demo/kernel" });
  consumer.data(stream, 0n);
  consumer.leave(new Map([[stream, 0n]]));
  assertEquals(world.lines, [
    "session 1 began: recording",
    "session 1 ended: 0.0 s, 1 streams, 1 packets, 8 bytes, losses not reported",
  ]);
});

Deno.test("a name cannot forge a log line", () => {
  using world = new World();
  world.recording({ sessionName: "a\nError: b\x1b[2J" }).leave();
  assertEquals(world.lines.length, 2);
  for (const line of world.lines) {
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x1f]/.test(line), false, line);
  }
});
