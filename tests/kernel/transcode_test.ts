import { assert, assertEquals } from "@std/assert";
import { Cursor, PacketFull } from "../../lib/ctf/cursor.ts";
import { integer } from "../../lib/ctf/declare.ts";
import { parseFormat } from "../../lib/kernel/format.ts";
import { EventCatalog } from "../../lib/kernel/naming.ts";
import { PageReader } from "../../lib/kernel/page.ts";
import {
  type EventPlan,
  planEvent,
  type PlannedField,
} from "../../lib/kernel/plan.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";
import { compileWriter } from "../../lib/kernel/transcode.ts";
import { type Decoded, decodeFields } from "./support/decode.ts";
import { formats, layout, pages, traceEvents } from "./support/golden.ts";
import { layoutOf, makePage, usualLayout } from "./support/make_page.ts";
import { compareEvent } from "./support/compare.ts";

/** A pure test. Generated code needs no permission. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const HEAD = `name: made_up
ID: 77
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

`;

/** A plan for a made-up event with these fields. */
function planOf(event: string, lines: readonly string[]): EventPlan {
  const [system, name] = event.split(":") as [string, string];
  const text = HEAD.replace("made_up", name) +
    lines.map((line) => `\tfield:${line}\n`).join("");
  const known = [...new EventCatalog([{ system, name }]).events]
    .find((known) => known.system === system && known.name === name)!;
  return planEvent(known, parseFormat(system, text), usualLayout);
}

/** Bytes of a record whose fields begin at 8. */
function record(size: number, put: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 77, true);
  view.setInt32(4, 4321, true);
  put(view);
  return bytes;
}

function reader(payload: Uint8Array): PageReader {
  const page = new PageReader(usualLayout);
  const bytes = makePage({
    time: 1n,
    records: [{ kind: "long data", delta: 0, payload }],
  });
  page.begin(new DataView(bytes.buffer));
  assert(page.next());
  return page;
}

function write(
  fields: readonly PlannedField[],
  page: PageReader,
  threads = new ThreadTable(() => undefined),
): Map<string, Decoded> {
  const options = { littleEndian: true, context: [], threads };
  const cursor = new Cursor(65536);
  // What lay there before must not show.
  cursor.bytes.fill(0xAA);
  compileWriter({ fields }, options)(cursor, page);
  return decodeFields(fields, cursor.bytes.subarray(0, cursor.position));
}

function transcode(
  event: string,
  lines: readonly string[],
  payload: Uint8Array,
  threads?: ThreadTable,
): Record<string, Decoded> {
  const plan = planOf(event, lines);
  return Object.fromEntries(write(plan.fields, reader(payload), threads));
}

test("compileWriter() copies integers of all widths with their signs", () => {
  const values = transcode("a:b", [
    "u8 a;\toffset:8;\tsize:1;\tsigned:0;",
    "s8 b;\toffset:9;\tsize:1;\tsigned:1;",
    "u16 c;\toffset:10;\tsize:2;\tsigned:0;",
    "short d;\toffset:12;\tsize:2;\tsigned:1;",
    "unsigned e;\toffset:16;\tsize:4;\tsigned:0;",
    "int f;\toffset:20;\tsize:4;\tsigned:1;",
    "u64 g;\toffset:24;\tsize:8;\tsigned:0;",
    "long h;\toffset:32;\tsize:8;\tsigned:1;",
    "bool i;\toffset:40;\tsize:1;\tsigned:0;",
    "void * j;\toffset:48;\tsize:8;\tsigned:1;",
  ], record(56, (view) => new Uint8Array(view.buffer).fill(0xFF, 8)));
  assertEquals(values, {
    a: 255n,
    b: -1n,
    c: 65535n,
    d: -1n,
    e: 2n ** 32n - 1n,
    f: -1n,
    g: 2n ** 64n - 1n,
    h: -1n,
    i: 255n,
    j: 2n ** 64n - 1n,
  });
});

/** A location word: offset and length. */
function location(offset: number, length: number): number {
  return length * 65536 + offset;
}

test("compileWriter() follows locations of text and arrays", () => {
  const values = transcode(
    "a:b",
    [
      "__data_loc char[] text;\toffset:8;\tsize:4;\tsigned:0;",
      "__data_loc u64[] list;\toffset:12;\tsize:4;\tsigned:0;",
      "__rel_loc char[] near;\toffset:16;\tsize:4;\tsigned:0;",
      "__data_loc cpumask_t mask;\toffset:20;\tsize:4;\tsigned:0;",
    ],
    record(72, (view) => {
      view.setUint32(8, location(24, 6), true);
      view.setUint32(12, location(32, 16), true);
      view.setUint32(16, location(48 - 20, 4), true);
      view.setUint32(20, location(56, 8), true);
      new TextEncoder().encodeInto("hello", new Uint8Array(view.buffer, 24));
      view.setBigUint64(32, 5n, true);
      view.setBigUint64(40, 2n ** 63n, true);
      new TextEncoder().encodeInto("abc", new Uint8Array(view.buffer, 48));
      view.setBigUint64(56, 3n, true);
    }),
  );
  assertEquals(values, {
    text: "hello",
    list: [5n, 2n ** 63n],
    near: "abc",
    mask: [3n],
  });
});

test("compileWriter() never reads outside of the record", () => {
  for (
    const [offset, length, expected] of [
      [12, 0, ""],
      [12, 60000, "xxxx"],
      [60000, 4, ""],
      [14, 65535, "xx"],
    ] as const
  ) {
    const values = transcode(
      "a:b",
      [
        "__data_loc char[] text;\toffset:8;\tsize:4;\tsigned:0;",
      ],
      record(16, (view) => {
        view.setUint32(8, location(offset, length), true);
        new Uint8Array(view.buffer, 12).fill(120);
      }),
    );
    assertEquals(values, { text: expected });
  }
});

test("compileWriter() copies arrays, and what is no number, as they are", () => {
  const values = transcode(
    "a:b",
    [
      "char comm[16];\toffset:8;\tsize:16;\tsigned:0;",
      "u8 mac[6];\toffset:24;\tsize:6;\tsigned:0;",
      "unsigned long args[2];\toffset:32;\tsize:16;\tsigned:0;",
      "struct odd odd;\toffset:48;\tsize:3;\tsigned:0;",
    ],
    record(56, (view) => {
      new TextEncoder().encodeInto("sh", new Uint8Array(view.buffer, 8));
      new Uint8Array(view.buffer).set([1, 2, 3, 4, 5, 6], 24);
      view.setBigUint64(32, 7n, true);
      view.setBigUint64(40, 8n, true);
      new Uint8Array(view.buffer).set([9, 8, 7], 48);
    }),
  );
  assertEquals(values, {
    comm: "sh",
    mac: [1n, 2n, 3n, 4n, 5n, 6n],
    args: [7n, 8n],
    odd: [9n, 8n, 7n],
  });
});

test("compileWriter() takes arguments of system calls by their C types", () => {
  const bytes = record(80, (view) => {
    for (let at = 16; at < 80; at += 8) {
      view.setBigUint64(at, 0xFFFF_FFFF_FFFF_FF9Cn, true);
    }
  });
  const argument = (type: string, at: number) =>
    `${type} a${at};\toffset:${at};\tsize:8;\tsigned:0;`;
  const values = transcode("syscalls:sys_enter_made", [
    "int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;",
    argument("int", 16),
    argument("unsigned int", 24),
    argument("umode_t", 32),
    argument("size_t", 40),
    argument("const char *", 48),
    argument("long", 56),
    argument("some_new_t", 64),
    argument("pid_t", 72),
  ], bytes);
  assertEquals(values, {
    a16: -100n,
    a24: 0xFFFF_FF9Cn,
    a32: 0xFF9Cn,
    a40: 0xFFFF_FFFF_FFFF_FF9Cn,
    a48: 0xFFFF_FFFF_FFFF_FF9Cn,
    a56: -100n,
    a64: 0xFFFF_FFFF_FFFF_FF9Cn,
    a72: -100n,
  });
});

test("compileWriter() gives a system call's exit its result alone", () => {
  const values = transcode("syscalls:sys_exit_made", [
    "int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;",
    "long ret;\toffset:16;\tsize:8;\tsigned:1;",
  ], record(24, (view) => view.setBigInt64(16, -2n, true)));
  assertEquals(values, { ret: -2n });
});

test("compileWriter() fills names of tasks up to 16 bytes", () => {
  const lines = [
    "__data_loc char[] comm;\toffset:8;\tsize:4;\tsigned:0;",
    "pid_t pid;\toffset:12;\tsize:4;\tsigned:1;",
    "int prio;\toffset:16;\tsize:4;\tsigned:1;",
  ];
  const plan = planOf("sched:sched_process_exit", lines);
  assertEquals(plan.fields.map(({ name }) => name), ["comm", "tid", "prio"]);
  const long = "a name that is too long";
  const bytes = record(48, (view) => {
    view.setUint32(8, location(20, long.length + 1), true);
    view.setInt32(12, 7, true);
    view.setInt32(16, 98, true);
    new TextEncoder().encodeInto(long, new Uint8Array(view.buffer, 20));
  });
  assertEquals(
    Object.fromEntries(write(plan.fields, reader(bytes))),
    { comm: "a name that is ", tid: 7n, prio: -2n },
  );
});

test("compileWriter() turns letters of block requests into LTTng's bits", () => {
  const bits = {
    "R": 4,
    "W": 1,
    "WS": 1 + 32,
    "RA": 4 + 8,
    "FWFS": 1024 + 1 + 512 + 32,
    "FF": 1024 + 256,
    "F": 256,
    "WFSM": 1 + 512 + 32 + 64,
    "D": 2,
    "DE": 2 + 128,
    "N": 0,
    "": 0,
  };
  for (const [letters, expected] of Object.entries(bits)) {
    const values = transcode(
      "block:block_rq_requeue",
      [
        "dev_t dev;\toffset:8;\tsize:4;\tsigned:0;",
        "sector_t sector;\toffset:16;\tsize:8;\tsigned:0;",
        "unsigned int nr_sector;\toffset:24;\tsize:4;\tsigned:0;",
        "char rwbs[10];\toffset:28;\tsize:10;\tsigned:0;",
      ],
      record(40, (view) => {
        new TextEncoder().encodeInto(letters, new Uint8Array(view.buffer, 28));
      }),
    );
    assertEquals(values["rwbs"], BigInt(expected), letters);
  }
});

test("compileWriter() writes as 0 what this kernel does not have", () => {
  const values = transcode(
    "kmem:mm_page_alloc",
    [
      "unsigned int order;\toffset:8;\tsize:4;\tsigned:0;",
      "unsigned long gfp_flags;\toffset:16;\tsize:8;\tsigned:0;",
    ],
    record(24, (view) => {
      view.setUint32(8, 3, true);
      view.setBigUint64(16, 0x140dcan, true);
    }),
  );
  assertEquals(values, {
    page: 0n,
    pfn: 0n,
    order: 3n,
    gfp_flags: 0x140dcan,
    migratetype: 0n,
  });
});

test("compileWriter() asks the table of threads for what a fork does not say", () => {
  const threads = new ThreadTable((tid) => ({ pid: tid, pid_ns: 99 }));
  threads.forked(100, 101, 0x10000);
  const values = transcode(
    "sched:sched_process_fork",
    [
      "__data_loc char[] parent_comm;\toffset:8;\tsize:4;\tsigned:0;",
      "pid_t parent_pid;\toffset:12;\tsize:4;\tsigned:1;",
      "__data_loc char[] child_comm;\toffset:16;\tsize:4;\tsigned:0;",
      "pid_t child_pid;\toffset:20;\tsize:4;\tsigned:1;",
    ],
    record(28, (view) => {
      view.setUint32(8, location(24, 2), true);
      view.setInt32(12, 100, true);
      view.setUint32(16, location(26, 2), true);
      view.setInt32(20, 101, true);
      view.setUint8(24, 112);
      view.setUint8(26, 99);
    }),
    threads,
  );
  assertEquals(values, {
    parent_comm: "p",
    parent_tid: 100n,
    parent_pid: 100n,
    parent_ns_inum: 99n,
    child_comm: "c",
    child_tid: 101n,
    vtids: [101n],
    child_pid: 100n,
    child_ns_inum: 99n,
  });
});

test("compileWriter() writes text of programs as a sequence", () => {
  const plan = planOf("ftrace:print", [
    "unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;",
    "char buf[];\toffset:16;\tsize:0;\tsigned:0;",
  ]);
  const bytes = record(28, (view) => {
    new TextEncoder().encodeInto("hello\n", new Uint8Array(view.buffer, 16));
  });
  assertEquals(plan.name, "lttng_logger");
  assertEquals(
    Object.fromEntries(write(plan.fields, reader(bytes))),
    { msg: "hello\n" },
  );
});

test("compileWriter() throws where the packet is full, and not before", () => {
  const plan = planOf("a:b", [
    "u64 a;\toffset:8;\tsize:8;\tsigned:0;",
    "__data_loc char[] text;\toffset:16;\tsize:4;\tsigned:0;",
  ]);
  const bytes = record(28, (view) => {
    view.setUint32(16, location(20, 4), true);
    new TextEncoder().encodeInto("abc", new Uint8Array(view.buffer, 20));
  });
  const threads = new ThreadTable(() => undefined);
  const options = { littleEndian: true, context: [], threads };
  const writer = compileWriter(plan, options);
  for (let size = 0; size <= 12; size++) {
    const cursor = new Cursor(size);
    let isFull = false;
    try {
      writer(cursor, reader(bytes));
    } catch (error) {
      isFull = error instanceof PacketFull;
    }
    assertEquals(isFull, size < 12, `${size} bytes`);
  }
});

test("compileWriter() writes in the machine's byte order", () => {
  const layout = layoutOf(false, 8);
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 77);
  view.setInt32(8, 120);
  view.setUint32(12, location(36, 3));
  view.setBigInt64(16, -5n);
  view.setBigUint64(24, 0xFFFF_FF9Cn);
  bytes.set([104, 105, 0], 36);
  const page = new PageReader(layout);
  const made = makePage({
    time: 1n,
    records: [{ kind: "long data", delta: 0, payload: bytes }],
  }, layout);
  page.begin(new DataView(made.buffer));
  assert(page.next());
  const fields: PlannedField[] = [
    {
      name: "prio",
      type: integer(32, { signed: true }),
      source: {
        kind: "integer",
        at: 8,
        size: 4,
        signed: true,
        add: -100,
        width: 4,
      },
    },
    {
      name: "text",
      type: { kind: "string" },
      source: { kind: "text", place: { kind: "located", at: 12 } },
    },
    {
      name: "state",
      type: integer(64, { signed: true }),
      source: { kind: "bytes", at: 16, size: 8 },
    },
    {
      name: "dfd",
      type: integer(32, { signed: true }),
      source: {
        kind: "integer",
        at: 24,
        size: 8,
        signed: false,
        add: 0,
        width: 4,
      },
    },
  ];
  const cursor = new Cursor(64);
  const threads = new ThreadTable(() => undefined);
  compileWriter({ fields }, { littleEndian: false, context: [], threads })(
    cursor,
    page,
  );
  const written = cursor.bytes.subarray(0, cursor.position);
  assertEquals(
    Object.fromEntries(decodeFields(fields, written, false)),
    { prio: 20n, text: "hi", state: -5n, dfd: -100n },
  );
});

test("compileWriter() makes of every recorded field what tracefs shows", () => {
  const catalog = new EventCatalog([...formats.values()]);
  const plans = new Map<number, EventPlan>();
  for (const event of catalog.events) {
    for (const format of formats.values()) {
      if (format.system !== event.system || format.name !== event.name) {
        continue;
      }
      plans.set(format.id, planEvent(event, format, layout));
    }
  }
  assertEquals(plans.size, formats.size);
  const page = new PageReader(layout);
  let compared = 0;
  for (const cpu of new Set(pages.map(({ cpu }) => cpu))) {
    const expected = traceEvents.filter((event) => event.cpu === cpu)[
      Symbol.iterator
    ]();
    for (const { bytes } of pages.filter((page) => page.cpu === cpu)) {
      page.begin(new DataView(bytes.buffer));
      while (page.next()) {
        const id = page.view.getUint16(page.at, true);
        assert(page.size >= plans.get(id)!.size);
        const values = write(plans.get(id)!.fields, page);
        compared += compareEvent(
          formats.get(id)!,
          values,
          expected.next().value!,
        );
      }
    }
  }
  assert(compared > 2_500, `${compared} fields were compared`);
});
