/** Compiles and drives the C applications that record events through LTTng-UST. */

import { ChildProgram, run, waitFor } from "./process.ts";
import { notInstalled, stockMissing } from "./stock.ts";
import { commandAs, type StockUser } from "./sessiond_user.ts";

/** Programs a test with UST applications needs. */
export const UST_PROGRAMS: readonly string[] = ["gcc"];

/**
 * The source of an application: `app` records one kind of event, as large as
 * asked for; `fields`, in each round, events with every kind of field.
 */
export type UstProgram = "app" | "fields";

/** The event rule that matches the events of `app`. */
export const UST_EVENT = "tp:tptest";

const EMIT_MILLISECONDS = 60_000;
const REGISTER_MILLISECONDS = 15_000;

/** Why the application cannot be compiled here; `undefined` when it can. */
export async function ustMissing(): Promise<string | undefined> {
  const reason = stockMissing(...UST_PROGRAMS);
  if (reason !== undefined) return reason;
  const { code } = await run({
    command: ["gcc", "-E", "-include", "lttng/tracepoint.h", "/dev/null"],
  });
  return code === 0 ? undefined : notInstalled("liblttng-ust-dev");
}

/** A running application; it records events when told. */
export class UstApplication implements AsyncDisposable {
  #produced = 0;

  constructor(readonly name: string, readonly child: ChildProgram) {}

  /** Events recorded so far. */
  get produced(): number {
    return this.#produced;
  }

  /** Records `count` events, `delay` microseconds apart, and waits for it. */
  async emit(count: number, delay = 0): Promise<void> {
    const total = this.#produced + count;
    await this.child.writeLine(`${count} ${delay}`);
    await waitFor(`${this.name} records ${count} events`, () => {
      this.#assertRunning();
      return this.child.stdout.includes(`done ${total}\n`);
    }, EMIT_MILLISECONDS);
    this.#produced = total;
  }

  /** Lets the application end in peace and waits for it. */
  async finish(): Promise<void> {
    this.child.closeInput();
    await waitFor(`the end of ${this.name}`, () => !this.child.running);
    await this.child.ended;
  }

  /** Kills the application with SIGKILL. */
  kill(): Promise<void> {
    return this.child.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.kill();
  }

  /** Waits until the application runs, which is after its registration. */
  async ready(): Promise<void> {
    await waitFor(`${this.name} is ready`, () => {
      this.#assertRunning();
      return this.child.stdout.startsWith("ready\n");
    }, REGISTER_MILLISECONDS);
  }

  #assertRunning(): void {
    if (!this.child.running) {
      throw new Error(`${this.name} ended: ${this.child.stderr}`);
    }
  }
}

/** What to start. */
export interface UstOptions {
  /** What LTTng shall call it: at most 15 characters. */
  readonly name: string;
  readonly program: UstProgram;
  /** Arguments after the program. */
  readonly args?: readonly string[];
}

/** Starts an application as `user`; its name is that of its executable. */
export async function startUstApplication(
  user: StockUser,
  { name, program, args = [] }: UstOptions,
): Promise<UstApplication> {
  const path = `${user.home}/${name}`;
  await Deno.copyFile(await compiled(program), path);
  const child = new ChildProgram(
    commandAs(user, [path, ...args], {
      // Do not start before the session daemon has answered.
      LTTNG_UST_REGISTER_TIMEOUT: "10000",
    }),
  );
  const application = new UstApplication(name, child);
  try {
    await application.ready();
    return application;
  } catch (error) {
    await application[Symbol.asyncDispose]();
    throw error;
  }
}

const compilations = new Map<UstProgram, Promise<string>>();

/** Path of an executable, compiled once for each test file. */
function compiled(program: UstProgram): Promise<string> {
  const compilation = compilations.get(program) ?? compile(program);
  compilations.set(program, compilation);
  return compilation;
}

async function compile(name: UstProgram): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "lttng-ust-app-" });
  addEventListener("unload", () => {
    Deno.removeSync(directory, { recursive: true });
  });
  const source = new URL("./ust/", import.meta.url).pathname;
  const program = `${directory}/${name}`;
  const { code, stderr } = await run({
    command: [
      ...["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-I", source],
      ...["-o", program, `${source}${name}.c`, "-llttng-ust", "-ldl"],
    ],
  });
  if (code !== 0) throw new Error(`Compiling ${name}.c failed: ${stderr}`);
  await Deno.chmod(program, 0o755);
  return program;
}
