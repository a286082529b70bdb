/** Where traces and saved sessions go on a real machine. */

import type { Clock } from "../base/clock.ts";
import { asFileUser } from "../os/file_access.ts";
import { homeOfUser } from "../os/identity.ts";
import { sendSnapshot } from "../stream/snapshot.ts";
import type {
  Caller,
  LocalDestination,
  Outputs,
  RelayDestination,
} from "./host.ts";
import { LocalOutput } from "./local_output.ts";
import { type AsOwner, makeDirectory } from "./local_stream.ts";
import type { TraceOutput } from "./output.ts";
import { RelayOutput } from "./relay_output.ts";
import type { SnapshotContent } from "./snapshot_ring.ts";

/** Directory of the kernel's trace below a session's. */
const DOMAIN = "kernel";
/** How long connecting to a relay daemon may take (ms). */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long a relay daemon may take to store a snapshot (ms). */
const SNAPSHOT_TIMEOUT_MS = 60_000;
const FILE_MODE = 0o660;

/** What a real machine's outputs need. */
export interface SystemOutputsOptions {
  readonly clock: Clock;
  /** Name of this machine. */
  readonly hostname: string;
  /** Whether the daemon can act as another user: it runs as root. */
  readonly isRoot: boolean;
}

/** Outputs on this machine, and on relay daemons. */
export class SystemOutputs implements Outputs {
  readonly #options: SystemOutputsOptions;

  constructor(options: SystemOutputsOptions) {
    this.#options = options;
  }

  openLocal({ path, owner }: LocalDestination): TraceOutput {
    return this.#open(path, owner, true);
  }

  async connectRelay(
    destination: RelayDestination,
    signal: AbortSignal,
  ): Promise<TraceOutput> {
    return await RelayOutput.connect({
      ...destination,
      sender: this.#options.hostname,
      domain: DOMAIN,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      signal,
    });
  }

  async writeSnapshot(
    { path, owner }: LocalDestination,
    content: SnapshotContent,
  ): Promise<void> {
    const output = this.#open(path, owner, false);
    try {
      await output.writeMetadata(content.metadata);
      for (const { name, packets } of content.streams) {
        const stream = await output.openStream(name, {
          traceFileSize: 0n,
          traceFileCount: 0n,
        });
        for (const packet of packets) {
          await stream.writePacket(packet.content, packet.info);
        }
      }
    } finally {
      await output.close();
    }
  }

  async sendSnapshot(
    destination: RelayDestination,
    name: string,
    content: SnapshotContent,
  ): Promise<void> {
    const { basePath } = destination;
    const { report } = await sendSnapshot({
      hostname: destination.hostname,
      controlPort: destination.controlPort,
      dataPort: destination.dataPort,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      timeoutMs: SNAPSHOT_TIMEOUT_MS,
      name,
      session: {
        name: destination.session,
        hostname: this.#options.hostname,
        creationTime: new Date(destination.creationTime),
        nameContainsCreationTime: destination.nameContainsCreationTime,
        ...(basePath === "" ? {} : { basePath }),
      },
      traces: [{
        pathname: DOMAIN,
        metadata: content.metadata,
        streams: content.streams.map(({ name, packets }) => ({
          name,
          packets: packets.map(({ content, info }) => ({
            content,
            index: info,
          })),
        })),
      }],
    });
    if (report.stored) return;
    throw new Error(
      `The relay daemon has not stored it within ${report.waitedMs} ms`,
    );
  }

  save(owner: Caller, path: string, text: string, overwrite: boolean): void {
    this.#asOwner(owner)(() => {
      makeDirectory(path.slice(0, path.lastIndexOf("/")));
      // In full or not at all: a reader never sees half of it.
      const draft = `${path}.${crypto.randomUUID()}.part`;
      Deno.writeTextFileSync(draft, text, { createNew: true, mode: FILE_MODE });
      try {
        if (overwrite) Deno.renameSync(draft, path);
        else Deno.linkSync(draft, path);
      } finally {
        removeIfThere(draft);
      }
    });
  }

  mayRead(caller: Caller, path: string): boolean {
    try {
      this.#asOwner(caller)(() => Deno.openSync(path).close());
      return true;
    } catch {
      return false;
    }
  }

  homeOf(uid: number): string | undefined {
    return homeOfUser(uid);
  }

  #open(path: string, owner: Caller, hasIndex: boolean): LocalOutput {
    return new LocalOutput({
      path,
      domain: DOMAIN,
      clock: this.#options.clock,
      asOwner: this.#asOwner(owner),
      hasIndex,
    });
  }

  /** Root's own, and a user's own, need nothing. */
  #asOwner({ uid, gid }: Caller): AsOwner {
    if (!this.#options.isRoot || uid === 0) return (use) => use();
    return (use) => asFileUser(uid, gid, use);
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
