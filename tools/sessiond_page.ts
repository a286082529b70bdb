/** Prints `docs/sessiond.md` from the command tables: `deno run -W tools/sessiond_page.ts`. */

import {
  OWN_MARK,
  replyHeader,
  type SessiondCommandName,
  sessiondCommandNumber,
  sessiondCommands,
} from "../lib/wire/sessiond/commands.ts";
import { streamDelivery } from "../lib/wire/sessiond/delivery.ts";
import {
  channelLayout,
  eventBlock,
  fieldBlock,
} from "../lib/wire/sessiond/recording.ts";
import {
  domainBlock,
  sessionBlock,
  uri,
} from "../lib/wire/sessiond/session.ts";
import { snapshotOutput } from "../lib/wire/sessiond/session_state.ts";
import {
  SESSIOND_MINORS,
  SESSIOND_VERSIONS,
} from "../lib/wire/sessiond/version.ts";
import type { Struct } from "../lib/wire/struct.ts";
import { layoutTable, table } from "./protocol_page.ts";

const INTRODUCTION = `# Between \`lttng\` and a session daemon

Written by \`tools/sessiond_page.ts\` from the tables in \`lib/wire/sessiond/\`;
change those, then run it again. A test fails while the two differ.

All integers are little-endian, without alignment. Offsets and sizes are in
bytes. A client connects to the session daemon's Unix socket, sends one request
with its credentials, reads the reply and closes. The reply is a header, then
\`headerSize\` and \`dataSize\` bytes, which are shown as one message here; any code
but 10 comes without them.`;

const VERSIONS = `## Versions

Nothing says which version a session daemon has. Command 13 without a session's
name tells: until 2.13 it lists the sessions, and the sizes of the reply add up
for one of the headers below; since 2.14 it is refused with code 23, in 24 bytes
by 2.14 and in 20 by 2.15. Earlier 2.12 and 2.13, which take other requests, are
found out by their lists, which have no \`headerSize\`.`;

const OWN = `Requests and replies are those of 2.13.

SESSION_DELIVERY is no stock command: this project's session daemon has it, and
says so with a number in the \`mark\` of every reply, where stock ones have 0 and
stock clients do not look. No other daemon should be asked: most refuse it with
code 12, but 2.13.5 to 2.13.8 abort where they log everything. The mark is:

    ${OWN_MARK}`;

const BLOCKS = `## Blocks

What other messages are made of. A context, a userspace probe, a descriptor and
an archive location begin with a type, which chooses what follows.`;

function bytesOf(struct: Struct<unknown>): string {
  const varies = Object.values(struct.fields).some(({ size }) => size === 0);
  return varies ? `${struct.size} bytes and more` : `${struct.size} bytes`;
}

function block(struct: Struct<unknown>, since = ""): string {
  const title = struct.name[0]!.toUpperCase() + struct.name.slice(1);
  return `${title}${since}, ${bytesOf(struct)}:\n\n${layoutTable(struct)}`;
}

function message(word: string, struct: Struct<unknown>): string {
  if (Object.keys(struct.fields).length === 0) return `${word}: empty.`;
  return `${word}, ${bytesOf(struct)}:\n\n${layoutTable(struct)}`;
}

/** The whole page. */
export function sessiondPage(): string {
  const commands = sessiondCommands(13);
  const names = (Object.keys(commands) as SessiondCommandName[]).toSorted((
    a,
    b,
  ) => commands[a].number - commands[b].number);
  const parts = [
    INTRODUCTION,
    VERSIONS,
    table(
      ["Version", "Request", "Reply header"],
      SESSIOND_MINORS.map((minor) => [
        SESSIOND_VERSIONS[minor],
        `${sessiondCommands(minor).LIST_SESSIONS.request.size}`,
        `${replyHeader(minor).size}`,
      ]),
    ),
    ...([12, 13, 15] as const).map((minor) =>
      block(replyHeader(minor) as Struct<unknown>, ` since 2.${minor}`)
    ),
    `## Commands\n\n${OWN}`,
    table(
      ["Until 2.13", "Since 2.14", "Command", "Reply's own header"],
      names.map((name) => [
        `${sessiondCommandNumber(name, 13)}`,
        `${sessiondCommandNumber(name, 14)}`,
        name,
        `${commands[name].replyHeaderSize}`,
      ]),
    ),
    ...names.flatMap((name) => [
      `### ${name}`,
      message("Request", commands[name].request as Struct<unknown>),
      message("Reply", commands[name].reply as Struct<unknown>),
    ]),
    BLOCKS,
    block(sessionBlock as Struct<unknown>),
    block(domainBlock as Struct<unknown>),
    block(uri as Struct<unknown>),
    block(channelLayout(13) as Struct<unknown>),
    block(channelLayout(14) as Struct<unknown>, " since 2.14"),
    block(channelLayout(15) as Struct<unknown>, " since 2.15"),
    block(eventBlock as Struct<unknown>),
    block(fieldBlock as Struct<unknown>),
    block(snapshotOutput as Struct<unknown>),
    block(streamDelivery as Struct<unknown>),
  ];
  return parts.join("\n\n") + "\n";
}

if (import.meta.main) {
  const page = new URL("../docs/sessiond.md", import.meta.url);
  await Deno.writeTextFile(page, sessiondPage());
}
