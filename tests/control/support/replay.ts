/** A session daemon that answers what a stock one did, to the very same bytes. */

import { concat, type Exchange, readGolden } from "../../wire/golden.ts";
import { LTTNG_OK } from "../../../lib/wire/lttng_error.ts";
import {
  OWN_COMMANDS,
  replyHeader,
  type SessiondCommandName,
  sessiondCommands,
} from "../../../lib/wire/sessiond/commands.ts";
import { SessionDaemon } from "../../../lib/control/client.ts";
import {
  type Answer,
  ScriptedSessiond,
  words,
  writeAll,
} from "./scripted_sessiond.ts";

const names = (Object.keys(sessiondCommands(13)) as SessiondCommandName[])
  .filter((name) => !OWN_COMMANDS.includes(name));

/** Every exchange of `tests/golden/sessiond/`. */
export const recorded: readonly Exchange[] = names.flatMap((name) =>
  readGolden(`sessiond/${name}.txt`)
);

/** An answer of "Undefined command" to what was never recorded. */
const UNKNOWN = words(0, 12, 0, 0, 0, 0);

function codeOf(reply: Uint8Array): number {
  return replyHeader(13).decode(reply).code;
}

function startsWith(whole: Uint8Array, start: Uint8Array): boolean {
  return whole.length >= start.length &&
    start.every((byte, index) => byte === whole[index]);
}

/** Answers from `exchanges` and notes in `log` which it was. */
function replay(exchanges: readonly Exchange[], log: string[]): Answer {
  return async (conn, first) => {
    let request = first;
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const near = exchanges.filter((exchange) =>
        startsWith(exchange.request, request)
      );
      const found = near.find((exchange) =>
        exchange.request.length === request.length
      );
      if (found !== undefined) {
        log.push(found.title);
        await writeAll(conn, found.reply);
        return;
      }
      if (near.length === 0) {
        log.push("unknown");
        await writeAll(conn, UNKNOWN);
        return;
      }
      const count = await conn.read(buffer);
      if (count === null) return;
      request = concat(request, buffer.slice(0, count));
    }
  };
}

/** A client of a daemon that answers from the recording. */
export class Replay implements AsyncDisposable {
  /** Titles of what was asked. */
  readonly log: string[] = [];
  readonly #daemon: ScriptedSessiond;

  private constructor(title: string, isRefused: boolean) {
    // What was recorded under this title comes first: other lines may have
    // asked the same and got another answer.
    const preferred = recorded.filter(({ title: other, reply }) =>
      other === title && isRefused === (codeOf(reply) !== LTTNG_OK)
    );
    const answer = replay([...preferred, ...recorded], this.log);
    this.#daemon = new ScriptedSessiond(...Array(20).fill(answer));
  }

  /**
   * Runs `use` with a client whose requests get the answers to the command line
   * `title`: those that were refused, or those that were not.
   */
  static async of<T>(
    title: string,
    answers: "refused" | "taken",
    use: (client: SessionDaemon, log: string[]) => Promise<T>,
  ): Promise<T> {
    await using replay = new Replay(title, answers === "refused");
    const client = await SessionDaemon.connect({
      socketPath: replay.#daemon.path,
      timeoutMs: 5_000,
    });
    await client.listSessions();
    replay.log.length = 0;
    return await use(client, replay.log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
  }
}
