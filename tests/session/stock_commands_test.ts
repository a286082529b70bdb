/**
 * The same command lines, run by the stock `lttng`, against a stock session
 * daemon and against ours: same text, same exit status.
 *
 * Both run for users that are not root, so that both refuse the kernel alike.
 * What is not compared: recording of applications, which ours has not: it
 * refuses `--userspace` with "LTTng-UST tracer is not supported" and the agents
 * with "Session daemon agent tracing is disabled".
 */

import { assert, assertEquals } from "@std/assert";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { RunningDaemon } from "./support/running_daemon.ts";

/** Stands for the home of the user who asks. */
const HOME = "HOME";

/** A command line. */
type Line = string;

/**
 * Where a stock daemon refuses before it has read a request whole, the client
 * dies of SIGPIPE, now and then. Ours reads first.
 */
const BROKEN_PIPE = 141;

/** Groups of command lines; each begins without sessions. */
const GROUPS: Readonly<Record<string, readonly Line[]>> = {
  "without sessions": [
    "list",
    "start",
    "stop",
    "start nope",
    "stop nope",
    "destroy nope",
    "destroy --all",
    "set-session nope",
    "status",
    "clear nope",
    "rotate nope",
    "save nope",
    "snapshot list-output --session nope",
    "regenerate metadata --session nope",
    "list nope",
    "list-triggers",
    "list --userspace",
    "list --userspace --fields",
    "list --jul",
    "list --log4j",
    "list --python",
  ],
  "sessions": [
    `create one --output ${HOME}/one`,
    "list",
    "status",
    "list one",
    "list one --domain",
    `create one --output ${HOME}/other`,
    "create a/b",
    "create auto",
    "create auto-x",
    `create relative --output ../x`,
    `create climbing --output ${HOME}/../x`,
    "create named",
    `create url --set-url file://${HOME}/url`,
    "create net --set-url net://127.0.0.1",
    "create netports --set-url net://127.0.0.1:1:2/sub/dir",
    "create net6 --set-url net6://[::1]",
    "create tcp --ctrl-url tcp://127.0.0.1:7 --data-url tcp://127.0.0.1:8",
    "create half --ctrl-url tcp://127.0.0.1:7",
    "create netclimbing --set-url net://127.0.0.1/../x",
    "create none --no-output",
    "create live --live --set-url net://127.0.0.1",
    "create live2 --live=500000 --set-url net://127.0.0.1",
    `create live3 --live --output ${HOME}/live3`,
    "create both --live --snapshot",
    `create shm --output ${HOME}/shm --shm-path ${HOME}/shm-buffers`,
    "list",
    "set-session one",
    "status",
    "set-session nope",
    "destroy one",
    "destroy one",
    "status",
    "destroy netports net6",
    "destroy net --no-wait",
    "list",
    "destroy --all",
    "list",
  ],
  "recording": [
    `create one --output ${HOME}/one`,
    "start",
    "stop",
    "start one",
    "stop one",
    "clear",
    "rotate",
    "rotate --no-wait",
    "regenerate metadata",
    "regenerate statedump",
    "destroy",
  ],
  "rotation schedules": [
    `create one --output ${HOME}/one`,
    "enable-rotation --timer 10s",
    "enable-rotation --timer 10s",
    "enable-rotation --size 1M",
    "enable-rotation --size 2M",
    "list one",
    "enable-rotation --timer 0",
    "enable-rotation",
    "disable-rotation --timer",
    "disable-rotation --timer",
    "disable-rotation --size",
    "list one",
    "create live --live --set-url net://127.0.0.1",
    "enable-rotation --session live --timer 10s",
    "create snap --snapshot",
    "enable-rotation --session snap --size 1M",
    "destroy --all",
  ],
  "snapshots": [
    `create snap --snapshot --output ${HOME}/snap`,
    "list snap",
    "snapshot list-output",
    "snapshot add-output /tmp/elsewhere",
    "snapshot del-output 2",
    "snapshot del-output nope",
    "snapshot del-output 1",
    "snapshot list-output",
    "snapshot record",
    `snapshot add-output --name mine --max-size 4M ${HOME}/mine`,
    "snapshot list-output",
    "snapshot del-output mine",
    "snapshot add-output net://127.0.0.1:1:2/sub",
    "snapshot list-output",
    "snapshot record",
    "create none --no-output",
    `snapshot add-output ${HOME}/none`,
    "snapshot list-output",
    `create one --output ${HOME}/one`,
    "snapshot list-output",
    "snapshot record",
    `snapshot add-output ${HOME}/x`,
    "snapshot del-output 1",
    "create netsnap --snapshot --set-url net://127.0.0.1/dir",
    "snapshot list-output",
    "destroy --all",
  ],
  "saving and loading": [
    `create one --output ${HOME}/one`,
    "create live --live=300000 --set-url net://127.0.0.1:3:4/sub",
    `create snap --snapshot --output ${HOME}/snap`,
    "create none --no-output",
    "set-session one",
    "enable-rotation --timer 10s --size 1M",
    `save one --output-path ${HOME}/saved`,
    `save one --output-path ${HOME}/saved`,
    `save one --force --output-path ${HOME}/saved`,
    `save --all --force --output-path ${HOME}/saved`,
    `save nope --output-path ${HOME}/saved`,
    `load one --input-path ${HOME}/saved`,
    "destroy --all",
    `load one --input-path ${HOME}/saved`,
    "list one",
    `load nope --input-path ${HOME}/saved`,
    `load --all --force --input-path ${HOME}/saved`,
    "list snap",
    "list live",
    `load one --input-path ${HOME}/saved --override-name two`,
    "list",
    "destroy --all",
  ],
  "the kernel, which takes root": [
    `create one --output ${HOME}/one`,
    "enable-channel --kernel ch",
    "enable-event --kernel sched_switch",
    "enable-event --kernel --all",
    "enable-event --kernel --syscall openat",
    "disable-event --kernel sched_switch",
    "disable-channel --kernel ch",
    "add-context --kernel --type pid",
    "track --kernel --pid 1",
    "untrack --kernel --pid 1",
    "list --kernel",
    "list --kernel --syscall",
    "list one",
    "destroy",
  ],
  "for programs": [
    "--mi xml list",
    `--mi xml create one --output ${HOME}/one`,
    "--mi xml list",
    "--mi xml list one",
    "--mi xml start",
    "--mi xml stop",
    "--mi xml snapshot list-output",
    `--mi xml save --output-path ${HOME}/mi`,
    "--mi xml enable-rotation --timer 10s",
    "--mi xml destroy one",
  ],
};

/** What was answered, without what differs from run to run. */
interface Answer {
  readonly line: string;
  readonly code: number;
  readonly output: string;
}

async function answers(
  daemon: Sessiond | RunningDaemon,
  lines: readonly Line[],
): Promise<Answer[]> {
  const { home } = daemon.user;
  const found: Answer[] = [];
  for (const line of lines) {
    const args = line.split(" ").map((word) => word.replaceAll(HOME, home));
    const { code, stdout, stderr } = await daemon.tryLttng(...args);
    const output = `${stdout}${stderr}`.replaceAll(home, HOME)
      .replace(/\d{8}-\d{6}/g, "DATETIME")
      .replace(/\d{8}T\d{6}[+-]\d{4}/g, "DATETIME")
      // Progress: a dot each time that the client looked.
      .replace(/\.{2,}/g, ".").replace(/\.\n/g, "\n");
    found.push({ line, code, output });
  }
  return found;
}

for (const [name, lines] of Object.entries(GROUPS)) {
  stockTest(
    `SessionDaemon answers the stock client as a stock one does: ${name}`,
    { programs: SESSIOND_PROGRAMS },
    async () => {
      await using stock = await startSessiond();
      await using ours = await RunningDaemon.start({ mayTraceKernel: false });
      const expected = await answers(stock, lines);
      const found = await answers(ours, lines);
      for (const { line, code } of found) assert(code !== BROKEN_PIPE, line);
      const isWhole = (_: Answer, index: number) =>
        expected[index]?.code !== BROKEN_PIPE;
      assertEquals(found.filter(isWhole), expected.filter(isWhole));
    },
  );
}

stockTest(
  "SessionDaemon saves sessions in the stock daemon's very words",
  { programs: SESSIOND_PROGRAMS },
  async () => {
    await using stock = await startSessiond();
    await using ours = await RunningDaemon.start({ mayTraceKernel: false });
    const documents = await Promise.all([stock, ours].map(savedDocuments));
    assertEquals(documents[1], documents[0]);
  },
);

/** What `lttng save` writes of sessions of all kinds, by file name. */
async function savedDocuments(
  daemon: Sessiond | RunningDaemon,
): Promise<Record<string, string>> {
  const { home } = daemon.user;
  const lines = [
    `create local --output ${home}/a&b<c>`,
    "enable-rotation --timer 10s --size 1M",
    "create live --live=300000 --set-url net://127.0.0.1:3:4/sub",
    `create snap --snapshot --output ${home}/snap`,
    "create netsnap --snapshot --set-url net6://[::1]/sub",
    "create none --no-output",
    `create shm --output ${home}/shm --shm-path ${home}/buffers`,
    `save --all --output-path ${home}/saved`,
  ];
  for (const line of lines) await daemon.lttng(...line.split(" "));
  const documents: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(`${home}/saved`)) {
    documents[name] = Deno.readTextFileSync(`${home}/saved/${name}`)
      .replaceAll(home, HOME).replace(/\d{8}-\d{6}/g, "DATETIME");
  }
  return documents;
}
