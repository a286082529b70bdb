/** Makes events of places in the kernel and in programs, where the kernel can. */

import { errorText } from "../base/errors.ts";
import { Elf } from "./elf.ts";
import {
  isStaleOwner,
  ourselves,
  type Owner,
  type OwnerLookup,
  procOwners,
} from "./instance_name.ts";
import { type CatalogEvent, PROBE_GROUP } from "./naming.ts";
import {
  exists,
  KernelTracingError,
  readFile,
  type Tracefs,
  writeFile,
} from "./tracefs.ts";

/** A place in the kernel. */
export type KernelPlace =
  | { readonly symbol: string; readonly offset?: bigint }
  | { readonly address: bigint };

/** A place in a program. */
export type UserPlace =
  | { readonly kind: "function"; readonly symbol: string }
  /** An SDT instrumentation point. */
  | {
    readonly kind: "tracepoint";
    readonly provider: string;
    readonly name: string;
  };

/** An event that is to be made. */
export type ProbeDefinition =
  | { readonly kind: "probe"; readonly place: KernelPlace }
  /** Two events: `NAME_entry` and `NAME_exit`. */
  | { readonly kind: "function"; readonly place: KernelPlace }
  | {
    readonly kind: "userspace probe";
    /** Absolute path of the program or shared object. */
    readonly path: string;
    readonly place: UserPlace;
  };

/** Where definitions are written: all kinds, or those of programs alone. */
const FILES = ["dynamic_events", "uprobe_events"] as const;

/** Larger programs are not read. */
const PROGRAM_BYTES = 1024 * 1024 * 1024;

/** How many of our events were made so far. */
let made = 0;

function groupOf({ namespace, pid, startTime }: Owner): string {
  return PROBE_GROUP + [namespace, pid, startTime].join("_");
}

function ownerOfGroup(group: string): Owner | undefined {
  if (!group.startsWith(PROBE_GROUP)) return undefined;
  const match = /^(\d+)_(\d+)_(\d+)$/.exec(group.slice(PROBE_GROUP.length));
  if (match === null) return undefined;
  const [, namespace, pid, startTime] = match;
  return { namespace: namespace!, pid: Number(pid), startTime: startTime! };
}

/** The dynamic events of this process. They are there for all instances. */
export class Probes {
  readonly #tracefs: Tracefs;
  readonly #group = groupOf(ourselves());

  constructor(tracefs: Tracefs) {
    this.#tracefs = tracefs;
  }

  /**
   * Makes the events of a definition, which LTTng calls `name`.
   *
   * @throws {KernelTracingError} where the kernel, or the program, has not
   * what it needs.
   */
  add(name: string, definition: ProbeDefinition): CatalogEvent[] {
    const made: CatalogEvent[] = [];
    try {
      for (const { suffix, lines } of linesOf(name, definition)) {
        made.push(this.#make(name, suffix, definition.kind, lines));
      }
    } catch (error) {
      for (const event of made) this.remove(event);
      throw error;
    }
    return made;
  }

  /** Takes an event back; it must be disabled everywhere. */
  remove({ system, name }: CatalogEvent): void {
    try {
      this.#write(`-:${system}/${name}`);
    } catch {
      // An instance that is not yet gone still has it: the next run removes it.
    }
  }

  /** Removes the events of processes that are gone. */
  static removeStale(
    tracefs: Tracefs,
    lookup: OwnerLookup = procOwners,
  ): string[] {
    const probes = new Probes(tracefs);
    const file = probes.#file();
    if (file === undefined) return [];
    const removed: string[] = [];
    for (
      const [, group, name] of readFile(file).matchAll(
        /^[pr]\d*:([^/\s]+)\/(\S+)/gm,
      )
    ) {
      const owner = ownerOfGroup(group!);
      if (owner === undefined || !isStaleOwner(owner, lookup)) continue;
      try {
        probes.#write(`-:${group}/${name}`);
        removed.push(`${group}/${name}`);
      } catch {
        // Still enabled somewhere.
      }
    }
    return removed;
  }

  #make(
    name: string,
    suffix: string,
    kind: ProbeDefinition["kind"],
    lines: readonly string[],
  ): CatalogEvent {
    const event: CatalogEvent = {
      system: this.#group,
      name: `event_${made++}`,
      kind: "probe",
      lttngName: `${name}${suffix}`,
    };
    for (const line of lines) {
      try {
        // Several lines make one event of several places.
        this.#write(line.replace("EVENT", `${event.system}/${event.name}`));
      } catch (error) {
        throw new KernelTracingError(
          `Cannot make a probe of ${name}: ${this.#reason(kind, line, error)}`,
          { cause: error },
        );
      }
    }
    return event;
  }

  #reason(kind: ProbeDefinition["kind"], line: string, error: unknown): string {
    const needed = kind === "userspace probe"
      ? ["uprobe_events", "programs (CONFIG_UPROBE_EVENTS)"] as const
      : ["kprobe_events", "its functions (CONFIG_KPROBE_EVENTS)"] as const;
    if (!exists(`${this.#tracefs.path}/${needed[0]}`)) {
      return `this kernel has no probes of ${needed[1]}`;
    }
    const place = line.slice(line.indexOf(" ") + 1);
    return `the kernel does not take ${place}: ${errorText(error)}`;
  }

  #file(): string | undefined {
    for (const name of FILES) {
      const path = `${this.#tracefs.path}/${name}`;
      if (exists(path)) return path;
    }
    return undefined;
  }

  #write(line: string): void {
    const file = this.#file();
    if (file === undefined) {
      throw new KernelTracingError(
        "this kernel has no dynamic events (CONFIG_UPROBE_EVENTS, " +
          "CONFIG_KPROBE_EVENTS)",
      );
    }
    writeFile(file, `${line}\n`, { append: true });
  }
}

/** Lines that define the events; `EVENT` stands for its name in them. */
function linesOf(
  name: string,
  definition: ProbeDefinition,
): { suffix: string; lines: string[] }[] {
  switch (definition.kind) {
    case "probe":
      return [{
        suffix: "",
        lines: [`p:EVENT ${kernelPlace(definition.place)}`],
      }];
    case "function": {
      const place = kernelPlace(definition.place);
      return [
        { suffix: "_entry", lines: [`p:EVENT ${place}`] },
        { suffix: "_exit", lines: [`r:EVENT ${place}`] },
      ];
    }
    case "userspace probe": {
      const { path, place } = definition;
      const lines = offsetsIn(name, path, place).map((offset) =>
        `p:EVENT ${path}:0x${offset.toString(16)}`
      );
      return [{ suffix: "", lines }];
    }
  }
}

function kernelPlace(place: KernelPlace): string {
  if ("address" in place) return `0x${place.address.toString(16)}`;
  const { symbol, offset = 0n } = place;
  if (!/^[\w.:]+$/.test(symbol)) {
    throw new KernelTracingError(
      `Cannot make a probe of ${JSON.stringify(symbol)}: it is no symbol`,
    );
  }
  return offset === 0n ? symbol : `${symbol}+${offset}`;
}

function offsetsIn(name: string, path: string, place: UserPlace): number[] {
  const beginning = `Cannot make a probe of ${name}: ${path}`;
  if (!path.startsWith("/") || /[\s:]/.test(path)) {
    throw new KernelTracingError(
      `${beginning} is not an absolute path without spaces and colons`,
    );
  }
  try {
    const { size } = Deno.statSync(path);
    if (size > PROGRAM_BYTES) {
      throw new Error(`it has ${size} bytes > ${PROGRAM_BYTES}`);
    }
    const elf = new Elf(Deno.readFileSync(path));
    if (place.kind === "function") return [elf.functionOffset(place.symbol)];
    const places = elf.sdtPlaces(place.provider, place.name);
    if (places.some(({ hasSemaphore }) => hasSemaphore)) {
      throw new Error(
        `"${place.provider}:${place.name}" is guarded by a semaphore, which ` +
          `this tracer does not set`,
      );
    }
    return places.map(({ offset }) => offset);
  } catch (error) {
    throw new KernelTracingError(`${beginning}: ${errorText(error)}`, {
      cause: error,
    });
  }
}
