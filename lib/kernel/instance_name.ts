/** Names of tracefs instances: they say whose they are, so that another run can clean up. */

/** Begins the name of every instance that is ours. */
const BRAND = "lttng-stream";

/** Longest name of a directory. */
const NAME_BYTES = 255;

/** A process, in a way that another with its number is not it. */
export interface Owner {
  readonly pid: number;
  /** Clock ticks after boot at which it started. */
  readonly startTime: string;
  /** The pid namespace in which the number means something. */
  readonly namespace: string;
}

/** What is known of the process that made an instance. */
export interface OwnerLookup {
  /** This process's pid namespace. */
  readonly namespace: string;
  /** When process `pid` started; `undefined` when there is none. */
  startTimeOf(pid: number): string | undefined;
}

/** The name of an instance of `owner`; `purpose` is for people. */
export function instanceName(
  owner: Owner,
  number: number,
  purpose: string,
): string {
  const { pid, startTime, namespace } = owner;
  const beginning = [BRAND, namespace, pid, startTime, number].join(".");
  const plain = purpose.replace(/[^A-Za-z0-9_-]+/g, "-");
  return `${beginning}.${plain}`.slice(0, NAME_BYTES);
}

/** Who made an instance; `undefined` where it is not ours. */
export function ownerOf(name: string): Owner | undefined {
  const [brand, namespace, pid, startTime, number] = name.split(".");
  if (brand !== BRAND || number === undefined) return undefined;
  if (!/^\d+$/.test(pid!) || !/^\d+$/.test(startTime!)) return undefined;
  return { pid: Number(pid), startTime: startTime!, namespace: namespace! };
}

/** Whether the process that made an instance of ours is known to be gone. */
export function isStale(name: string, lookup: OwnerLookup): boolean {
  const owner = ownerOf(name);
  return owner !== undefined && isStaleOwner(owner, lookup);
}

/** Whether a process is known to be gone. */
export function isStaleOwner(owner: Owner, lookup: OwnerLookup): boolean {
  // The number of another namespace's process says nothing here.
  return owner.namespace === lookup.namespace &&
    lookup.startTimeOf(owner.pid) !== owner.startTime;
}

/** When a process started, of the text of its `stat`: field 22. */
export function startTimeIn(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** What `/proc` knows of processes. */
export const procOwners: OwnerLookup = {
  get namespace(): string {
    try {
      const link = Deno.readLinkSync("/proc/self/ns/pid");
      return /\[(\d+)\]/.exec(link)?.[1] ?? "0";
    } catch {
      return "0";
    }
  },
  startTimeOf(pid: number): string | undefined {
    try {
      return startTimeIn(Deno.readTextFileSync(`/proc/${pid}/stat`));
    } catch {
      return undefined;
    }
  },
};

/** This process. */
export function ourselves(lookup: OwnerLookup = procOwners): Owner {
  return {
    pid: Deno.pid,
    startTime: lookup.startTimeOf(Deno.pid) ?? "0",
    namespace: lookup.namespace,
  };
}
