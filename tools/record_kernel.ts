/**
 * Records tests/golden/kernel: what tracefs of this machine says of some
 * events, pages of its ring buffers, and the text that it makes of them. Needs
 * to be root; touches only the instance that it makes.
 */

import { type EventFormat, pageSizeOf } from "../lib/kernel/format.ts";
import { Instance } from "../lib/kernel/instance.ts";
import { RawPipe } from "../lib/kernel/raw_pipe.ts";
import { parseFormat } from "../lib/kernel/format.ts";
import { PageReader } from "../lib/kernel/page.ts";
import { readFile, Tracefs, writeFile } from "../lib/kernel/tracefs.ts";

const OUTPUT = new URL("../tests/golden/kernel/", import.meta.url);

/** Systems all of whose events are recorded. */
const SYSTEMS = [
  ...["sched", "irq", "timer", "task", "signal", "workqueue"],
  ...["syscalls", "exceptions", "block", "power", "skb", "net", "sock"],
];

/** What the traced shell does: files, processes, signals, and a long sleep. */
const LOAD = `
/bin/ls /usr >/dev/null
/bin/echo text | /usr/bin/wc -c >/dev/null
/bin/sleep 0.3
kill -USR1 $$ 2>/dev/null
`;

const PAGE = 4096;

/** A page up to its last byte that is not 0, as text. */
function encode(page: Uint8Array): string {
  let end = page.length;
  while (end > 0 && page[end - 1] === 0) end--;
  return page.subarray(0, end).toBase64();
}

function readPages(instance: Instance, cpu: number): Uint8Array[] {
  const pipe = new RawPipe(instance.cpuFile(cpu, "trace_pipe_raw"));
  const pages: Uint8Array[] = [];
  try {
    for (;;) {
      const page = new Uint8Array(pageSizeOf(instance.layout));
      if (pipe.read(page) === 0) return pages;
      pages.push(page);
    }
  } finally {
    pipe.close();
  }
}

/** Runs the load, traced from its first instruction on. */
async function runLoad(instance: Instance, load = LOAD): Promise<void> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `trap : USR1; read go; ${load}`],
    stdin: "piped",
    stdout: "null",
    env: { PATH: "/usr/bin:/bin" },
    clearEnv: true,
  }).spawn();
  instance.track([child.pid]);
  instance.isTracing = true;
  writeFile(`${instance.path}/trace_marker`, "a text from a program\n");
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("go\n"));
  await writer.close();
  await child.status;
  instance.isTracing = false;
}

function create(tracefs: Tracefs, ringSize: number): Instance {
  return Instance.create(tracefs, {
    purpose: "golden",
    ringSize,
    overwrite: true,
    pageSize: PAGE,
  });
}

/** Formats of the events that occur in the pages, in order of their numbers. */
function formatsIn(
  instance: Instance,
  pages: readonly Uint8Array[],
): EventFormat[] {
  const ids = new Set<number>();
  const reader = new PageReader(instance.layout);
  for (const page of pages) {
    reader.begin(new DataView(page.buffer));
    while (reader.next()) ids.add(reader.view.getUint16(reader.at, true));
  }
  const formats: EventFormat[] = [];
  for (
    const line of readFile(`${instance.path}/set_event`).split("\n")
  ) {
    const [system, name] = line.split(":");
    if (name === undefined) continue;
    const text = readFile(`${instance.path}/events/${system}/${name}/format`);
    const format = parseFormat(system!, text);
    if (ids.has(format.id)) formats.push(format);
  }
  return formats.sort((left, right) => left.id - right.id);
}

function write(name: string, lines: readonly string[]): void {
  Deno.mkdirSync(OUTPUT, { recursive: true });
  Deno.writeTextFileSync(new URL(name, OUTPUT), `${lines.join("\n")}\n`);
}

async function recordTrace(tracefs: Tracefs): Promise<void> {
  const instance = create(tracefs, 1024 * 1024);
  try {
    for (const system of SYSTEMS) {
      writeFile(`${instance.path}/events/${system}/enable`, "1");
    }
    await runLoad(instance);
    writeFile(`${instance.path}/options/fields`, "1");
    const text = readFile(`${instance.path}/trace`);
    const lines: string[] = [];
    const all: Uint8Array[] = [];
    for (const cpu of instance.cpus) {
      const pages = readPages(instance, cpu);
      all.push(...pages);
      for (const page of pages) lines.push(`${cpu} ${encode(page)}`);
    }
    write("pages.txt", lines);
    write("header_page.txt", [readFile(`${instance.path}/events/header_page`)]);
    write(
      "trace.txt",
      text.split("\n").filter((line) => !line.startsWith("#")),
    );
    const formats = formatsIn(instance, all);
    write("formats.txt", [
      ...formats.map(({ system, name }) =>
        `system: ${system}\n${
          readFile(`${instance.path}/events/${system}/${name}/format`)
            .split("\nprint fmt:")[0]
        }`
      ),
      `system: ftrace\n${
        readFile(`${instance.path}/events/ftrace/print/format`)
      }`,
    ]);
    console.log(`${all.length} pages, ${formats.length} formats`);
  } finally {
    await instance.remove();
  }
}

/** A ring buffer that is too small: its first page tells of the loss. */
async function recordLoss(tracefs: Tracefs): Promise<void> {
  const instance = create(tracefs, 32 * 1024);
  try {
    writeFile(`${instance.path}/events/syscalls/enable`, "1");
    await runLoad(instance, "/bin/ls -lR /usr/include >/dev/null");
    const lines: string[] = [];
    for (const cpu of instance.cpus) {
      const { overrun, entries } = instance.counters(cpu);
      lines.push(`${cpu} overrun ${overrun} entries ${entries}`);
      for (const page of readPages(instance, cpu)) {
        lines.push(`${cpu} ${encode(page)}`);
      }
    }
    write("lossy_pages.txt", lines);
  } finally {
    await instance.remove();
  }
}

const tracefs = Tracefs.open();
await recordTrace(tracefs);
await recordLoss(tracefs);
