import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { pageSizeOf } from "../../lib/kernel/format.ts";
import { Instance, type InstanceOptions } from "../../lib/kernel/instance.ts";
import { instanceName, ourselves } from "../../lib/kernel/instance_name.ts";
import {
  exists,
  KernelTracingError,
  readFile,
  Tracefs,
} from "../../lib/kernel/tracefs.ts";
import { instancesOf, tracefsTest } from "./support/tracefs.ts";

const SWITCH = { system: "sched", name: "sched_switch" };

/** Runs `act` on an instance that is removed after it. */
async function withInstance(
  options: Partial<InstanceOptions>,
  act: (instance: Instance, tracefs: Tracefs) => void | Promise<void>,
): Promise<void> {
  const tracefs = Tracefs.open();
  const instance = Instance.create(tracefs, {
    purpose: "test",
    ringSize: 1024 * 1024,
    overwrite: false,
    ...options,
  });
  try {
    await act(instance, tracefs);
  } finally {
    await instance.remove();
  }
  assert(!exists(instance.path));
}

tracefsTest(
  "Instance.create() makes ring buffers as they are asked for",
  async () => {
    await withInstance(
      { ringSize: 2 * 1024 * 1024, overwrite: true, pageSize: 65536 },
      (instance) => {
        const read = (file: string) =>
          readFile(`${instance.path}/${file}`).trim();
        assertEquals(read("tracing_on"), "0");
        assertEquals(read("options/overwrite"), "1");
        assertEquals(read("options/disable_on_free"), "1");
        assert(/\[mono\]/.test(read("trace_clock")));
        assert(instance.ringSize >= 2 * 1024 * 1024);
        const hasChoice = exists(`${instance.path}/buffer_subbuf_size_kb`);
        assertEquals(pageSizeOf(instance.layout), hasChoice ? 65536 : 4096);
      },
    );
  },
);

tracefsTest(
  "Instance.create() takes small pages for a small ring buffer",
  async () => {
    await withInstance({ ringSize: 64 * 1024, pageSize: 65536 }, (instance) => {
      assert(pageSizeOf(instance.layout) <= 8192);
    });
  },
);

tracefsTest("Instance.create() never touches what is not its own", async () => {
  const tracefs = Tracefs.open();
  const files = ["tracing_on", "trace_clock", "set_event", "options/overwrite"];
  const before = files.map((file) => tracefs.read(file));
  await withInstance({}, (instance) => {
    instance.enable(SWITCH);
    instance.isTracing = true;
    assertEquals(files.map((file) => tracefs.read(file)), before);
  });
});

tracefsTest(
  "Instance.enable() filters, and takes the filter away again",
  async () => {
    await withInstance({}, (instance) => {
      const filter = `${instance.path}/events/sched/sched_switch/filter`;
      instance.enable(SWITCH, "next_pid == 1");
      assertEquals(readFile(filter).trim(), "next_pid == 1");
      instance.enable(SWITCH);
      assertEquals(readFile(filter).trim(), "none");
      instance.disable(SWITCH);
      const enable = `${instance.path}/events/sched/sched_switch/enable`;
      assertEquals(readFile(enable).trim(), "0");
    });
  },
);

tracefsTest(
  "Instance.enable() says what the kernel finds wrong with a filter",
  async () => {
    await withInstance({}, (instance) => {
      assertThrows(
        () => instance.enable(SWITCH, "no_such_field == 1"),
        KernelTracingError,
        "Cannot filter sched/sched_switch: the kernel does not take " +
          '"no_such_field == 1"',
      );
    });
  },
);

tracefsTest(
  "Instance.track() lists the threads, and forgets them",
  async () => {
    await withInstance({}, (instance) => {
      const file = `${instance.path}/set_event_pid`;
      instance.track([1, Deno.pid]);
      assertEquals(
        readFile(file).trim().split("\n").map(Number),
        [1, Deno.pid].sort((left, right) => left - right),
      );
      instance.track([]);
      assertEquals(readFile(file).trim().replace("no pid", ""), "");
    });
  },
);

tracefsTest(
  "Instance.removeStale() removes those of processes that are gone, and no others",
  async () => {
    const tracefs = Tracefs.open();
    const gone = instanceName({ ...ourselves(), startTime: "1" }, 0, "gone");
    const foreign = `test-${Deno.pid}-foreign`;
    const paths = [gone, foreign].map((name) =>
      `${tracefs.path}/instances/${name}`
    );
    for (const path of paths) Deno.mkdirSync(path);
    try {
      await withInstance({}, (instance) => {
        assertEquals(Instance.removeStale(tracefs), [gone]);
        assert(!exists(paths[0]!));
        assert(exists(paths[1]!));
        assert(exists(instance.path));
      });
    } finally {
      for (const path of paths) if (exists(path)) Deno.removeSync(path);
    }
  },
);

tracefsTest(
  "Instance.counters() are whole while they change",
  async () => {
    await withInstance({ overwrite: true }, (instance) => {
      instance.enable({ system: "raw_syscalls", name: "sys_enter" });
      instance.isTracing = true;
      // Each read is system calls, which are counted.
      for (let round = 0; round < 3000; round++) {
        for (let cpu = 0; cpu < navigator.hardwareConcurrency; cpu++) {
          instance.counters(cpu);
        }
      }
      instance.isTracing = false;
    });
  },
);

tracefsTest("Instance names never repeat within a process", async () => {
  await withInstance({}, async (first) => {
    await withInstance({}, (second) => {
      assertNotEquals(first.name, second.name);
      assertEquals(instancesOf().length, 2);
    });
  });
  assertEquals(instancesOf(), []);
});
