/** Context fields by the names that `lttng add-context` has for them. */

import { type ContextBlock, ContextType } from "../wire/sessiond/recording.ts";
import { controlError } from "./errors.ts";

/** The numbers of the contexts that are only a name. */
const plainContexts: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ pid: 0, procname: 2, prio: 3, nice: 4, vpid: 5, tid: 6 },
    ...{ pthread_id: 10, vtid: 7, ppid: 8, vppid: 9, hostname: 11, ip: 12 },
    ...{ interruptible: 16, preemptible: 17, need_reschedule: 18 },
    ...{ migratable: 19, "callstack-kernel": 20, "callstack-user": 21 },
    ...{ cgroup_ns: 22, ipc_ns: 23, mnt_ns: 24, net_ns: 25, pid_ns: 26 },
    ...{
      time_ns: 41,
      user_ns: 27,
      uts_ns: 28,
      uid: 29,
      euid: 30,
      suid: 31,
      gid: 32,
    },
    ...{ egid: 33, sgid: 34, vuid: 35, veuid: 36, vsuid: 37, vgid: 38 },
    ...{ vegid: 39, vsgid: 40 },
  }),
);

/** What counts: the processor, the kernel, a cache, a raw event. */
const CounterType = { HARDWARE: 0, SOFTWARE: 1, CACHE: 3, RAW: 4 } as const;

const hardwareCounters: Readonly<Record<string, number>> = {
  ...{ "cpu-cycles": 0, cycles: 0 },
  ...{ "stalled-cycles-frontend": 7, "idle-cycles-frontend": 7 },
  ...{ "stalled-cycles-backend": 8, "idle-cycles-backend": 8 },
  ...{ instructions: 1, "cache-references": 2, "cache-misses": 3 },
  ...{ "branch-instructions": 4, branches: 4, "branch-misses": 5 },
  ...{ "bus-cycles": 6 },
};

const softwareCounters: Readonly<Record<string, number>> = {
  ...{ "cpu-clock": 0, "task-clock": 1, "page-fault": 2, faults: 2 },
  ...{ "major-faults": 6, "minor-faults": 5 },
  ...{ "context-switches": 3, cs: 3, "cpu-migrations": 4, migrations: 4 },
  ...{ "alignment-faults": 7, "emulation-faults": 8 },
};

/** Caches, and what can be asked of each: reads, writes, prefetches. */
const caches: readonly (readonly [string, number, string])[] = [
  ["L1-dcache", 0, "rwp"],
  ["L1-icache", 1, "rwp"],
  ["LLC", 2, "rwp"],
  ["dTLB", 3, "rwp"],
  ["iTLB", 4, "r"],
  ["branch", 5, "r"],
];
const accesses: readonly (readonly [string, string, string, number])[] = [
  ["r", "loads", "load-misses", 0],
  ["w", "stores", "store-misses", 1],
  ["p", "prefetches", "prefetch-misses", 2],
];

interface Counter {
  readonly type: number;
  readonly config: bigint;
}

const counters: ReadonlyMap<string, Counter> = new Map([
  ...counterEntries(CounterType.HARDWARE, hardwareCounters),
  ...cacheEntries(),
  ...counterEntries(CounterType.SOFTWARE, softwareCounters),
]);

function counterEntries(
  type: number,
  configs: Readonly<Record<string, number>>,
): [string, Counter][] {
  return Object.entries(configs).map((
    [name, config],
  ) => [name, { type, config: BigInt(config) }]);
}

function cacheEntries(): [string, Counter][] {
  const type = CounterType.CACHE;
  return caches.flatMap(([cache, number, kinds]) =>
    accesses.filter(([kind]) => kinds.includes(kind)).flatMap((
      [, hits, misses, access],
    ): [string, Counter][] => {
      const config = BigInt(number | access << 8);
      return [
        [`${cache}-${hits}`, { type, config }],
        [`${cache}-${misses}`, { type, config: config | 1n << 16n }],
      ];
    })
  );
}

/**
 * Every name that {@linkcode parseContext} knows, but for raw counters, in the
 * order of `lttng add-context --list`.
 */
export function contextNames(): string[] {
  const perf = ["cpu", "thread"].flatMap((where) =>
    [...counters.keys()].map((name) => `perf:${where}:${name}`)
  );
  return [...plainContexts.keys(), ...perf];
}

/**
 * The context field called `name`: `vpid`, `perf:thread:cycles`,
 * `perf:cpu:raw:r1a8:NAME`, `$app.PROVIDER:NAME`; of a processor's counter
 * also `perf:cycles`, as before LTTng 2.6.
 *
 * @throws {ControlError} INVALID for a name that is unknown.
 */
export function parseContext(name: string): ContextBlock {
  const none = {
    ...{ counterType: 0, counterConfig: 0n, counterName: "" },
    ...{ provider: "", name: "" },
  };
  const type = plainContexts.get(name);
  if (type !== undefined) return { ...none, type };
  const [, provider, field] = /^\$app\.([^:]+):(.+)$/.exec(name) ?? [];
  if (provider !== undefined && field !== undefined) {
    return { ...none, type: ContextType.APPLICATION, provider, name: field };
  }
  const [, where, event = ""] = /^perf:(?:(cpu|thread):)?(.+)$/.exec(name) ??
    [];
  const counter = where === undefined ? counters.get(event) : counterOf(event);
  if (counter === undefined) {
    throw controlError("INVALID", `unknown context type ${name}`);
  }
  return {
    ...none,
    type: perfTypes[where ?? ""]!,
    counterType: counter.type,
    counterConfig: counter.config,
    counterName: name.replaceAll(/[:-]/g, "_"),
  };
}

/** Types by what stands behind `perf:`; nothing does until LTTng 2.6. */
const perfTypes: Readonly<Record<string, number>> = {
  "": ContextType.PERF,
  cpu: ContextType.PERF_CPU,
  thread: ContextType.PERF_THREAD,
};

function counterOf(event: string): Counter | undefined {
  const raw = /^raw:r([0-9a-fA-F]+):.+$/.exec(event)?.[1];
  if (raw === undefined) return counters.get(event);
  return { type: CounterType.RAW, config: BigInt(`0x${raw}`) };
}
