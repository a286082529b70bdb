/**
 * Runs one scenario against the stock relay daemon and ours and compares what
 * they leave: file trees, metadata, and the events that babeltrace2 reads.
 */

import { assert, assertEquals } from "@std/assert";
import {
  assertSameOutcome,
  type Comparison,
  countEvents,
  type Outcome,
  type TraceReading,
} from "./comparison.ts";
import { readTrace } from "../support/babeltrace.ts";
import { waitFor } from "../support/process.ts";
import { type ProxyOptions, RelayProxy } from "../support/proxy.ts";
import {
  type Loopback,
  type RelayKind,
  type RelayProcess,
  relayUrl,
  startRelay,
} from "../support/relay_process.ts";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import {
  describeTree,
  listTree,
  normalisePath,
  settle,
  traceDirectories,
} from "../support/trees.ts";
import {
  UST_EVENT,
  UST_PROGRAMS,
  type UstApplication,
  ustMissing,
} from "../support/ust_app.ts";

/** Programs that every scenario needs. */
export const PROGRAMS: readonly string[] = [
  ...SESSIOND_PROGRAMS,
  ...UST_PROGRAMS,
  "lttng-relayd",
  "babeltrace2",
];

/** One row of a table of scenarios. */
export interface Scenario {
  /** A sentence: what the relay daemon does when. */
  readonly name: string;
  /** What the operator and the applications do; the same for both daemons. */
  readonly script: (world: World) => Promise<void>;
  /** How many events must be readable at the end; absent if that varies. */
  readonly events?: number;
  /** Options of the relay daemon. */
  readonly relayArgs?: readonly string[];
  /** Address to which the relay daemon is bound; 127.0.0.1 if absent. */
  readonly hostname?: Loopback;
  /** A slow way to the relay daemon; see `RelayProxy`. */
  readonly proxy?: ProxyOptions;
  /** How much is compared; `packets` if absent. */
  readonly compare?: Comparison;
  /** Why the stock relay daemon cannot do this: only ours is run. */
  readonly oursOnly?: string;
  /** Why this cannot run on this machine. */
  readonly skip?: string | undefined;
  /** More that must hold for our relay daemon and, if run, the stock one. */
  readonly check?: (outcome: Outcome) => void;
}

/** How an application's events reach the relay daemon in a session. */
export interface ChannelOptions {
  /** Arguments of `lttng enable-channel` after domain and name. */
  readonly channel?: readonly string[];
  /** Arguments of `lttng create`, in place of only `--set-url`. */
  readonly create?: readonly string[];
}

const PATHS_MILLISECONDS = 30_000;

/** What of a scenario decides how its world is built. */
type Surroundings = Pick<Scenario, "relayArgs" | "hostname" | "proxy">;

/** One relay daemon, one session daemon, and what a script does with them. */
export class World implements AsyncDisposable {
  readonly notes: string[] = [];
  readonly #proxy: RelayProxy | undefined;

  private constructor(
    readonly kind: RelayKind,
    readonly scenario: Surroundings,
    /** Output directory of the relay daemon. */
    readonly output: string,
    readonly sessiond: Sessiond,
    public relay: RelayProcess,
  ) {
    if (scenario.proxy) {
      this.#proxy = new RelayProxy(relay.ports, scenario.proxy);
    }
  }

  static async start(
    kind: RelayKind,
    scenario: Surroundings,
  ): Promise<World> {
    const hostname = scenario.hostname ?? "127.0.0.1";
    const output = await Deno.makeTempDir({ prefix: "lttng-e2e-" });
    try {
      const relay = await startRelay(kind, {
        output,
        hostname,
        args: scenario.relayArgs ?? [],
      });
      try {
        const sessiond = await startSessiond();
        return new World(kind, scenario, output, sessiond, relay);
      } catch (error) {
        await relay[Symbol.asyncDispose]();
        throw error;
      }
    } catch (error) {
      await Deno.remove(output, { recursive: true });
      throw error;
    }
  }

  /** The `--set-url` value that streams to the relay daemon. */
  url(path = ""): string {
    const ports = this.#proxy?.ports ?? this.relay.ports;
    return relayUrl(this.relay.hostname, ports, path);
  }

  /** Runs `lttng ARGUMENTS`; a failure ends the scenario. */
  lttng(...args: string[]): Promise<string> {
    return this.sessiond.lttng(...args);
  }

  /** Starts an application that registers with the session daemon. */
  application(name = "app", payload = 16): Promise<UstApplication> {
    return this.sessiond.startApplication(name, payload);
  }

  /** Notes a result that must be the same with both relay daemons. */
  note(result: string): void {
    this.notes.push(result);
  }

  /** Creates a session with one channel `ch` and the test event; no start. */
  async create(session: string, options: ChannelOptions = {}): Promise<void> {
    const create = options.create ?? [`--set-url=${this.url()}`];
    await this.lttng("create", session, ...create);
    await this.lttng(
      ...["enable-channel", "--userspace", `--session=${session}`],
      ...(options.channel ?? []),
      "ch",
    );
    await this.lttng(
      ...["enable-event", "--userspace", `--session=${session}`],
      ...["--channel=ch", UST_EVENT],
    );
  }

  /** Creates and starts a session with one channel `ch` and the test event. */
  async start(session: string, options: ChannelOptions = {}): Promise<void> {
    await this.create(session, options);
    await this.lttng("start", session);
  }

  /** Stops and destroys a session, which waits for its last byte. */
  async finish(session: string): Promise<void> {
    await this.lttng("stop", session);
    await this.lttng("destroy", session);
  }

  /** Waits until the files of the relay daemon do not change any more. */
  settle(): Promise<void> {
    return settle(this.output);
  }

  /**
   * Lets the consumer daemon send the metadata: of UST, it keeps what does not
   * fill a packet until the session is stopped.
   */
  async flushMetadata(session: string): Promise<void> {
    await this.lttng("stop", session);
    await this.lttng("start", session);
  }

  /** Waits until the relay daemon has at least `count` paths like `pattern`. */
  async waitForPaths(pattern: RegExp, count: number): Promise<void> {
    await waitFor(`${count} paths like ${pattern}`, async () => {
      const paths = await listTree(this.output).catch(() => []);
      return paths.filter((path) => pattern.test(path)).length >= count;
    }, PATHS_MILLISECONDS);
  }

  /** Stops the relay daemon and starts another on the same ports and files. */
  async restartRelay(): Promise<void> {
    await this.relay.stop();
    await this.relay[Symbol.asyncDispose]();
    this.relay = await startRelay(this.kind, {
      output: this.output,
      hostname: this.relay.hostname,
      args: this.scenario.relayArgs ?? [],
      ports: this.relay.ports,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.sessiond[Symbol.asyncDispose]();
    } finally {
      await this.#proxy?.[Symbol.asyncDispose]();
      await this.relay[Symbol.asyncDispose]();
      await Deno.remove(this.output, { recursive: true });
    }
  }
}

/** Runs a scenario against one relay daemon. */
export async function runScenario(
  kind: RelayKind,
  scenario: Scenario,
): Promise<Outcome> {
  await using world = await World.start(kind, scenario);
  try {
    await scenario.script(world);
    await settle(world.output);
    assert(world.relay.child.running, "The relay daemon ended on its own");
    const status = await world.relay.stop();
    assertEquals(status.code, 0, "exit code of the relay daemon");
    return await readOutcome(world, scenario);
  } catch (cause) {
    const log = world.relay.log.slice(-LOG_TAIL);
    throw new Error(
      `${kind} relay daemon: ${
        cause instanceof Error ? cause.message : cause
      }\nIts log ends: ${log}`,
      { cause },
    );
  }
}

const LOG_TAIL = 2_000;

async function readOutcome(
  world: World,
  scenario: Scenario,
): Promise<Outcome> {
  const tree = await describeTree(world.output, {
    sizes: (scenario.compare ?? "packets") === "packets",
  });
  const traces: TraceReading[] = [];
  for (const directory of await traceDirectories(world.output)) {
    const reading = await readTrace(`${world.output}/${directory}`);
    traces.push({ directory: normalisePath(directory), ...reading });
  }
  return { tree, traces, notes: world.notes };
}

/** Fails unless one outcome is what the scenario promises by itself. */
export function assertOutcome(outcome: Outcome, scenario: Scenario): void {
  for (const trace of outcome.traces) {
    assertEquals(
      trace.code,
      0,
      `${trace.directory}: ${trace.errors.slice(0, LOG_TAIL)}`,
    );
  }
  if (scenario.events !== undefined) {
    assertEquals(countEvents(outcome), scenario.events, "events read back");
  }
  scenario.check?.(outcome);
}

/** The relay daemon in the second role; `stock` checks the tests themselves. */
export const SECOND_KIND: RelayKind =
  Deno.env.get("LTTNG_E2E_SECOND") === "stock" ? "stock" : "ours";

/** Defines one test for each row of a table. */
export async function testScenarios(
  scenarios: readonly Scenario[],
): Promise<void> {
  const missing = await ustMissing();
  for (const scenario of scenarios) {
    const skip = scenario.skip ?? missing;
    stockTest(scenario.name, { programs: PROGRAMS, skip }, async () => {
      if (scenario.oursOnly !== undefined) {
        console.log(`Only ours is run: ${scenario.oursOnly}`);
        assertOutcome(await runScenario("ours", scenario), scenario);
        return;
      }
      const [stock, ours] = await bothOf(
        runScenario("stock", scenario),
        runScenario(SECOND_KIND, scenario),
      );
      assertOutcome(stock, scenario);
      assertOutcome(ours, scenario);
      assertSameOutcome(stock, ours, scenario.compare);
    });
  }
}

/** Both results once both have ended, so that nothing outlives the test. */
async function bothOf<T>(
  first: Promise<T>,
  second: Promise<T>,
): Promise<[T, T]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
