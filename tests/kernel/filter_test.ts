import { assertEquals, assertThrows } from "@std/assert";
import {
  FilterError,
  type FilterExpression,
  toTracefsFilter,
  UnknownFieldError,
} from "../../lib/kernel/filter.ts";
import { parseFormat } from "../../lib/kernel/format.ts";
import { EventCatalog } from "../../lib/kernel/naming.ts";
import { planEvent } from "../../lib/kernel/plan.ts";
import { formats, layout } from "./support/golden.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const catalog = new EventCatalog([...formats.values()]);

/** The filter of one event, under LTTng's name. */
function filterOf(event: string, filter: FilterExpression): string {
  const known = catalog.get(event)!;
  const format = [...formats.values()].find(({ system, name }) =>
    system === known.system && name === known.name
  )!;
  const { fields } = planEvent(known, format, layout);
  return toTracefsFilter(filter, { format, fields });
}

function field(name: string): FilterExpression {
  return {
    kind: "path",
    root: "payload",
    elements: [{ name, index: undefined }],
  };
}

function context(name: string): FilterExpression {
  return {
    kind: "path",
    root: "context",
    elements: [{ name, index: undefined }],
  };
}

function integer(number: number | bigint): FilterExpression {
  return { kind: "integer", number: BigInt(number) };
}

function text(
  text: string,
  pattern: "plain" | "star at end" | "pattern" = "plain",
): FilterExpression {
  return { kind: "string", text, pattern };
}

type Operator = Extract<FilterExpression, { kind: "binary" }>["operator"];

function binary(
  left: FilterExpression,
  operator: Operator,
  right: FilterExpression,
): FilterExpression {
  return { kind: "binary", operator, left, right };
}

test("toTracefsFilter() takes renamed and shifted fields back", () => {
  for (
    const [name, operator, value, expected] of [
      ["next_tid", "==", 5, "next_pid == 5"],
      ["next_prio", "<", 20, "next_prio < 120"],
      ["prev_prio", ">=", -2, "prev_prio >= 98"],
      ["prev_state", "!=", 0, "prev_state != 0"],
    ] as const
  ) {
    assertEquals(
      filterOf("sched_switch", binary(field(name), operator, integer(value))),
      expected,
    );
  }
});

test("toTracefsFilter() mirrors comparisons that begin with the constant", () => {
  for (
    const [operator, expected] of [
      ["<", "vec > 3"],
      [">=", "vec <= 3"],
      ["==", "vec == 3"],
    ] as const
  ) {
    assertEquals(
      filterOf("irq_softirq_entry", binary(integer(3), operator, field("vec"))),
      expected,
    );
  }
});

test("toTracefsFilter() compares text, whole or by a pattern", () => {
  const compared = (operator: Operator, right: FilterExpression) =>
    filterOf("sched_switch", binary(field("next_comm"), operator, right));
  assertEquals(compared("==", text("sh")), 'next_comm == "sh"');
  assertEquals(compared("!=", text("sh")), 'next_comm != "sh"');
  assertEquals(
    compared("==", text("s*", "star at end")),
    'next_comm ~ "s*"',
  );
  assertEquals(
    compared("!=", text("*s", "pattern")),
    '!(next_comm ~ "*s")',
  );
  assertEquals(compared("==", text('a"b')), "next_comm == 'a\"b'");
});

test("toTracefsFilter() compares the text that a system call is given", () => {
  const compared = (operator: Operator, right: FilterExpression) =>
    filterOf(
      "syscall_entry_openat",
      binary(field("filename"), operator, right),
    );
  assertEquals(
    compared("==", text("/etc/*", "star at end")),
    'filename.ustring ~ "/etc/*"',
  );
  assertEquals(
    compared("!=", text("/etc/passwd")),
    'filename.ustring != "/etc/passwd"',
  );
  assertEquals(compared("==", integer(0)), "filename == 0");
});

test("toTracefsFilter() compares text in memory, not what is recorded of it", () => {
  const format = parseFormat(
    "syscalls",
    `name: sys_enter_chdir
ID: 1
format:
\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
\tfield:const char * filename;\toffset:16;\tsize:8;\tsigned:0;
\tfield:__data_loc char[] __filename_val;\toffset:24;\tsize:4;\tsigned:0;
`,
  );
  const [event] = new EventCatalog([format]).syscalls("chdir");
  const { fields } = planEvent(event!, format, layout);
  assertEquals(
    toTracefsFilter(
      binary(field("filename"), "==", text("/tmp")),
      { format, fields },
    ),
    'filename.ustring == "/tmp"',
  );
});

test("toTracefsFilter() refuses to compare a buffer with text", () => {
  const filter = binary(field("buf"), "==", text("x"));
  assertThrows(
    () => filterOf("syscall_entry_write", filter),
    FilterError,
    '"buf" is a number, not text',
  );
});

test("toTracefsFilter() takes renamed arguments back", () => {
  assertEquals(
    filterOf("syscall_entry_mmap", binary(field("offset"), "==", integer(0))),
    "off == 0",
  );
  assertEquals(
    filterOf("syscall_entry_clone", binary(field("flags"), "&", integer(256))),
    "clone_flags & 256",
  );
});

test("toTracefsFilter() joins conditions", () => {
  const one = binary(field("next_tid"), "==", integer(1));
  const two = binary(field("prev_tid"), "==", integer(2));
  const not: FilterExpression = { kind: "unary", operator: "!", operand: two };
  assertEquals(
    filterOf("sched_switch", binary(binary(one, "&&", not), "||", two)),
    "((next_pid == 1) && (!(prev_pid == 2))) || (prev_pid == 2)",
  );
  assertEquals(
    filterOf("sched_switch", binary(field("prev_state"), "&&", one)),
    "(prev_state != 0) && (next_pid == 1)",
  );
});

test("toTracefsFilter() knows contexts that tracefs has", () => {
  for (
    const [name, value, expected] of [
      ["tid", integer(7), "common_pid == 7"],
      ["cpu_id", integer(1), "CPU == 1"],
      ["procname", text("sh"), 'COMM == "sh"'],
    ] as const
  ) {
    assertEquals(
      filterOf("sched_switch", binary(context(name), "==", value)),
      expected,
    );
  }
});

test("toTracefsFilter() takes masks for conditions", () => {
  const masked = binary(field("prev_state"), "&", integer(3));
  assertEquals(filterOf("sched_switch", masked), "prev_state & 3");
});

test("toTracefsFilter() compares signed arguments in both their forms", () => {
  const compared = (operator: Operator, value: number) =>
    filterOf(
      "syscall_entry_openat",
      binary(field("dfd"), operator, integer(value)),
    );
  assertEquals(
    compared("==", -100),
    "(dfd == 4294967196 || dfd == 18446744073709551516)",
  );
  assertEquals(
    compared("!=", -100),
    "(dfd != 4294967196 && dfd != 18446744073709551516)",
  );
  assertEquals(compared("==", 3), "dfd == 3");
});

test("toTracefsFilter() works out constants", () => {
  const minus: FilterExpression = {
    kind: "unary",
    operator: "-",
    operand: integer(1),
  };
  const inverted: FilterExpression = {
    kind: "unary",
    operator: "~",
    operand: integer(0),
  };
  for (const value of [minus, inverted]) {
    assertEquals(
      filterOf("syscall_exit_read", binary(field("ret"), "==", value)),
      "ret == -1",
    );
  }
});

test("toTracefsFilter() says what the kernel has nothing for", () => {
  const one = integer(1);
  const tid = field("next_tid");
  const refusals: readonly (readonly [FilterExpression, string])[] = [
    [binary(tid, "==", field("prev_tid")), "it cannot compare two fields"],
    [
      binary(binary(tid, "<<", one), "==", one),
      "a comparison needs a field on one side",
    ],
    [binary(tid, "|", one), 'it has no operator "|"'],
    [one, "a constant, or arithmetic, is no condition there"],
    [
      binary(context("pid"), "==", one),
      'of contexts it knows tid, cpu_id, procname, not "pid"',
    ],
    [binary(tid, "==", text("x")), '"next_pid" is a number, not text'],
    [
      binary(field("next_comm"), "==", one),
      '"next_comm" is text, not a number',
    ],
    [binary(field("next_comm"), "<", text("x")), 'text has no operator "<"'],
    [
      binary(field("next_comm"), "==", text("a\\*", "plain")),
      'it has no "\\" in text',
    ],
    [
      binary(field("next_comm"), "==", text("a?*", "star at end")),
      '"?" and "[" mean something else in its patterns',
    ],
    [
      binary(tid, "==", { kind: "float", number: 1.5 }),
      "it compares fields with whole numbers and text only",
    ],
    [
      binary(field("next_prio"), "&", one),
      "a mask is one field and one whole number",
    ],
    [
      {
        kind: "path",
        root: "payload",
        elements: [{ name: "next_comm", index: 0n }],
      },
      "it has no indexes",
    ],
    [
      {
        kind: "path",
        root: "payload",
        elements: [
          { name: "a", index: undefined },
          { name: "b", index: undefined },
        ],
      },
      "its fields have no fields of their own",
    ],
  ];
  for (const [filter, reason] of refusals) {
    assertThrows(
      () => filterOf("sched_switch", filter),
      FilterError,
      `Cannot filter sched:sched_switch in the kernel: ${reason}`,
    );
  }
  assertThrows(
    () =>
      filterOf("syscall_entry_openat", binary(field("dfd"), "<", integer(0))),
    FilterError,
    'it keeps "dfd" without its sign: only == and != work',
  );
});

test("toTracefsFilter() tells a field that the event does not have", () => {
  assertThrows(
    () => filterOf("sched_switch", binary(field("nothing"), "==", integer(1))),
    UnknownFieldError,
    'Cannot filter sched:sched_switch: it has no field "nothing"',
  );
});
