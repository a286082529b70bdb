/** Who is asked what became of a trace: only session daemons that can tell. */

import { assertEquals, assertRejects } from "@std/assert";
import { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import { OutputState } from "../../lib/wire/sessiond/delivery.ts";
import { sessionListLayout } from "../../lib/wire/sessiond/session.ts";
import {
  OWN_MARK,
  replyHeader,
  sessiondCommands,
} from "../../lib/wire/sessiond/commands.ts";
import { concat } from "../wire/golden.ts";
import { SESSIOND_PROGRAMS, startSessiond } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { answerWith, ScriptedSessiond } from "./support/scripted_sessiond.ts";

const { SESSION_DELIVERY, LIST_SESSIONS } = sessiondCommands(13);
const UNDEFINED_COMMAND = 12;

/** A reply of 2.13. */
function reply(
  command: number,
  body: Uint8Array,
  mark: number,
  code = 10,
): Uint8Array {
  const sizes = { headerSize: 0, dataSize: body.length };
  return concat(
    replyHeader(13).encode({ command, code, ...sizes, mark }),
    body,
  );
}

function sessions(mark: number): Uint8Array {
  const body = sessionListLayout(13).encode({ sessions: [] });
  return reply(LIST_SESSIONS.number, body, mark);
}

function delivery(outputState: number): Uint8Array {
  const texts = { url: "/x", failure: "" };
  const body = SESSION_DELIVERY.reply.encode({
    ...{ outputState, hasMore: false, ...texts, streams: [] },
  });
  return reply(SESSION_DELIVERY.number, body, OWN_MARK);
}

function connect(daemon: ScriptedSessiond): Promise<SessionDaemon> {
  return SessionDaemon.connect({ socketPath: daemon.path });
}

Deno.test("sessionDelivery() asks a session daemon with the mark", async () => {
  await using daemon = new ScriptedSessiond(
    answerWith(sessions(OWN_MARK)),
    answerWith(delivery(OutputState.FAILED)),
  );
  const client = await connect(daemon);
  assertEquals(await client.sessionDelivery("s", { hasEnded: true }), {
    ...{ outputState: "failed", hasMore: false, url: "/x", failure: "" },
    streams: [],
  });
  assertEquals(SESSION_DELIVERY.request.decode(daemon.requests[1]!), {
    session: "s",
    hasEnded: true,
  });
});

for (const mark of [0, 1_234, OWN_MARK - 1]) {
  Deno.test(`sessionDelivery() never asks a session daemon with ${mark} for a mark`, async () => {
    await using daemon = new ScriptedSessiond(answerWith(sessions(mark)));
    const client = await connect(daemon);
    assertEquals(await client.sessionDelivery("s"), undefined);
    assertEquals(await client.sessionDelivery("s"), undefined);
    assertEquals(daemon.requests.length, 1);
  });
}

Deno.test("sessionDelivery() is undefined where another daemon took the place", async () => {
  const { number } = SESSION_DELIVERY;
  await using daemon = new ScriptedSessiond(
    answerWith(sessions(OWN_MARK)),
    answerWith(reply(number, new Uint8Array(), 0, UNDEFINED_COMMAND)),
  );
  const client = await connect(daemon);
  assertEquals(await client.sessionDelivery("s"), undefined);
});

Deno.test("sessionDelivery() refuses a state that is unknown", async () => {
  await using daemon = new ScriptedSessiond(
    answerWith(sessions(OWN_MARK)),
    answerWith(delivery(77)),
  );
  const client = await connect(daemon);
  await assertRejects(
    () => client.sessionDelivery("s"),
    ControlError,
    "output state 77 is unknown",
  );
});

Deno.test("sessionDelivery() tells what it is refused with", async () => {
  const { number } = SESSION_DELIVERY;
  await using daemon = new ScriptedSessiond(
    answerWith(sessions(OWN_MARK)),
    answerWith(reply(number, new Uint8Array(), OWN_MARK, 23)),
  );
  const client = await connect(daemon);
  await assertRejects(
    () => client.sessionDelivery("s"),
    ControlError,
    "Session name not found",
  );
});

stockTest(
  "a stock session daemon refuses SESSION_DELIVERY, and serves on",
  { programs: SESSIOND_PROGRAMS },
  async () => {
    await using sessiond = await startSessiond();
    await sessiond.lttng("create", "s", "--no-output");
    const socketPath = `${sessiond.user.home}/.lttng/client-lttng-sessiond`;
    const { uid } = sessiond.user;
    const client = await AskingAnyway.connect({
      socketPath,
      credentials: { uid, gid: uid },
    });
    for (let time = 0; time < 2; time++) {
      const error = await assertRejects(
        () => client.askAnyway("s"),
        ControlError,
      );
      assertEquals(error.code, UNDEFINED_COMMAND);
    }
    assertEquals(await client.sessionDelivery("s"), undefined);
    const [session] = await client.listSessions();
    assertEquals(session?.name, "s");
  },
);

/** A client that does not look at the mark. */
class AskingAnyway extends SessionDaemon {
  static override async connect(
    options: Parameters<typeof SessionDaemon.connect>[0],
  ): Promise<AskingAnyway> {
    const client = await SessionDaemon.connect(options);
    return Object.setPrototypeOf(client, AskingAnyway.prototype);
  }

  askAnyway(session: string) {
    return this.ask("SESSION_DELIVERY", { session, hasEnded: false });
  }
}
