/** Runs the load generator, and reads what it reports. */

import { TextLineStream } from "@std/streams";
import type { Load } from "./rows.ts";

/** The ports that a relay daemon under test listens on, on loopback. */
export interface Ports {
  readonly control: number;
  readonly data: number;
  readonly live: number;
}

/** What the generator measured while it sent packets. */
export interface Report {
  readonly bytes: number;
  readonly packets: number;
  readonly packets_per_session: number;
  readonly events_per_packet: number;
  /** From the first packet until DATA_PENDING says that all is stored. */
  readonly seconds: number;
  /** Median time from SEND_INDEX to its reply. */
  readonly index_p50_us: number;
  readonly index_p99_us: number;
  /** Processor time of the generator itself. */
  readonly cpu_seconds: number;
  /** The congestion control that its sockets really use. */
  readonly congestion: string;
}

/** Reported once all sessions are set up. */
export interface SetupReport {
  readonly sessions: number;
  readonly setup_seconds: number;
}

/** Gives the generator's arguments for a load. */
function generatorArguments(load: Load, ports: Ports): string[] {
  const values: Record<string, string | number> = {
    control: `127.0.0.1:${ports.control}`,
    data: `127.0.0.1:${ports.data}`,
    name: load.sessionName ?? "load",
    sessions: load.sessions,
    streams: load.streams,
    "packet-size": load.packetSize,
    window: load.window,
    bytes: load.bytes,
    "tracefile-size": load.ring?.size ?? 0,
    "tracefile-count": load.ring?.count ?? 0,
  };
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/**
 * Runs one load to its end.
 *
 * @param executable The compiled generator
 * @param load What to send
 * @param ports Where the relay daemon listens
 * @param options.limitMs Milliseconds after which the generator is killed
 * @param options.whenSetUp Called while all sessions are open and silent
 * @param options.whenStored Called when all is stored and sessions still open
 * @returns What it measured
 * @throws {Error} If the generator fails or runs into the limit
 */
export async function runLoad(
  executable: string,
  load: Load,
  ports: Ports,
  { limitMs, whenSetUp, whenStored }: {
    limitMs: number;
    whenSetUp?: () => Promise<void>;
    whenStored?: () => void;
  },
): Promise<{ report: Report; setup: SetupReport }> {
  const child = new Deno.Command(executable, {
    args: generatorArguments(load, ports),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    child.kill("SIGKILL");
  }, limitMs);
  const complaint = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const writer = child.stdin.getWriter();
  const proceed = () => writer.write(new TextEncoder().encode("\n"));
  const next = async () => {
    const { value } = await lines.read();
    if (value !== undefined) return JSON.parse(value);
    await child.status;
    throw new Error(
      expired
        ? `The load generator did not end: killed after ${limitMs} ms`
        : `The load failed: ${(await complaint).trim()}`,
    );
  };
  try {
    const setup: SetupReport = await next();
    await whenSetUp?.();
    await proceed();
    const report: Report = await next();
    whenStored?.();
    await proceed();
    const { success } = await child.status;
    if (!success) {
      throw new Error(`The load failed: ${(await complaint).trim()}`);
    }
    return { setup, report };
  } finally {
    clearTimeout(timer);
    await writer.close().catch(() => {});
    await lines.cancel();
  }
}
