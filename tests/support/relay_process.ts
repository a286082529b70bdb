/** Starts a relay daemon under test, the stock one or ours, on free loopback ports. */

import { ChildProgram, waitFor } from "./process.ts";

/** Which relay daemon: stock lttng-relayd, or this project's. */
export type RelayKind = "stock" | "ours";

/** Loopback addresses a relay daemon can be bound to. */
export type Loopback = "127.0.0.1" | "::1";

/** Where and how a relay daemon under test runs. */
export interface RelayOptions {
  /** Address of its three ports. */
  readonly hostname?: Loopback;
  /** Output directory; a temporary one, removed at disposal, if absent. */
  readonly output?: string;
  /** Options after the ports and the output directory. */
  readonly args?: readonly string[];
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ports to reuse, for a daemon started again in place of another. */
  readonly ports?: RelayPorts;
  /**
   * What goes before its command, to run it in a network namespace. It listens
   * at every address there; `hostname` is not used.
   */
  readonly enter?: readonly string[];
}

/** The three ports of a relay daemon. */
export interface RelayPorts {
  readonly control: number;
  readonly data: number;
  readonly live: number;
}

/** A new daemon that loses a port to somebody else is started this often. */
const START_ATTEMPTS = 3;
const START_MILLISECONDS = 20_000;
/** State of a socket in `/proc/PID/net/tcp`. */
const LISTENING = "0A";

/** Distinct TCP ports that were free a moment ago. */
export function freePorts(
  count: number,
  hostname: Loopback = "127.0.0.1",
): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname, port: 0 }),
  );
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** Whether a TCP connection to the port is accepted. */
export async function accepts(
  hostname: Loopback,
  port: number,
): Promise<boolean> {
  try {
    const connection = await Deno.connect({ hostname, port });
    connection.close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Whether a daemon of this network namespace accepts at that port. */
function acceptsAt(
  { hostname }: RelayProcess,
  port: number,
): Promise<boolean> {
  return accepts(hostname, port);
}

/** Whether a daemon of another network namespace listens at an IPv4 port. */
function listensAt({ child }: RelayProcess, port: number): boolean {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const path = `/proc/${child.pid}/net/tcp`;
  return Deno.readTextFileSync(path).split("\n").some((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    return local.endsWith(end) && state === LISTENING;
  });
}

/** Whether this machine has the IPv6 loopback address. */
export function hasIpv6(): boolean {
  try {
    freePorts(1, "::1");
    return true;
  } catch {
    return false;
  }
}

/** A running relay daemon. */
export class RelayProcess implements AsyncDisposable {
  constructor(
    readonly kind: RelayKind,
    readonly hostname: Loopback,
    readonly ports: RelayPorts,
    /** Absolute path of its output directory. */
    readonly output: string,
    readonly child: ChildProgram,
    readonly owned: readonly string[],
  ) {}

  /** Everything the daemon printed so far. */
  get log(): string {
    return this.child.stdout + this.child.stderr;
  }

  /** The `--set-url` value that streams to this daemon, `path` included. */
  url(path = ""): string {
    return relayUrl(this.hostname, this.ports, path);
  }

  /** Ends the daemon with SIGTERM, bounded, and returns its status. */
  stop(): Promise<Deno.CommandStatus> {
    return this.child.stop();
  }

  /** Kills the daemon with SIGKILL. */
  kill(): Promise<void> {
    return this.child.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.kill();
    for (const path of this.owned) {
      await Deno.remove(path, { recursive: true });
    }
  }
}

/** The URL of a relay daemon as `lttng --set-url` takes it. */
export function relayUrl(
  hostname: Loopback,
  ports: Pick<RelayPorts, "control" | "data">,
  path = "",
): string {
  const authority = hostname === "::1" ? "net6://[::1]" : `net://${hostname}`;
  const end = path === "" ? "" : `/${path}`;
  return `${authority}:${ports.control}:${ports.data}${end}`;
}

/** Starts a relay daemon and returns once its three ports accept. */
export async function startRelay(
  kind: RelayKind,
  options: RelayOptions = {},
): Promise<RelayProcess> {
  for (let attempt = 1;; attempt++) {
    try {
      return await startOnce(kind, options);
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(
  kind: RelayKind,
  options: RelayOptions,
): Promise<RelayProcess> {
  const hostname = options.hostname ?? "127.0.0.1";
  const ports = options.ports ?? chooseRelayPorts(hostname);
  const home = await Deno.makeTempDir({ prefix: "relayd-home-" });
  const output = options.output ??
    await Deno.makeTempDir({ prefix: "relayd-output-" });
  const child = new ChildProgram({
    command: [
      ...options.enter ?? [],
      ...relayCommand(kind),
      ...portArguments(options.enter ? "0.0.0.0" : hostname, ports),
      ...["-o", output],
      ...(options.args ?? []),
    ],
    env: {
      LTTNG_HOME: home,
      // Away from the run directory that root's daemons share.
      LTTNG_RELAYD_HEALTH: `${home}/health`,
      ...options.env,
    },
  });
  const owned = options.output === undefined ? [home, output] : [home];
  const relay = new RelayProcess(kind, hostname, ports, output, child, owned);
  try {
    const isElsewhere = options.enter !== undefined;
    await waitUntilReady(relay, isElsewhere ? listensAt : acceptsAt);
    return relay;
  } catch (error) {
    await relay[Symbol.asyncDispose]();
    throw error;
  }
}

/** Three free ports for a relay daemon. */
export function chooseRelayPorts(hostname: Loopback = "127.0.0.1"): RelayPorts {
  const [control = 0, data = 0, live = 0] = freePorts(3, hostname);
  return { control, data, live };
}

async function waitUntilReady(
  relay: RelayProcess,
  isReady: (relay: RelayProcess, port: number) => boolean | Promise<boolean>,
): Promise<void> {
  const { control, data, live } = relay.ports;
  for (const port of [control, data, live]) {
    await waitFor(
      `${relay.kind} relay daemon accepts on port ${port}`,
      async () => {
        if (!relay.child.running) {
          throw new Error(`Relay daemon ended at start: ${relay.log}`);
        }
        return await isReady(relay, port);
      },
      START_MILLISECONDS,
    );
  }
}

/** The program, without options: `RELAYD_BIN` names a compiled `relayd`. */
function relayCommand(kind: RelayKind): string[] {
  if (kind === "stock") return ["lttng-relayd"];
  const binary = Deno.env.get("RELAYD_BIN");
  if (binary !== undefined && binary !== "") return [binary];
  const script = new URL("../../relayd.ts", import.meta.url);
  return [Deno.execPath(), "run", "--quiet", "-A", script.pathname];
}

function portArguments(hostname: string, ports: RelayPorts): string[] {
  const base = hostname === "::1" ? "tcp6://[::1]" : `tcp://${hostname}`;
  return [
    ...["-C", `${base}:${ports.control}`],
    ...["-D", `${base}:${ports.data}`],
    ...["-L", `${base}:${ports.live}`],
  ];
}
