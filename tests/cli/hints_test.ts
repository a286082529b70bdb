/** What is said of errors, and what to do next. */

import { assert, assertEquals } from "@std/assert";
import { ControlError, controlError } from "../../lib/control/errors.ts";
import { errorWords, hintForError } from "../../lib/cli/lttng/hints.ts";
import { lttngErrorNumber } from "../../lib/wire/lttng_error.ts";

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

test("errorWords() says no more than the stock program of what a session daemon refuses", () => {
  const code = lttngErrorNumber("SESS_NOT_FOUND");
  const detail = "START_TRACE was refused with code 23";
  const error = new ControlError(code, { command: "START_TRACE", detail });
  assertEquals(errorWords(error), "Session name not found");
  assertEquals(
    hintForError(error),
    "lttng list says which sessions there are.",
  );
});

test("errorWords() says what only this client knows", () => {
  const error = controlError("INVALID_PROTOCOL", "it answers nonsense");
  assertEquals(
    errorWords(error),
    "Protocol error occurred: it answers nonsense",
  );
  assertEquals(hintForError(error), undefined);
});

test("hintForError() says where no session daemon answers", () => {
  const error = controlError("NO_SESSIOND", "nothing answers at /x: refused");
  assertEquals(errorWords(error), "No session daemon is available");
  const hint = hintForError(error) ?? "";
  assert(hint.startsWith("Nothing answers at /x: refused. Start a session "));
});

test("hintForError() says who may use root's session daemon", () => {
  const where = "nothing answers at /var/run/lttng/client-lttng-sessiond";
  const error = controlError("NO_SESSIOND", `${where}: Permission denied`);
  assert(hintForError(error)?.endsWith("or a member of the group tracing."));
});
