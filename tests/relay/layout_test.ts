/** Where sessions, old peers' streams, chunks and files lie. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  nameComponent,
  pathComponent,
  relativePath,
} from "../../lib/base/path.ts";
import {
  chunkName,
  dataFileName,
  dateTime,
  type Grouping,
  indexFileName,
  legacyStreamPath,
  sessionPath,
} from "../../lib/relay/layout.ts";

/** 2026-11-23 02:07:19 where the tests run. */
const CREATED = new Date(2026, 10, 23, 2, 7, 19).getTime() / 1000;
const DATE_TIME = "20261123-020719";

const NEW_ROWS: readonly {
  grouping: Grouping;
  basePath?: string;
  name?: string;
  contains?: boolean;
  path: string;
}[] = [
  { grouping: "host", basePath: "my/path", path: "vm/my/path" },
  { grouping: "host", basePath: "p", contains: true, path: "vm/p" },
  {
    grouping: "host",
    name: "auto-20261123-010101",
    contains: true,
    path: "vm/auto-20261123-010101",
  },
  { grouping: "host", path: `vm/demo-${DATE_TIME}` },
  {
    grouping: "session",
    basePath: "my/path",
    path: `demo/vm-${DATE_TIME}/my/path`,
  },
  { grouping: "session", path: `demo/vm-${DATE_TIME}` },
  {
    grouping: "session",
    name: "auto-20261123-010101",
    contains: true,
    path: `auto-20261123-010101/vm-${DATE_TIME}`,
  },
];

for (const row of NEW_ROWS) {
  Deno.test(`sessionPath() by ${row.grouping} is ${row.path}`, () => {
    const path = sessionPath({
      sessionName: nameComponent(row.name ?? "demo", "Session name"),
      hostname: nameComponent("vm", "Host name"),
      basePath: relativePath(row.basePath ?? "", "Base path"),
      nameContainsCreationTime: row.contains ?? false,
      creationTime: CREATED,
    }, row.grouping);
    assertEquals(`${path}`, row.path);
  });
}

const SEEN = DATE_TIME;
const LEGACY_ROWS: readonly {
  session: string;
  sent: string;
  path: string;
}[] = [
  {
    session: "auto-20250101-000000",
    sent: "vm/auto-20250101-000000/kernel",
    path: "auto-20250101-000000/vm-20250101-000000/kernel",
  },
  { session: "demo", sent: "vm/demo/kernel", path: `demo/vm-${SEEN}/kernel` },
  {
    session: "demo",
    sent: "vm/demo-20250101-000000/ust/uid/0/64-bit",
    path: "demo/vm-20250101-000000/ust/uid/0/64-bit",
  },
  {
    session: "demo",
    sent: "vm/my/path/ust",
    path: `demo/vm-${SEEN}/my/path/ust`,
  },
  {
    session: "auto-20250101-000000",
    sent: "vm/custom/ust",
    path: "auto-20250101-000000/vm-20250101-000000/custom/ust",
  },
  {
    session: "demo",
    sent: "vm/demolition/ust",
    path: "demo/vm/demolition/ust",
  },
  {
    session: "demo",
    sent: "vm/demo-2/ust",
    path: "demo/vm/demo-2/ust",
  },
];

for (const { session, sent, path } of LEGACY_ROWS) {
  Deno.test(`legacyStreamPath() by session makes ${path} of ${sent}`, () => {
    const names = { sessionName: session, hostname: "vm", createdAt: CREATED };
    const checked = relativePath(sent, "Stream path");
    assertEquals(`${legacyStreamPath(checked, names, "session")}`, path);
    assertEquals(`${legacyStreamPath(checked, names, "host")}`, sent);
  });
}

Deno.test("legacyStreamPath() leaves a nameless session's path alone", () => {
  const names = { sessionName: "", hostname: "", createdAt: CREATED };
  const sent = relativePath("vm/demo/kernel", "Stream path");
  assertEquals(`${legacyStreamPath(sent, names, "session")}`, `${sent}`);
});

Deno.test("legacyStreamPath() cannot be made to climb by the names", () => {
  const sent = relativePath("vm/demo/kernel", "Stream path");
  for (const sessionName of ["..", "../x", "a/b", ".x"]) {
    const names = { sessionName, hostname: "vm", createdAt: CREATED };
    assertThrows(() => legacyStreamPath(sent, names, "session"), RangeError);
  }
  for (const hostname of ["..", "../x", "a/b"]) {
    const names = { sessionName: "demo", hostname, createdAt: CREATED };
    assertThrows(() => legacyStreamPath(sent, names, "session"), RangeError);
  }
});

Deno.test("dateTime() takes any 64-bit time", () => {
  assertEquals(dateTime(Number(0xFFFF_FFFF_FFFF_FFFFn)).slice(0, 4), "9999");
  assertEquals(dateTime(CREATED), DATE_TIME);
});

Deno.test("dataFileName() numbers files of bounded size only", () => {
  const channel = pathComponent("ch0_1", "Channel name");
  assertEquals(`${dataFileName(channel, undefined)}`, "ch0_1");
  assertEquals(`${dataFileName(channel, 0n)}`, "ch0_1_0");
  const name = dataFileName(channel, 12n);
  assertEquals(`${indexFileName(name)}`, "ch0_1_12.idx");
});

Deno.test("indexFileName() refuses a name that gets too long", () => {
  const longest = pathComponent("x".repeat(251), "Channel name");
  assertEquals(indexFileName(longest).length, 255);
  const longer = pathComponent("x".repeat(252), "Channel name");
  assertThrows(() => indexFileName(longer), RangeError, "256 bytes > 255");
});

/** Runs the functions in another time zone; its offset is read at the start. */
async function inZone(zone: string): Promise<string[]> {
  const layout = new URL("../../lib/relay/layout.ts", import.meta.url);
  const code = `
    import { chunkName, dateTime } from ${JSON.stringify(layout.href)};
    const start = Date.UTC(2026, 10, 23, 2, 7, 19) / 1000;
    console.log(dateTime(start));
    console.log(chunkName(3n, start));
    console.log(chunkName(3n, start, start + 60));
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    env: { TZ: zone },
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

const ZONES = [
  ["UTC", "20261123-020719", "20261123T020719+0000", "20261123T020819+0000"],
  [
    "Asia/Kolkata",
    "20261123-073719",
    "20261123T073719+0530",
    "20261123T073819+0530",
  ],
  [
    "America/St_Johns",
    "20261122-223719",
    "20261122T223719-0330",
    "20261122T223819-0330",
  ],
] as const;

for (const [zone, date, start, end] of ZONES) {
  Deno.test(`chunkName() and dateTime() are local time in ${zone}`, async () => {
    assertEquals(await inZone(zone), [date, `${start}-3`, `${start}-${end}-3`]);
  });
}

Deno.test("chunkName() ends in the chunk's 64-bit id", () => {
  assertEquals(
    chunkName(0xFFFF_FFFF_FFFF_FFFEn, CREATED).split("-").at(-1),
    "18446744073709551614",
  );
});
