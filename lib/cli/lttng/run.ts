/** One run of a command: what it says, what it asks, how it fails. */

import { SessionDaemon } from "../../control/client.ts";
import { ControlError, isControlError } from "../../control/errors.ts";
import { homeDirectory } from "../../control/home.ts";
import { rcFilePath, readCurrentSession } from "../../control/rc_file.ts";
import type { Command } from "./command.ts";
import type { Console } from "./console.ts";
import { errorWords, hintForError } from "./hints.ts";
import type { OptionTable } from "../options/options.ts";
import { Report, type ReportElement, type ReportForm } from "./report.ts";
import { CommandFailure, Status } from "./status.ts";

/** What the options before a command say. */
export interface GlobalSettings {
  /** Name of the tracing group. */
  readonly group: string | undefined;
  /** A missing session daemon is not started. */
  readonly noSessiond: boolean;
  readonly sessiondPath: string | undefined;
  readonly relaydPath: string | undefined;
  /** The form of the report that replaces messages. */
  readonly form: ReportForm | undefined;
}

/** What commands about commands need to know. */
export interface Program {
  readonly commands: readonly Command[];
  /** The options that precede a command. */
  readonly options: OptionTable;
  readonly help: () => string;
}

/** One run of a command. */
export class Run {
  readonly report: Report;
  #daemon: Promise<SessionDaemon> | undefined;
  #session: string | undefined;
  /** The command says itself how it is with the output of its session. */
  tellsOutput = false;

  constructor(
    readonly command: string,
    readonly settings: GlobalSettings,
    readonly say: Console,
    readonly program: Program,
  ) {
    this.report = new Report(command);
  }

  /**
   * Asks the session daemon.
   *
   * @throws {ControlError} When it refuses, or is not there.
   */
  async ask<T>(request: (daemon: SessionDaemon) => Promise<T>): Promise<T> {
    this.#daemon ??= this.#connect();
    return await request(await this.#daemon);
  }

  async #connect(): Promise<SessionDaemon> {
    const { group } = this.settings;
    const daemon = await SessionDaemon.connect({ group });
    this.say.debug(1, `Session daemon at ${daemon.socketPath}`);
    return daemon;
  }

  /**
   * The session that is meant: `given`, else the current one.
   *
   * @throws {CommandFailure} When there is none.
   */
  session(given: string | undefined): string {
    return this.#session = this.#chosenSession(given);
  }

  /** The session that was meant last; unset where it is about none. */
  get lastSession(): string | undefined {
    return this.#session;
  }

  #chosenSession(given: string | undefined): string {
    if (given !== undefined) return given;
    const home = homeDirectory();
    if (home === undefined) {
      throw new CommandFailure("No home directory: set LTTNG_HOME");
    }
    const current = readCurrentSession(home);
    if (current !== undefined) {
      this.say.debug(1, `Current session: ${current}`);
      return current;
    }
    if (exists(rcFilePath(home))) {
      throw new CommandFailure("Missing session=NAME in config file.");
    }
    this.say.error(`Can't find valid lttng config ${rcFilePath(home)}`);
    this.say.message("Did you create a session? (lttng create <my_session>)");
    throw new CommandFailure(
      "",
      Status.ERROR,
      "Make a session with lttng create, or choose one with lttng set-session.",
    );
  }

  /**
   * Runs `body` with a report; its end says whether the status is 0. Failures
   * are told, and become a status.
   */
  async reported(
    body: (output: ReportElement) => Promise<number>,
  ): Promise<number> {
    const output = this.report.open();
    let status: number;
    try {
      status = await body(output);
    } catch (error) {
      status = this.fail(error);
    }
    this.report.close(status === Status.OK);
    return status;
  }

  /** Tells a failure; returns its status. Other errors are thrown again. */
  fail(error: unknown): number {
    if (error instanceof CommandFailure) {
      if (error.message !== "") this.say.error(error.message);
      this.say.hint(error.hint);
      return error.status;
    }
    if (!(error instanceof ControlError)) throw error;
    this.say.error(errorWords(error));
    this.say.hint(hintForError(error));
    return error.code;
  }

  /** {@linkcode fail} with a message of the command's own. */
  failWith(error: unknown, words: (text: string) => string): number {
    if (!(error instanceof ControlError)) throw error;
    this.say.error(words(errorWords(error)));
    this.say.hint(hintForError(error));
    return error.code;
  }

  /** @throws {CommandFailure} When there are more arguments than `most`. */
  refuseMore(args: readonly string[], most: number): void {
    const extra = args[most];
    if (extra === undefined) return;
    throw new CommandFailure(
      `Unknown argument: ${extra}`,
      Status.ERROR,
      `See lttng ${this.command} --help.`,
    );
  }
}

/** Whether `error` is the session daemon's, with the code so named. */
export function hasCode(
  error: unknown,
  ...names: string[]
): error is ControlError {
  return names.some((name) => isControlError(error, name));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
