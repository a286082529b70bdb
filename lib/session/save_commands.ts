/** Sessions saved, to be loaded later. */

import { errorText } from "../base/errors.ts";
import type { SessiondRequest } from "../wire/sessiond/commands.ts";
import type { Context, Handlers } from "./command.ts";
import { checkedPath } from "./destination.ts";
import { refuse } from "./errors.ts";
import { sessionXml } from "./saved_xml.ts";
import type { Session } from "./session.ts";

export const saveCommands: Handlers<"SAVE_SESSION"> = {
  SAVE_SESSION(request, context) {
    const { sessions, caller } = context;
    const name = request.sessionToSave;
    const wanted = name === ""
      ? sessions.of(caller).toReversed()
      : [sessions.find(name, caller)];
    const directory = directoryOf(request, context);
    for (const session of wanted) save(session, directory, request, context);
    return {};
  },
};

/** The directory of a request, else the user's own, as stock daemons have it. */
function directoryOf(
  { url }: SessiondRequest<"SAVE_SESSION">,
  { host, caller }: Context,
): string {
  const path = url.replace(/^file:\/\//, "");
  if (path !== "") return checkedPath(path);
  const home = host.outputs.homeOf(caller.uid);
  if (home !== undefined) return `${home}/.lttng/sessions`;
  return refuse(
    "SAVE_IO_FAIL",
    `User ${caller.uid} has no home directory: say where to save`,
  );
}

function save(
  session: Session,
  directory: string,
  request: SessiondRequest<"SAVE_SESSION">,
  { host, caller }: Context,
): void {
  const path = `${directory}/${session.name}.lttng`;
  const text = sessionXml(session, request);
  try {
    host.outputs.save(caller, path, text, request.overwrite);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) refuse("SAVE_FILE_EXIST");
    refuse("SAVE_IO_FAIL", `Cannot save ${path}: ${errorText(error)}`);
  }
}
