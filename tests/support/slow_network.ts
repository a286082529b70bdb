/**
 * Two network namespaces, a target's and a relay daemon's, with slow links
 * between them: pairs of virtual interfaces with a token bucket at both ends.
 */

import { run } from "./process.ts";
import { isOnPath } from "./stock.ts";

/** Most bytes that wait before a link: what a modem has, or less. */
const QUEUE_BYTES = 16_000;
/** Not much more than one packet, so that the rate is kept at all times. */
const BURST_BYTES = 2_000;
/** Sockets hold so much for a slow peer: least, at first, most. */
const SEND_BUFFER_BYTES = [4_096, 16_384, 16_384];

/** One end of the links. */
export type NetworkEnd = "target" | "relay";

/** Two namespaces, whose names have this process's id. */
export class SlowNetwork implements AsyncDisposable {
  readonly #names: Readonly<Record<NetworkEnd, string>>;

  private constructor(id: string) {
    this.#names = { target: `lttng-t-${id}`, relay: `lttng-r-${id}` };
  }

  /**
   * Makes both, with one link for each of `rates`, bits a second.
   *
   * @throws {Error} What the kernel, or a container's rules, refuse.
   */
  static async make(rates: readonly number[]): Promise<SlowNetwork> {
    const network = new SlowNetwork(
      `${Deno.pid}-${crypto.randomUUID().slice(0, 4)}`,
    );
    try {
      await network.#make(rates);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The address of a link's end. */
  address(link: number, end: NetworkEnd): string {
    // RFC 5737's: nobody's, anywhere.
    return `192.0.2.${4 * link + (end === "target" ? 1 : 2)}`;
  }

  /** What goes before a command that is to run in there. */
  enter(end: NetworkEnd): string[] {
    // `ip netns exec` would mount another /sys, which has no tracefs.
    return ["nsenter", `--net=/run/netns/${this.#names[end]}`];
  }

  /** Removes the links and both namespaces. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of Object.values(this.#names)) {
      // Links go with one of their ends, as soon as nobody uses it.
      await run({ command: ["ip", "netns", "delete", name] });
    }
  }

  async #make(rates: readonly number[]): Promise<void> {
    const { target, relay } = this.#names;
    for (const name of [target, relay]) {
      await command("ip", "netns", "add", name);
      await command("ip", "-n", name, "link", "set", "lo", "up");
    }
    for (const end of ["target", "relay"] as const) {
      const path = "/proc/sys/net/ipv4/tcp_wmem";
      const script = `echo ${SEND_BUFFER_BYTES.join(" ")} > ${path}`;
      await command(...this.enter(end), "sh", "-c", script);
    }
    for (const [link, rate] of rates.entries()) {
      await command(
        ...["ip", "link", "add", `t${link}`, "netns", target],
        ...["type", "veth", "peer", "name", `r${link}`, "netns", relay],
      );
      await this.#setUp(link, rate, "target");
      await this.#setUp(link, rate, "relay");
    }
  }

  async #setUp(link: number, rate: number, end: NetworkEnd): Promise<void> {
    const name = this.#names[end];
    const device = `${end[0]}${link}`;
    const address = `${this.address(link, end)}/30`;
    await command("ip", "-n", name, "addr", "add", address, "dev", device);
    await command("ip", "-n", name, "link", "set", device, "up");
    await command(
      ...["tc", "-n", name, "qdisc", "add", "dev", device, "root", "tbf"],
      ...["rate", `${rate}bit`, "burst", `${BURST_BYTES}`],
      ...["limit", `${QUEUE_BYTES}`],
    );
  }
}

/** Why there can be no slow network here; `undefined` where it can. */
export async function slowNetworkMissing(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "Needs root";
  const missing = ["ip", "tc", "nsenter"].filter((name) => !isOnPath(name));
  if (missing.length > 0) return `Not installed: ${missing.join(", ")}`;
  try {
    await using _network = await SlowNetwork.make([1_000_000]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function command(...words: string[]): Promise<void> {
  const { code, stderr } = await run({ command: words });
  if (code === 0) return;
  throw new Error(`${words.join(" ")} failed: ${stderr.trim()}`);
}
