import { assert, assertEquals } from "@std/assert";
import { Cursor } from "../../lib/ctf/cursor.ts";
import type { EventClass } from "../../lib/ctf/event_class.ts";
import { prepareEvent } from "../../lib/ctf/packet.ts";
import {
  blockRecords,
  interruptRecords,
  networkRecords,
  processorRecords,
  processRecords,
  processState,
} from "../../lib/kernel/proc_state.ts";
import type { StateRecord } from "../../lib/kernel/statedump_events.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** The text of a thread's `stat`: fields from the third on. */
function stat(values: Readonly<Record<number, string | number>>): string {
  const fields = Array.from(
    { length: 50 },
    (_, index) => String(values[index + 3] ?? 0),
  );
  return `7 (a name) ${fields.join(" ")}`;
}

test("processState() tells kernel threads from others", () => {
  const kernel = processState(7, stat({ 3: "I", 9: 0x0020_8040 }), { pid: 7 });
  const user = processState(7, stat({ 3: "S", 9: 0x0040_0000 }), { pid: 7 });
  assertEquals([kernel["type"], user["type"]], [1, 0]);
});

test("processState() turns letters into LTTng's states", () => {
  const states = { R: 2, S: 5, D: 5, I: 5, Z: 4, X: 7, T: 0, "?": 0 };
  for (const [letter, status] of Object.entries(states)) {
    assertEquals(processState(7, stat({ 3: letter }), {})["status"], status);
  }
});

test("processState() says which processor and whose files", () => {
  const state = processState(7, stat({ 39: 3 }), { pid: 5, ppid: 1 });
  assertEquals(
    [state["tid"], state["pid"], state["ppid"], state["cpu"]],
    [7, 5, 1, 3],
  );
  const sibling = processState(8, stat({}), { pid: 5 });
  const other = processState(9, stat({}), { pid: 9 });
  assertEquals(state["file_table_address"], sibling["file_table_address"]);
  assert(state["file_table_address"] !== other["file_table_address"]);
});

test("processorRecords() reads x86 processors, and no others", () => {
  const text = `processor\t: 1
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC 7R13
physical id\t: 0
core id\t\t: 1
cpu cores\t: 2

`;
  const records = processorRecords(text + text.replace(": 1\n", ": 2\n"));
  assertEquals(records.map(({ values }) => values["cpu_id"]), [1, 2]);
  assertEquals(records[0]!.values, {
    architecture: "x86",
    cpu_id: 1,
    vendor: "AuthenticAMD",
    family: 25,
    model: 1,
    model_name: "AMD EPYC 7R13",
    physical_id: 0,
    core_id: 1,
    cores: 2,
  });
  assertEquals(processorRecords("processor\t: 0\nBogoMIPS\t: 50\n"), []);
});

/** Writes all records: what cannot be written throws. */
function write(records: readonly StateRecord[]): number {
  const cursor = new Cursor(65536);
  for (const { event, values } of records) {
    cursor.position = 0;
    prepareEvent(event as EventClass, 0, "le").write(cursor, values);
  }
  return records.length;
}

Deno.test("every record of this machine's state can be written", {
  ignore: Deno.build.os !== "linux",
}, () => {
  let count = 0;
  for (const records of processRecords()) count += write(records);
  assert(count > 10);
  write(interruptRecords());
  write(blockRecords());
  write(processorRecords());
  assert(write(networkRecords()) > 0);
});
