/** The comparison itself: planted differences must be found, chance ones not. */

import { assertEquals, assertThrows } from "@std/assert";
import { assertSameOutcome, type Outcome } from "./comparison.ts";
import { assertOutcome, type Scenario } from "./scenario.ts";
import { normaliseEvent } from "../support/babeltrace.ts";
import { describeTree, normalisePath } from "../support/trees.ts";
import { metadataLines, normaliseMetadata } from "../support/trees_metadata.ts";

const READING = {
  directory: "vm/demo-DATETIME/ust/uid/UID/64-bit/",
  code: 0,
  events: ["tp:tptest: { intfield = 0 }", "tp:tptest: { intfield = 1 }"],
  discardedEvents: 0,
  discardedPackets: 0,
  errors: "",
};

const OUTCOME: Outcome = {
  tree: ["vm/ 0750", "vm/ch_0 0640 4096"],
  traces: [READING],
  notes: ["clear: exit code 0"],
};

const SCENARIO: Scenario = {
  name: "",
  script: () => Promise.resolve(),
  events: 2,
};

/** Each kind of difference that the comparison must find. */
const PLANTED: Record<string, Outcome> = {
  "a file size": { ...OUTCOME, tree: ["vm/ 0750", "vm/ch_0 0640 8192"] },
  "permissions": { ...OUTCOME, tree: ["vm/ 0755", "vm/ch_0 0640 4096"] },
  "a missing file": { ...OUTCOME, tree: ["vm/ 0750"] },
  "a file more": { ...OUTCOME, tree: [...OUTCOME.tree, "vm/ch_1 0640 0"] },
  "the same file twice": {
    ...OUTCOME,
    tree: [...OUTCOME.tree, ...OUTCOME.tree],
  },
  "a lost event": {
    ...OUTCOME,
    traces: [{ ...READING, events: READING.events.slice(1) }],
  },
  "another payload": {
    ...OUTCOME,
    traces: [{
      ...READING,
      events: ["tp:tptest: { intfield = 0 }", "tp:tptest: { intfield = 7 }"],
    }],
  },
  "another order of events": {
    ...OUTCOME,
    traces: [{ ...READING, events: READING.events.toReversed() }],
  },
  "a discarded event": {
    ...OUTCOME,
    traces: [{ ...READING, discardedEvents: 1 }],
  },
  "a missing trace": { ...OUTCOME, traces: [] },
  "another note": { ...OUTCOME, notes: ["clear: exit code 1"] },
};

for (const [what, planted] of Object.entries(PLANTED)) {
  Deno.test({
    name: `assertSameOutcome() refuses ${what}`,
    permissions: "none",
    fn: () => {
      assertSameOutcome(OUTCOME, OUTCOME);
      assertThrows(
        () => assertSameOutcome(OUTCOME, planted),
        Error,
        "something else",
      );
    },
  });
}

Deno.test({
  name: "assertSameOutcome() finds a lost event and a missing file by events",
  permissions: "none",
  fn: () => {
    for (const what of ["a lost event", "a missing file", "permissions"]) {
      const planted = PLANTED[what] ?? OUTCOME;
      assertThrows(
        () => assertSameOutcome(OUTCOME, planted, "events"),
        Error,
        "something else",
      );
    }
  },
});

Deno.test({
  name: "assertSameOutcome() ignores how many chunks there are by events",
  permissions: "none",
  fn: () => {
    const tree = [
      "vm/archives/START-END-0/ 0750",
      "vm/archives/START-END-1/ 0750",
    ];
    assertSameOutcome(
      { ...OUTCOME, tree },
      { ...OUTCOME, tree: tree.slice(1) },
      "events",
    );
  },
});

Deno.test({
  name: "assertOutcome() refuses lost events and traces that cannot be read",
  permissions: "none",
  fn: () => {
    assertOutcome(OUTCOME, SCENARIO);
    assertThrows(() => assertOutcome(OUTCOME, { ...SCENARIO, events: 3 }));
    const damaged = { ...OUTCOME, traces: [{ ...READING, code: 1 }] };
    assertThrows(() => assertOutcome(damaged, SCENARIO));
  },
});

Deno.test({
  name: "normalisePath() replaces times and ids and nothing else",
  permissions: "none",
  fn: () => {
    const shown: Record<string, string> = {
      "vm/demo-20261123-050001/ust/uid/49009/64-bit/ch_1":
        "vm/demo-DATETIME/ust/uid/UID/64-bit/ch_1",
      "vm/auto-20261123-050001/": "vm/auto-DATETIME/",
      "demo/vm-20261123-050001/some/path/": "demo/vm-DATETIME/some/path/",
      "a-20261123-050001/ust/pid/app-3-817-20261123-050002/index/ch_0_2.idx":
        "a-DATETIME/ust/pid/app-3-NUMBER-DATETIME/index/ch_0_2.idx",
      "a/archives/20261123T050001+0000-20261123T050002-0330-12/ust/":
        "a/archives/START-END-12/ust/",
      "a/20261123T050001+0000-3/ust/": "a/START-3/ust/",
      "a/chosen-20261123-050001-0/": "a/chosen-DATETIME-0/",
    };
    for (const [path, expected] of Object.entries(shown)) {
      assertEquals(normalisePath(path), expected);
    }
  },
});

Deno.test({
  name: "normaliseEvent() keeps the payload",
  permissions: "none",
  fn: () => {
    assertEquals(
      normaliseEvent(
        "[00000123] vm tp:e: { cpu_id = 3 }, { vpid = 7, intfield = 9 }",
      ),
      "vm tp:e: { cpu_id = CPU }, { vpid = ID, intfield = 9 }",
    );
  },
});

Deno.test({
  name: "normaliseMetadata() replaces ids and times and nothing else",
  permissions: "none",
  fn: () => {
    assertEquals(
      normaliseMetadata(
        'uuid = "01234567-89ab-cdef-0123-456789abcdef"; vpid = 17; id = 4;',
      ),
      'uuid = "UUID"; vpid = N; id = 4;',
    );
  },
});

Deno.test({
  name: "metadataLines() refuses cut packets and padding that is not zero",
  permissions: "none",
  fn: () => {
    const packet = metadataPacket("event {\n};\n");
    assertEquals(metadataLines(packet), ["event {", "};"]);
    assertThrows(() => metadataLines(packet.subarray(0, packet.length - 1)));
    packet[packet.length - 1] = 1;
    assertThrows(() => metadataLines(packet), Error, "not zero");
  },
});

Deno.test("describeTree() tells sizes, permissions and index entries", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/index`, { mode: 0o750 });
    await Deno.writeFile(`${root}/ch_0`, new Uint8Array(4096));
    await Deno.chmod(`${root}/ch_0`, 0o640);
    await Deno.writeFile(`${root}/index/ch_0.idx`, indexFile(4096n));
    await Deno.chmod(`${root}/index/ch_0.idx`, 0o640);
    assertEquals(await describeTree(root, { sizes: true }), [
      "ch_0 0640 4096",
      "index/ 0750",
      "index/ch_0.idx 0640 index 1.1 72",
      "index/ch_0.idx entry 000000: offset 4096, packet 0, discarded 0, " +
      "class 0, instance 0, number 0",
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

/** One metadata packet of 64 bytes. */
function metadataPacket(text: string): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  const content = new TextEncoder().encode(text);
  view.setUint32(0, 0x75d11d57, true);
  view.setUint32(24, (37 + content.length) * 8, true);
  view.setUint32(28, bytes.length * 8, true);
  bytes.set(content, 37);
  return bytes;
}

/** An index file with one entry. */
function indexFile(offset: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 + 72));
  view.setUint32(0, 0xc1f1dcc1);
  view.setUint32(4, 1);
  view.setUint32(8, 1);
  view.setUint32(12, 72);
  view.setBigUint64(16, offset);
  return new Uint8Array(view.buffer);
}
