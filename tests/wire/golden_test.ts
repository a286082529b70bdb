/** The codec reads and writes what stock LTTng peers put on the wire. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type ViewerCommandName,
  viewerCommandNames,
  viewerCommands,
  viewerHeader,
} from "../../lib/wire/live.ts";
import type { Message } from "../../lib/wire/message.ts";
import {
  commandHeader,
  type CommandName,
  commandNames,
  commands,
  dataHeader,
} from "../../lib/wire/relay.ts";
import { WireError } from "../../lib/wire/struct.ts";
import { concat, type Exchange, readGolden } from "./golden.ts";

// Read here, with the permissions of the run: the tests have none.
const relay = Object.fromEntries(
  (Object.keys(commands) as CommandName[])
    .map((name) => [name, readGolden(`relay/${name}.txt`)]),
) as Record<CommandName, Exchange[]>;
const viewer = Object.fromEntries(
  (Object.keys(viewerCommands) as ViewerCommandName[])
    .map((name) => [name, readGolden(`live/${name}.txt`)]),
) as Record<ViewerCommandName, Exchange[]>;
const unknown = [
  ...readGolden("relay/UNKNOWN.txt"),
  ...readGolden("live/UNKNOWN.txt"),
];
const packets = readGolden("relay/data.txt");
const session = readGolden("relay/session.txt");

/** The bytes of ROTATE_STREAMS as a 64-bit peer with a clean stack sends them. */
function withoutGarbage(payload: Uint8Array): Uint8Array {
  const count = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
  const fixed = payload.length - 16 * count;
  const isSet = payload[4] !== 0;
  const chunkId = isSet
    ? payload.subarray(fixed - 8, fixed)
    : new Uint8Array(8);
  return concat(
    payload.subarray(0, 5),
    new Uint8Array(7),
    chunkId,
    payload.subarray(fixed),
  );
}

/** Whether no value can be had from the request: its length is nonsense. */
function isNonsense({ title }: Exchange): boolean {
  return title === "length that fits no peer";
}

function checkRoundTrip(
  message: Message<unknown>,
  bytes: Uint8Array,
  expected: Uint8Array,
  minor: number,
): void {
  const value = message.decode(bytes, minor);
  assertEquals(
    message.encode(value, minor),
    expected as Uint8Array<ArrayBuffer>,
  );
}

for (const [name, exchanges] of Object.entries(relay)) {
  const { number, request } = commands[name as CommandName];
  Deno.test(`${name} reads and writes the recorded requests`, {
    permissions: "none",
  }, () => {
    assert(exchanges.length > 0);
    for (const exchange of exchanges) {
      if (isNonsense(exchange)) continue;
      const header = commandHeader.decode(exchange.request);
      const payload = exchange.request.subarray(commandHeader.size);
      assertEquals(header, {
        circuitId: 0n,
        dataSize: BigInt(payload.length),
        command: number,
        commandVersion: 0,
      });
      const rotates = name === "ROTATE_STREAMS";
      checkRoundTrip(
        request as Message<unknown>,
        payload,
        rotates ? withoutGarbage(payload) : payload,
        exchange.minor,
      );
    }
  });
}

for (const [name, exchanges] of Object.entries(relay)) {
  const row = commands[name as CommandName];
  const reply = "reply" in row ? row.reply as Message<unknown> : undefined;
  Deno.test(`${name} reads and writes the recorded replies`, {
    permissions: "none",
  }, () => {
    const answered = exchanges.filter(({ reply }) => reply.length > 0);
    assertEquals(answered.length > 0, reply !== undefined);
    for (const exchange of answered) {
      checkRoundTrip(reply!, exchange.reply, exchange.reply, exchange.minor);
    }
  });
}

for (const [name, exchanges] of Object.entries(viewer)) {
  const { number, request, reply } = viewerCommands[name as ViewerCommandName];
  Deno.test(`viewer ${name} reads and writes the recorded bytes`, {
    permissions: "none",
  }, () => {
    assert(exchanges.length > 0);
    for (const exchange of exchanges) {
      const header = viewerHeader.decode(exchange.request);
      const payload = exchange.request.subarray(viewerHeader.size);
      assertEquals(header.command, number);
      assertEquals(header.dataSize, BigInt(payload.length));
      checkRoundTrip(
        request as Message<unknown>,
        payload,
        payload,
        exchange.minor,
      );
      if (exchange.closed) continue;
      checkRoundTrip(
        reply as Message<unknown>,
        exchange.reply,
        exchange.reply,
        exchange.minor,
      );
    }
  });
}

/** The recorded exchange of that title; there is exactly one. */
function titled(exchanges: Exchange[], title: string, minor = 13): Exchange {
  const found = exchanges.filter((exchange) =>
    exchange.title === title && exchange.minor === minor
  );
  assertEquals(found.length, 1, title);
  return found[0]!;
}

Deno.test("failure() makes the replies of the stock daemon's refusals", {
  permissions: "none",
}, () => {
  const refusals: [CommandName, string, number, number][] = [
    ["CREATE_SESSION", "2.1 producer", 1, 25],
    ["CREATE_SESSION", "session name with a dot", 13, 25],
    ["ADD_STREAM", "path that is too long", 13, 11],
    ["CLOSE_STREAM", "unknown stream", 13, 11],
    ["DATA_PENDING", "unknown stream", 13, 0xFFFF_FFFF],
    ["SEND_INDEX", "unknown stream", 13, 11],
    ["RESET_METADATA", "unknown stream", 13, 11],
    ["ROTATE_STREAMS", "unknown chunk", 13, 152],
    ["ROTATE_STREAMS", "unknown stream", 13, 97],
    ["CREATE_TRACE_CHUNK", "chunk name with a dot", 13, 97],
    ["CLOSE_TRACE_CHUNK", "unknown chunk", 13, 26],
    ["CLOSE_TRACE_CHUNK", "clear is disallowed", 13, 152],
    ["GET_CONFIGURATION", "query flags that do not exist", 13, 152],
  ];
  for (const [name, title, minor, code] of refusals) {
    const { reply } = titled(relay[name], title, minor);
    const row = commands[name] as {
      reply?: Message<unknown>;
      failure?: (code: number) => unknown;
    };
    const ours = row.reply!.encode(row.failure!(code), minor);
    assertEquals(ours as Uint8Array, reply, `${name}, ${title}`);
  }
});

Deno.test(
  "commands whose session the stock daemon misses are closed without a reply",
  {
    permissions: "none",
  },
  () => {
    const exchange = titled(relay.BEGIN_DATA_PENDING, "no session");
    assertEquals(exchange.reply.length, 0);
    assertEquals(exchange.closed, true);
  },
);

Deno.test(
  "ROTATE_STREAMS of packed, 32-bit and 64-bit peers decodes to the same",
  {
    permissions: "none",
  },
  () => {
    const { request } = commands.ROTATE_STREAMS;
    const read = (exchange: Exchange) =>
      request.decode(exchange.request.subarray(24), 13);
    const packed = read(titled(relay.ROTATE_STREAMS, "packed peer"));
    const narrow = read(titled(relay.ROTATE_STREAMS, "32-bit peer"));
    assertEquals(packed.newChunkId, 1n);
    assertEquals(narrow.newChunkId, 2n);
    assertEquals(narrow.positions.length, 1);
    const recorded = relay.ROTATE_STREAMS.filter(({ origin }) =>
      origin === "recorded"
    ).map(read);
    assert(recorded.some(({ newChunkId }) => newChunkId === undefined));
    assert(recorded.some(({ newChunkId }) => newChunkId === 1n));
  },
);

Deno.test("ROTATE_STREAMS of a length that fits no peer is refused", {
  permissions: "none",
}, () => {
  const { request } = titled(relay.ROTATE_STREAMS, "length that fits no peer");
  assertThrows(
    () => commands.ROTATE_STREAMS.request.decode(request.subarray(24), 13),
    WireError,
    "ROTATE_STREAMS.streamCount: 0 streams do not make 14 bytes",
  );
});

Deno.test("dataHeader reads and writes the recorded packets", {
  permissions: "none",
}, () => {
  assert(packets.length > 0);
  for (const { request } of packets) {
    const header = dataHeader.decode(request);
    assertEquals(request.length, 32 + header.dataSize);
    // All were recorded with sub-buffers of one page.
    assertEquals(header.dataSize + header.paddingSize, 4096);
    assertEquals(
      dataHeader.encode(header) as Uint8Array,
      request.slice(0, 32),
    );
  }
});

Deno.test("the recorded sessions hold the values that were asked for", {
  permissions: "none",
}, () => {
  const read = (title: string) =>
    commands.CREATE_SESSION.request.decode(
      titled(relay.CREATE_SESSION, title).request.subarray(24),
      13,
    );
  const live = read("live");
  assertEquals(live.sessionName, "live");
  assertEquals(live.hostname, "host");
  assertEquals(live.liveTimer, 200_000);
  assertEquals(live.basePath, "");
  assertEquals(live.currentChunkId, undefined);
  assertEquals(read("snapshot").snapshot, 1);
  assertEquals(read("base path").basePath, "lab/rack-1");
  const automatic = read("automatic session name");
  assertEquals(automatic.nameContainsCreationTime, true);
  assert(automatic.sessionName.startsWith("auto-"));
});

Deno.test(
  "the recorded streams hold the trace file sizes that were asked for",
  {
    permissions: "none",
  },
  () => {
    const recorded = relay.ADD_STREAM.filter(({ title }) =>
      title === "trace file size and count"
    ).map(({ request }) =>
      commands.ADD_STREAM.request.decode(request.subarray(24), 13)
    );
    assert(recorded.length > 0);
    for (const { channelName, pathname, ...sizes } of recorded) {
      assertEquals(channelName, "ch0_0");
      assertEquals(pathname, "ust/uid/0/64-bit");
      assertEquals(sizes, {
        tracefileSize: 8192n,
        tracefileCount: 3n,
        traceChunkId: 0n,
      });
    }
  },
);

Deno.test("the recorded indexes and beacons hold packet sizes and times", {
  permissions: "none",
}, () => {
  const recorded = relay.SEND_INDEX.filter(({ origin }) =>
    origin === "recorded"
  ).map(({ request }) =>
    commands.SEND_INDEX.request.decode(request.subarray(24), 13)
  );
  const index = recorded.find(({ packetSize }) => packetSize > 0n)!;
  assertEquals(index.packetSize, 8n * 4096n);
  assert(index.contentSize <= index.packetSize);
  assert(index.timestampBegin < index.timestampEnd);
  const beacon = recorded.find(({ packetSize }) => packetSize === 0n)!;
  assertEquals(beacon.timestampBegin, 0n);
  assert(beacon.timestampEnd > 0n);
});

Deno.test("a whole recorded session decodes in the order of the protocol", {
  permissions: "none",
}, () => {
  const names = session.map(({ request, reply }) => {
    const { command } = commandHeader.decode(request);
    const name = commandNames.get(command)!;
    const row = commands[name];
    row.request.decode(request.subarray(24), 13);
    if ("reply" in row) row.reply!.decode(reply, 13);
    return name;
  });
  assertEquals(names.slice(0, 4), [
    "VERSION",
    "GET_CONFIGURATION",
    "CREATE_SESSION",
    "CREATE_TRACE_CHUNK",
  ]);
  assertEquals(names.at(-1), "CLOSE_STREAM");
  const before = (a: CommandName, b: CommandName) =>
    assert(names.indexOf(a) < names.indexOf(b), `${a} before ${b}`);
  before("ADD_STREAM", "STREAMS_SENT");
  before("STREAMS_SENT", "SEND_METADATA");
  before("BEGIN_DATA_PENDING", "END_DATA_PENDING");
  before("ROTATE_STREAMS", "CLOSE_TRACE_CHUNK");
});

Deno.test("commands that the stock daemons do not know are in no table", {
  permissions: "none",
}, () => {
  const [control, live] = unknown;
  assertEquals(control!.closed && live!.closed, true);
  const { command } = commandHeader.decode(control!.request);
  assertEquals(commandNames.get(command), undefined);
  const header = viewerHeader.decode(live!.request);
  assertEquals(viewerCommandNames.get(header.command), undefined);
});
