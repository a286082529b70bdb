/** The real `relayd` in a process of its own, where its disk can be limited. */

import { ChildProgram, waitFor } from "../../support/process.ts";
import { RawPeer } from "../../support/raw_peer.ts";
import { chooseRelayPorts } from "../../support/relay_process.ts";
import type { Connectable } from "./relay.ts";

const START_MILLISECONDS = 20_000;
const SCRIPT = new URL("../../../relayd.ts", import.meta.url).pathname;

/** Where the output directory gets a small file system of its own. */
export interface SmallDisk {
  /** First directory below the output directory: a host name. */
  readonly host: string;
  readonly bytes: number;
}

/** A relay daemon as a program. */
export class Daemon implements Connectable, AsyncDisposable {
  readonly #home = Deno.makeTempDirSync({ prefix: "relayd-fault-" });
  readonly #output = `${this.#home}/out`;
  readonly #ports = chooseRelayPorts();
  readonly child: ChildProgram;

  private constructor(disk: SmallDisk | undefined) {
    const { control, data, live } = this.#ports;
    const relayd = [
      ...[Deno.execPath(), "run", "--quiet", "--no-check", "-A", SCRIPT],
      ...["-C", `tcp://127.0.0.1:${control}`],
      ...["-D", `tcp://127.0.0.1:${data}`],
      ...["-L", `tcp://127.0.0.1:${live}`],
      ...["-o", this.#output],
    ];
    let command = relayd;
    if (disk !== undefined) {
      const mounted = `${this.#output}/${disk.host}`;
      Deno.mkdirSync(mounted, { recursive: true });
      const script = `mount -t tmpfs -o size=${disk.bytes} tmpfs "$0" && ` +
        'exec "$@"';
      command = ["unshare", "-m", "sh", "-c", script, mounted, ...relayd];
    } else {
      Deno.mkdirSync(this.#output);
    }
    this.child = new ChildProgram({
      command,
      env: {
        LTTNG_HOME: this.#home,
        LTTNG_RELAYD_HEALTH: `${this.#home}/health`,
      },
    });
  }

  /** Returns when it accepts. */
  static async start(disk?: SmallDisk): Promise<Daemon> {
    const daemon = new Daemon(disk);
    try {
      await waitFor("relayd accepts", async () => {
        if (!daemon.child.running) throw new Error(daemon.log);
        try {
          (await daemon.connect("live")).close();
          return true;
        } catch {
          return false;
        }
      }, START_MILLISECONDS);
      return daemon;
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
  }

  get log(): string {
    return this.child.stdout + this.child.stderr;
  }

  /** Its output directory, as it sees it, while it runs. */
  get output(): string {
    return `/proc/${this.child.pid}/root${this.#output}`;
  }

  /** Its output directory after its end; a small disk is gone then. */
  get outputAfterEnd(): string {
    return this.#output;
  }

  connect(port: "control" | "data" | "live"): Promise<RawPeer> {
    return RawPeer.connect({ port: this.#ports[port] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.kill();
    Deno.removeSync(this.#home, { recursive: true });
  }
}

/**
 * Why no small disk can be had here; undefined where it can.
 *
 * @throws {Error} Where it must be possible: as root, in CI.
 */
export function smallDiskMissing(): string | undefined {
  if (Deno.build.os !== "linux") return "Needs Linux mount namespaces";
  let error: string;
  try {
    const { success, stderr } = new Deno.Command("unshare", {
      args: ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
      stdout: "null",
      stderr: "piped",
    }).outputSync();
    if (success) return undefined;
    error = new TextDecoder().decode(stderr).trim();
  } catch (cause) {
    error = String(cause);
  }
  const reason = `Cannot mount in a private namespace: ${error}`;
  const root = Deno.uid() === 0;
  if (root && Deno.env.get("LTTNG_TESTS") === "require-stock") {
    throw new Error(reason);
  }
  return reason;
}

/** Makes a directory take no new files until disposed. */
export class ReadOnly implements Disposable {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    change(path, true);
  }

  [Symbol.dispose](): void {
    change(this.#path, false);
  }

  /** Why that cannot be done here; undefined where it can. */
  static missing(): string | undefined {
    if (Deno.build.os !== "linux") return "Needs Linux";
    const directory = Deno.makeTempDirSync();
    try {
      new ReadOnly(directory)[Symbol.dispose]();
      return undefined;
    } catch (error) {
      return `Root writes everywhere, and: ${error}`;
    } finally {
      Deno.removeSync(directory);
    }
  }
}

/** Modes do not stop root, but the immutable attribute does. */
function change(path: string, readOnly: boolean): void {
  if (Deno.uid() !== 0) {
    Deno.chmodSync(path, readOnly ? 0o500 : 0o700);
    return;
  }
  const { success, stderr } = new Deno.Command("chattr", {
    args: [readOnly ? "+i" : "-i", path],
    stderr: "piped",
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
