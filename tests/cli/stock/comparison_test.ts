/**
 * Our `lttng` beside the stock one: the same commands, each in front of a stock
 * session daemon of its own, give the same text, the same XML, the same exit
 * status and the same current session.
 */

import { assert, assertEquals } from "@std/assert";
import { run } from "../../support/process.ts";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startAlikeSessionds,
} from "../../support/sessiond.ts";
import { commandAs } from "../../support/sessiond_user.ts";
import { stockTest } from "../../support/stock.ts";
import { ustMissing } from "../../support/ust_app.ts";
import { startOwnLttng } from "../support/own_lttng.ts";
import { type CaseGroup, CASES } from "./cases.ts";
import { even, evened, splitWords } from "./words.ts";

const COMMAND_MILLISECONDS = 60_000;

/** One of the two clients with its session daemon. */
interface Side {
  readonly sessiond: Sessiond;
  readonly lttng: (args: readonly string[]) => ReturnType<typeof run>;
}

/** Runs one row on one side: what there is to compare. */
async function play({ sessiond, lttng }: Side, row: string): Promise<unknown> {
  const { user } = sessiond;
  const words = splitWords(row).map((word) =>
    word.replaceAll("HOME", user.home)
  );
  const [first, second = ""] = words;
  switch (first) {
    case "!app":
      await sessiond.startApplication(second);
      return undefined;
    case "!file":
      return even(readFile(second), user);
    case "!write":
      await Deno.writeTextFile(second, words.slice(2).join(" "));
      await Deno.chown(second, user.uid, user.uid);
      return undefined;
    default: {
      const result = await lttng(words);
      return {
        ...evened(result, user),
        current: readFile(`${user.home}/.lttngrc`),
      };
    }
  }
}

/** The status of a program that wrote to a closed connection. */
const SIGPIPE_STATUS = 141;

function codeOf(result: unknown): unknown {
  return (result as { code?: number } | undefined)?.code;
}

function readFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no such file";
    throw error;
  }
}

async function compare(
  group: CaseGroup,
  context: Deno.TestContext,
): Promise<void> {
  const [stock, own] = await startAlikeSessionds();
  await using _stock = stock;
  await using _own = own;
  await using lttng = await startOwnLttng(own.user);
  const sides: [Side, Side] = [
    {
      sessiond: stock,
      lttng: (args) =>
        run(
          commandAs(stock.user, ["lttng", ...args]),
          COMMAND_MILLISECONDS,
        ),
    },
    { sessiond: own, lttng: (args) => lttng.run(args) },
  ];
  for (const row of group.rows) {
    await context.step(`lttng ${row}`, async () => {
      const [expected, actual] = await Promise.all(
        sides.map((side) => play(side, row)),
      );
      // The stock program dies where a session daemon refuses a command before
      // it has read all of it; that ours then fails too is enough.
      if (codeOf(expected) === SIGPIPE_STATUS) assert(codeOf(actual) !== 0);
      else assertEquals(actual, expected);
    });
  }
}

const skip = await ustMissing();

for (const group of CASES) {
  stockTest(
    `lttng does as the stock lttng does: ${group.name}`,
    { programs: SESSIOND_PROGRAMS, skip },
    (context) => compare(group, context),
  );
}
