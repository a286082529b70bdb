/**
 * Every layout of the client protocol has the size, and every command the
 * number, that each version of the session daemon has; forms that no stock
 * program here sends are held against bytes made by hand.
 */

import { assertEquals } from "@std/assert";
import { decodeWhole } from "../../lib/wire/compose.ts";
import {
  replyHeader,
  type SessiondCommandName,
  sessiondCommands,
} from "../../lib/wire/sessiond/commands.ts";
import {
  channelLayout,
  eventBlock,
  fieldBlock,
} from "../../lib/wire/sessiond/recording.ts";
import {
  archiveLocation,
  destroyReply,
  rotationInfo,
  rotationSchedules,
  snapshotOutput,
} from "../../lib/wire/sessiond/session_state.ts";
import {
  descriptorLayout,
  domainBlock,
  sessionBlock,
  sessionListLayout,
  uri,
} from "../../lib/wire/sessiond/session.ts";
import { SESSIOND_MINORS } from "../../lib/wire/sessiond/version.ts";
import { parseBytes } from "./golden.ts";

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** Numbers until 2.13, since 2.14. */
const numbers: Record<SessiondCommandName, readonly [number, number]> = {
  ADD_CONTEXT: [0, 1],
  DISABLE_CHANNEL: [2, 2],
  DISABLE_EVENT: [3, 3],
  LIST_SYSCALLS: [4, 4],
  ENABLE_CHANNEL: [5, 5],
  ENABLE_EVENT: [6, 6],
  DESTROY_SESSION: [9, 7],
  LIST_CHANNELS: [10, 8],
  LIST_DOMAINS: [11, 9],
  LIST_EVENTS: [12, 10],
  LIST_SESSIONS: [13, 11],
  LIST_TRACEPOINTS: [14, 12],
  REGISTER_CONSUMER: [15, 13],
  START_TRACE: [16, 14],
  STOP_TRACE: [17, 15],
  LIST_TRACEPOINT_FIELDS: [18, 16],
  SET_CONSUMER_URI: [21, 19],
  DATA_PENDING: [24, 20],
  SNAPSHOT_ADD_OUTPUT: [25, 21],
  SNAPSHOT_DEL_OUTPUT: [26, 22],
  SNAPSHOT_LIST_OUTPUT: [27, 23],
  SNAPSHOT_RECORD: [28, 24],
  SAVE_SESSION: [31, 25],
  TRACKER_ADD_INCLUDE_VALUE: [32, 26],
  TRACKER_REMOVE_INCLUDE_VALUE: [33, 27],
  TRACKER_GET_POLICY: [34, 28],
  TRACKER_SET_POLICY: [35, 29],
  TRACKER_GET_INCLUSION_SET: [36, 30],
  SET_SESSION_SHM_PATH: [40, 31],
  REGENERATE_METADATA: [41, 32],
  REGENERATE_STATEDUMP: [42, 33],
  ROTATE_SESSION: [45, 36],
  ROTATION_GET_INFO: [46, 37],
  ROTATION_SET_SCHEDULE: [47, 38],
  LIST_ROTATION_SCHEDULES: [48, 39],
  CREATE_SESSION_EXT: [49, 40],
  CLEAR_SESSION: [50, 41],
  SESSION_DELIVERY: [100_000, 100_000],
};

/** Numbers that abort a session daemon that logs: none may ever be sent. */
const HOLES = [1, 7, 8, 22, 23, 29, 30, 37, 38, 39];

for (const minor of SESSIOND_MINORS) {
  test(`commands of 2.${minor} have their numbers and sizes`, () => {
    const size = minor === 12 ? 13152 : 13156;
    for (const command of Object.values(sessiondCommands(minor))) {
      const { name, number, request } = command;
      assertEquals(number, numbers[name][minor >= 14 ? 1 : 0], name);
      assertEquals(request.size, size, name);
    }
    assertEquals(
      replyHeader(minor).size,
      { 12: 20, 13: 24, 14: 24, 15: 20 }[minor],
    );
  });
}

test("commands of 2.13 leave out the numbers that abort the daemon", () => {
  const sent = Object.values(sessiondCommands(13)).map(({ number }) => number);
  assertEquals(sent.filter((number) => HOLES.includes(number)), []);
});

test("blocks have their sizes", () => {
  assertEquals(sessionBlock.size, 4376);
  assertEquals(domainBlock.size, 308);
  assertEquals(uri.size, 8210);
  assertEquals(snapshotOutput.size, 8459);
  assertEquals(eventBlock.size, 43);
  assertEquals(fieldBlock.size, 10);
  assertEquals(rotationSchedules.size, 18);
  assertEquals(channelLayout(12).size, 83);
  assertEquals(channelLayout(13).size, 83);
  assertEquals(channelLayout(14).size, 84);
  assertEquals(channelLayout(15).size, 110);
});

test("replies that their state chooses have one size", () => {
  const noRelay = { path: "", hostname: "", protocol: 0 };
  const ports = { controlPort: 0, dataPort: 0 };
  for (const [rotationState, type] of [[0, 0], [2, 1], [2, 2]] as const) {
    const value = { rotationState, type, ...noRelay, ...ports };
    assertEquals(rotationInfo.measure(value), 4362);
  }
});

test("fields start where the original has them", () => {
  const { ENABLE_EVENT, SAVE_SESSION, SNAPSHOT_RECORD } = sessiondCommands(13);
  assertEquals(ENABLE_EVENT.request.offsets["session"], 4);
  assertEquals(ENABLE_EVENT.request.offsets["domain"], 4380);
  assertEquals(ENABLE_EVENT.request.offsets["channelName"], 4688);
  assertEquals(ENABLE_EVENT.request.offsets["eventLength"], 4944);
  assertEquals(ENABLE_EVENT.request.offsets["fdCount"], 13152);
  assertEquals(SAVE_SESSION.request.offsets["url"], 4943);
  assertEquals(SAVE_SESSION.request.offsets["omitOutput"], 9041);
  assertEquals(SNAPSHOT_RECORD.request.offsets["output"], 4692);
  assertEquals(sessionBlock.offsets["enabled"], 4352);
  assertEquals(uri.offsets["destination"], 4114);
  assertEquals(channelLayout(13).offsets["blockingTimeout"], 75);
  assertEquals(eventBlock.offsets["functionEntryLength"], 39);
});

test("LIST_SESSIONS replies have the extensions of each version", () => {
  const entry = {
    ...{ name: "s", path: "", enabled: false, snapshotMode: false },
    ...{ liveTimerInterval: 0, creationTime: 1n, creationTimeSet: true },
    ...{ shmPath: "", traceFormat: 0 },
  };
  const sizes = SESSIOND_MINORS.map((minor) =>
    sessionListLayout(minor).measure({ sessions: [entry] }) - sessionBlock.size
  );
  assertEquals(sizes, [9, 9, 4105, 4106]);
});

const channel = {
  ...{ name: "c", enabled: true, overwrite: -1, output: 1 },
  ...{ subBufferSize: 2n, subBufferCount: 3n },
  ...{ switchTimerInterval: 4, readTimerInterval: 5, liveTimerInterval: 6 },
  ...{ traceFileSize: 7n, traceFileCount: 8n, monitorTimerInterval: 9n },
  ...{ discardedEvents: 10n, lostPackets: 11n, blockingTimeout: -1n },
  ...{ watchdogTimerInterval: 12n, reclaimAge: undefined },
  ...{ allocationPolicy: 1, preallocationPolicy: 0 },
};
const channelStart = "02000000 01 ff 0200000000000000 0300000000000000" +
  "04000000 05000000 01 0700000000000000 0800000000000000 06000000" +
  "0a00000000000000 0b00000000000000 0900000000000000";

test("channels of 2.13 are what was made by hand", () => {
  const bytes = parseBytes(`${channelStart} ffffffffffffffff 6300`).slice();
  assertEquals(channelLayout(13).encode(channel), bytes);
  assertEquals(channelLayout(13).decode(bytes), {
    ...channel,
    watchdogTimerInterval: undefined,
    allocationPolicy: 0,
  });
});

test("channels of 2.14 are what was made by hand", () => {
  const bytes = parseBytes(`${channelStart} ffffffffffffffff 01 6300`).slice();
  assertEquals(channelLayout(14).encode(channel), bytes);
  assertEquals(channelLayout(14).decode(bytes), {
    ...channel,
    watchdogTimerInterval: undefined,
  });
});

test("channels of 2.15 are what was made by hand", () => {
  const bytes = parseBytes(
    `${channelStart} 01 00000000000000 0c00000000000000` +
      "ffffffffffffffff 01 00 00 0000000000000000 6300",
  ).slice();
  assertEquals(channelLayout(15).encode(channel), bytes);
  assertEquals(channelLayout(15).decode(bytes), channel);
});

test("descriptors of 2.13 and 2.15 are what was made by hand", () => {
  const live = {
    ...{ kind: 3, outputType: 2, traceFormat: 1, liveTimer: 5n },
    ...{ name: "ab", uris: [] },
  };
  const timer = "0500000000000000";
  assertEquals(
    descriptorLayout(13).encode(live),
    parseBytes(`03 02 03000000 00 ${timer} 616200`).slice(),
  );
  assertEquals(
    descriptorLayout(15).encode(live),
    parseBytes(`03 02 01 03000000 00 ${timer} 616200`).slice(),
  );
  const regular = { ...live, kind: 1, liveTimer: 0n, name: "" };
  assertEquals(
    descriptorLayout(13).encode(regular),
    parseBytes("01 02 00000000 00").slice(),
  );
  assertEquals(
    descriptorLayout(15).encode(regular),
    parseBytes("01 02 01 00000000 00").slice(),
  );
});

test("archive locations on a relay daemon are what was made by hand", () => {
  const bytes = parseBytes(
    "02000000 02 02000000 00 de14 df14 03000000 6800 612f00",
  ).slice();
  const value = decodeWhole(destroyReply, bytes);
  assertEquals(value, {
    rotationState: 2,
    location: {
      ...{ type: 2, hostname: "h", protocol: 0, path: "a/" },
      ...{ controlPort: 5342, dataPort: 5343 },
    },
  });
  assertEquals(destroyReply.encode(value), bytes);
  assertEquals(archiveLocation.size, 1);
});

test("rotations to a relay daemon are what was made by hand", () => {
  const bytes = new Uint8Array(4362);
  bytes.set(parseBytes("02000000 02 6800"));
  bytes.set(parseBytes("00 de14 df14 6100"), 261);
  const value = decodeWhole(rotationInfo, bytes);
  assertEquals(value, {
    ...{ rotationState: 2, type: 2, hostname: "h", protocol: 0 },
    ...{ controlPort: 5342, dataPort: 5343, path: "a" },
  });
  assertEquals(rotationInfo.encode(value), bytes);
});
