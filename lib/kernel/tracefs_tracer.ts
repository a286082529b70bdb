/** The kernel tracer that needs no module of its own: tracefs in, LTTng's traces out. */

import { Instance } from "./instance.ts";
import type {
  KernelEventDescription,
  KernelFieldDescription,
  KernelListingKind,
  KernelRecording,
  KernelRecordingOptions,
  KernelTracer,
} from "./kernel_tracer.ts";
import { type EventCatalog, syscallName } from "./naming.ts";
import { planEvent } from "./plan.ts";
import { Probes } from "./probes.ts";
import { Recording } from "./recording.ts";
import { KernelTracingError, readLayout, Tracefs } from "./tracefs.ts";

/** What {@linkcode TracefsTracer} is made of. */
export interface TracefsTracerOptions {
  /** Directory of tracefs. Default: where it is mounted. */
  readonly path?: string;
}

/** Traces the kernel of this machine. Needs to be root. */
export class TracefsTracer implements KernelTracer {
  readonly #options: TracefsTracerOptions;

  /** Looks at nothing yet: what is wrong shows in the first call. */
  constructor(options: TracefsTracerOptions = {}) {
    this.#options = options;
  }

  /** Directory of the tracefs that it uses. @throws {KernelTracingError} */
  get path(): string {
    return this.#options.path ?? Tracefs.find();
  }

  list(kind: KernelListingKind): KernelEventDescription[] {
    const { events } = this.#open().catalog;
    const names = new Set<string>();
    for (const event of events) {
      const syscall = syscallName(event);
      if (kind === "tracepoint" && syscall === undefined) {
        names.add(event.lttngName);
      } else if (kind === "syscall" && syscall !== undefined) {
        names.add(syscall);
      }
    }
    return [...names].sort().map((name) => ({ name, kind }));
  }

  fields(name: string): KernelFieldDescription[] {
    const { tracefs, catalog } = this.#open();
    const event = catalog.get(name) ?? catalog.get(`syscall_entry_${name}`);
    if (event === undefined) {
      throw new KernelTracingError(
        `Cannot list the fields of ${name}: this kernel has no such event`,
      );
    }
    const layout = readLayout(tracefs.path);
    const { fields } = planEvent(event, tracefs.format(event), layout);
    return fields.map(({ name, type }) => ({ name, type }));
  }

  record(options: KernelRecordingOptions): KernelRecording {
    const { tracefs, catalog } = this.#open();
    return new Recording(tracefs, catalog, options);
  }

  /**
   * Removes the ring buffers and probes that processes which ended left behind; returns
   * their names. Every recording begins with that too.
   */
  cleanUp(): string[] {
    const { tracefs } = this.#open();
    return [...Instance.removeStale(tracefs), ...Probes.removeStale(tracefs)];
  }

  #open(): { tracefs: Tracefs; catalog: EventCatalog } {
    const tracefs = Tracefs.open(this.#options.path);
    return { tracefs, catalog: tracefs.catalog() };
  }
}
