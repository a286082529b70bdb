/** Compares what was made of an event with tracefs's own text of it. */

import { assertEquals } from "@std/assert";
import type { EventFormat } from "../../../lib/kernel/format.ts";
import type { Decoded } from "./decode.ts";
import { numberIn, type TextEvent } from "./trace_text.ts";

/** Fields that LTTng calls something else, of the systems where it does. */
const RENAMED: Readonly<Record<string, string>> = {
  tid: "pid",
  prev_tid: "prev_pid",
  next_tid: "next_pid",
  parent_tid: "parent_pid",
  child_tid: "child_pid",
  old_tid: "old_pid",
};

/** The same of system calls, by event and field. */
const RENAMED_ARGUMENTS: Readonly<Record<string, string>> = {
  "sys_enter_mmap.offset": "off",
  "sys_enter_clone.flags": "clone_flags",
  "sys_enter_clone.parent_tid": "parent_tidptr",
  "sys_enter_clone.child_tid": "child_tidptr",
  "sys_enter_epoll_ctl.op_enum": "op",
};

/** Arguments that LTTng makes narrower than the kernel declares them. */
const NARROWED = [
  ...["sys_enter_mmap.prot", "sys_enter_mmap.flags", "sys_enter_mmap.fd"],
];

/** Fields from which LTTng takes 100. */
const PRIORITIES = ["prio", "prev_prio", "next_prio", "oldprio", "newprio"];

/** Fields that come from elsewhere, and are compared by other tests. */
const MADE = [
  ...["parent_pid", "child_pid", "parent_ns_inum", "child_ns_inum", "vtids"],
  ...["page", "network_header_type", "rwbs", "msg"],
];

/** Compares an event field by field; returns how many were compared. */
export function compareEvent(
  format: EventFormat,
  values: ReadonlyMap<string, Decoded>,
  text: TextEvent,
): number {
  assertEquals(text.name, format.name);
  let compared = 0;
  const isScheduler = format.system === "sched";
  for (const [name, value] of values) {
    if (MADE.includes(name) && (isScheduler || format.system !== "task")) {
      continue;
    }
    const argument = `${format.name}.${name}`;
    const from = isScheduler
      ? RENAMED[name] ?? name
      : RENAMED_ARGUMENTS[argument] ?? name;
    const expected = text.fields.get(from);
    const field = format.fields.find((field) => field.name === from);
    if (expected === undefined || field === undefined) continue;
    const place = `${format.name}.${name} of ${expected}`;
    if (typeof value === "string") {
      // Of an argument tracefs shows the address here, and the text elsewhere.
      if (format.system === "syscalls") continue;
      assertEquals(value, expected, place);
      compared++;
      continue;
    }
    if (typeof value !== "bigint") continue;
    const number = numberIn(expected, field.size);
    // tracefs shows where a string lies, not the pointer to it.
    if (number === undefined) continue;
    const shown = isScheduler && PRIORITIES.includes(name)
      ? value + 100n
      : value;
    // A narrow argument of a system call is the low bytes of what is shown.
    const bits = format.system === "syscalls" && text.name.includes("enter")
      ? NARROWED.includes(argument) ? 32 : widthOf(field.type)
      : field.size * 8;
    assertEquals(
      BigInt.asUintN(bits, shown),
      BigInt.asUintN(bits, number),
      place,
    );
    compared++;
  }
  return compared;
}

/** Bits that are compared of an argument: those that its type surely has. */
function widthOf(type: string): number {
  if (/^(umode_t|unsigned short|short)$/.test(type)) return 16;
  return /\*|long|size_t|off_t|u64/.test(type) ? 64 : 32;
}
