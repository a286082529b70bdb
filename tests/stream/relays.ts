/** Runs a test against each relay daemon there is: the stock one and ours. */

import {
  freePorts,
  hasIpv6,
  type RelayProcess,
} from "../support/relay_process.ts";
import {
  type RelayKind,
  type RelayOptions,
  startRelay,
} from "../support/relay_process.ts";
import { run } from "../support/process.ts";
import { stockMissing } from "../support/stock.ts";
import { RelayClient } from "../../lib/stream/relay_client.ts";
import type { RelayClientOptions } from "../../lib/stream/client_options.ts";
import type {
  RelayStream,
  SessionOptions,
} from "../../lib/stream/relay_stream.ts";
import { metadata, type SampleOptions, samplePacket } from "./sample_trace.ts";

export { freePorts, hasIpv6 };

/** Host name of every session here. */
export const HOST = "testhost";
/** Directory of every trace below its session's. */
export const PATHNAME = "ust/uid/0/64-bit";

const ours = new URL("../../relayd.ts", import.meta.url);

function missing(kind: RelayKind): string | undefined {
  if (kind === "stock") return stockMissing("lttng-relayd", "babeltrace2");
  try {
    Deno.statSync(ours);
    return stockMissing("babeltrace2");
  } catch {
    return "There is no relayd.ts";
  }
}

function programs(): string[] {
  const compiled = Deno.env.get("RELAYD_BIN") ?? "";
  return [
    ...["lttng-relayd", "babeltrace2", Deno.execPath()],
    ...(compiled === "" ? [] : [compiled]),
  ];
}

/** How a test is run. */
export interface EachRelayOptions extends RelayOptions {
  readonly only?: RelayKind;
  readonly skip?: string | undefined;
}

/** Defines `name` once for each relay daemon. */
export function eachRelay(
  name: string,
  fn: (relay: RelayProcess) => Promise<void>,
  options: EachRelayOptions = {},
): void {
  for (const kind of ["stock", "ours"] as const) {
    if (options.only !== undefined && options.only !== kind) continue;
    const title = `${name} (${kind} relay daemon)`;
    const reason = missing(kind) ?? options.skip;
    if (reason !== undefined) console.log(`Skipped: ${title}: ${reason}`);
    Deno.test({
      name: title,
      ignore: reason !== undefined,
      permissions: {
        net: ["127.0.0.1", "[::1]"],
        run: programs(),
        read: true,
        write: true,
        env: true,
      },
      fn: async () => {
        await using relay = await startRelay(kind, options);
        await fn(relay);
      },
    });
  }
}

/** Connects a client to a relay daemon under test. */
export async function connectTo(
  relay: RelayProcess,
  options: Partial<RelayClientOptions> = {},
): Promise<RelayClient> {
  return await RelayClient.connect({
    hostname: relay.hostname,
    controlPort: relay.ports.control,
    dataPort: relay.ports.data,
    ...options,
  });
}

/** A session with one data stream and metadata, ready for packets. */
export interface Ready {
  readonly stream: RelayStream;
  readonly metadataStream: RelayStream;
  /** Absolute path of the session's directory. */
  readonly output: string;
}

/** Creates session, chunk, streams and metadata, as the minor allows. */
export async function prepare(
  relay: RelayProcess,
  client: RelayClient,
  session: Partial<SessionOptions> = {},
): Promise<Ready> {
  const { outputPath } = await client.createSession({
    name: "demo",
    hostname: HOST,
    ...session,
  });
  if (client.minor >= 11) await client.createTraceChunk();
  const stream = await client.addStream({ name: "ch0_0", pathname: PATHNAME });
  const metadataStream = await client.addStream({
    name: "metadata",
    pathname: PATHNAME,
  });
  if (client.minor >= 4) await client.streamsSent();
  await client.sendMetadata(metadataStream, metadata);
  return { stream, metadataStream, output: `${relay.output}/${outputPath}` };
}

/** Sends one sample packet. */
export async function send(
  client: RelayClient,
  stream: RelayStream,
  options: SampleOptions,
): Promise<void> {
  const { content, index } = samplePacket(options);
  await client.sendPacket(stream, content, index);
}

/** The `n` of every event that babeltrace2 reads below a directory. */
export async function readEvents(directory: string): Promise<number[]> {
  const { code, stdout, stderr } = await run({
    command: ["babeltrace2", directory],
  });
  if (code !== 0) throw new Error(`babeltrace2 failed: ${stderr}`);
  return [...stdout.matchAll(/tick: .*\{ n = (\d+) \}/g)]
    .map((match) => Number(match[1]));
}

/** 0, 1, … `count - 1`. */
export function upTo(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Files below a directory with their sizes: `index/ch0_0.idx 88`. */
export async function files(directory: string): Promise<string[]> {
  const found: string[] = [];
  async function walk(path: string, prefix: string): Promise<void> {
    for await (const entry of Deno.readDir(path)) {
      const name = prefix + entry.name;
      if (entry.isDirectory) await walk(`${path}/${entry.name}`, `${name}/`);
      else {found.push(
          `${name} ${(await Deno.stat(`${path}/${entry.name}`)).size}`,
        );}
    }
  }
  await walk(directory, "");
  return found.sort();
}
