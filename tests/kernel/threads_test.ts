import { assertEquals } from "@std/assert";
import { parseThread } from "../../lib/kernel/proc_thread.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/\0+$/, "");
}

/** A view of NUL-terminated text. */
function view(text: string): DataView {
  return new DataView(new TextEncoder().encode(`${text}\0`).buffer);
}

test("ThreadTable asks once for each thread", () => {
  const asked: number[] = [];
  const table = new ThreadTable((tid) => {
    asked.push(tid);
    return tid === 5 ? { pid: 4, ppid: 1 } : undefined;
  });
  assertEquals([table.get(5).pid, table.get(5).ppid], [4, 1]);
  assertEquals(table.get(6).pid, 6);
  assertEquals(table.get(5).pid, 4);
  assertEquals(asked, [5, 6]);
});

test("ThreadTable knows what forks make, without asking", () => {
  const asked: number[] = [];
  const table = new ThreadTable((tid) => {
    asked.push(tid);
    return { pid: 10, ppid: 1, uid: 7 };
  });
  table.forked(10, 11, 0x10000);
  table.forked(10, 12, 0x11);
  const thread = table.get(11);
  const process = table.get(12);
  assertEquals([thread.pid, thread.ppid, thread.vtid, thread.uid], [
    10,
    1,
    11,
    7,
  ]);
  assertEquals([process.pid, process.ppid, process.vpid], [12, 10, 12]);
  assertEquals(asked, [10]);
});

test("ThreadTable asks for the numbers of a fork in another namespace", () => {
  const table = new ThreadTable((tid) => ({ vtid: tid - 100, pid: tid }));
  table.forked(101, 102, 0);
  assertEquals([table.get(102).vtid, table.get(102).pid], [2, 102]);
});

test("ThreadTable follows names and priorities", () => {
  const table = new ThreadTable(() => undefined);
  table.renamed(3, view("a longer name than fits"), 0, 24);
  assertEquals(text(table.get(3).name), "a longer name t");
  table.renamed(3, view("sh"), 0, 3);
  assertEquals(text(table.get(3).name), "sh");
  table.prioritized(3, -2);
  assertEquals(table.get(3).prio, -2);
});

test("ThreadTable keeps a fork's name apart from its parent's", () => {
  const table = new ThreadTable(() => undefined);
  table.renamed(1, view("parent"), 0, 7);
  table.forked(1, 2, 0);
  assertEquals(text(table.get(2).name), "parent");
  table.renamed(2, view("child"), 0, 6);
  assertEquals(text(table.get(1).name), "parent");
  assertEquals(text(table.get(2).name), "child");
});

test("ThreadTable forgets a freed thread when all processors were read twice", () => {
  let pid = 1;
  const table = new ThreadTable(() => ({ pid }));
  assertEquals(table.get(9).pid, 1);
  pid = 2;
  table.freed(9);
  table.sweep();
  assertEquals(table.get(9).pid, 1);
  table.sweep();
  assertEquals(table.get(9).pid, 2);
});

test("ThreadTable keeps the thread that took a freed one's number", () => {
  const table = new ThreadTable(() => undefined);
  table.get(9);
  table.freed(9);
  table.forked(5, 9, 0x10000);
  table.sweep();
  table.sweep();
  assertEquals(table.get(9).pid, 5);
});

test("ThreadTable calls a thread that nobody knows as tracefs does", () => {
  const table = new ThreadTable(() => undefined);
  assertEquals(text(table.get(9).name), "<...>");
});

test("ThreadTable has an idle thread for each processor", () => {
  const table = new ThreadTable(() => undefined);
  table.cpu = 0;
  assertEquals(text(table.get(0).name), "swapper/0");
  table.cpu = 3;
  assertEquals(text(table.get(0).name), "swapper/3");
  assertEquals(table.size, 0);
});

test("ThreadTable.doubt() asks again, and forgets nobody who has ended", () => {
  const known = new Map([[5, 50], [6, 60]]);
  const table = new ThreadTable((tid) => {
    const pid = known.get(tid);
    return pid === undefined ? undefined : { pid };
  });
  assertEquals([table.get(5).pid, table.get(6).pid], [50, 60]);
  // 5 is another thread now, 6 is no more.
  known.set(5, 51);
  known.delete(6);
  assertEquals(table.get(5).pid, 50);
  table.doubt();
  assertEquals([table.get(5).pid, table.get(6).pid], [51, 60]);
});

test("ThreadTable never grows without end", () => {
  const table = new ThreadTable(() => undefined);
  for (let tid = 1; tid <= 70_000; tid++) table.get(tid);
  assertEquals(table.size <= 65_536, true);
});

test("parseThread() reads names with spaces and parentheses", () => {
  const rest = ["S", "1", "5", "5", "0", "-1", "0"];
  while (rest.length < 40) rest.push(String(rest.length + 3));
  const thread = parseThread(
    `42 (a (b) c) ${rest.join(" ")}`,
    "Name:\ta\nTgid:\t40\nPid:\t42\nPPid:\t1\nUid:\t1\t2\t3\t4\n" +
      "Gid:\t5\t6\t7\t8\nNStgid:\t40\t3\nNSpid:\t42\t4\n",
  );
  assertEquals(text(thread.name!), "a (b) c");
  assertEquals([thread.pid, thread.ppid], [40, 1]);
  // Fields 18 and 19.
  assertEquals([thread.prio, thread.nice], [18, 19]);
  assertEquals([thread.vtid, thread.vpid], [4, 3]);
  assertEquals([thread.uid, thread.euid, thread.suid], [1, 2, 3]);
  assertEquals([thread.gid, thread.egid, thread.sgid], [5, 6, 7]);
});

test("parseThread() leaves out what a kernel worker works on", () => {
  const names = {
    "kworker/u8:2-events_unbound": "kworker/u8:2",
    "kworker/0:0H+events_highpri": "kworker/0:0H",
    "kworker/1:3": "kworker/1:3",
    "kworker/R-rcu_gp": "kworker/R-rcu_g",
    "not-kworker/0:0-x": "not-kworker/0:0",
  };
  for (const [name, expected] of Object.entries(names)) {
    const thread = parseThread(`42 (${name}) S 1`, "");
    assertEquals(text(thread.name!), expected);
  }
});
