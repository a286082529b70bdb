/** The table of commands: a new command is a new row. */

import type { Command } from "./lttng/command.ts";
import { addContext } from "./commands/add_context.ts";
import { clear } from "./commands/clear.ts";
import { completion } from "./commands/completion.ts";
import { disableConsumer, enableConsumer } from "./commands/consumer.ts";
import { create } from "./commands/create.ts";
import { destroy } from "./commands/destroy.ts";
import { disableChannel } from "./commands/disable_channel.ts";
import { disableEvent } from "./commands/disable_event.ts";
import { enableChannel } from "./commands/enable_channel.ts";
import { enableEvent } from "./commands/enable_event.ts";
import { help } from "./commands/help.ts";
import { list, status } from "./commands/list.ts";
import { load } from "./commands/load.ts";
import { metadataCommand, regenerate } from "./commands/regenerate.ts";
import { rotate } from "./commands/rotate.ts";
import {
  disableRotation,
  enableRotation,
} from "./commands/rotation_schedules.ts";
import { save } from "./commands/save.ts";
import { setSession } from "./commands/set_session.ts";
import { snapshot } from "./commands/snapshot.ts";
import { start } from "./commands/start.ts";
import { stop } from "./commands/stop.ts";
import { track, untrack } from "./commands/track.ts";
import {
  addTrigger,
  listTriggers,
  removeTrigger,
} from "./commands/triggers.ts";
import { version } from "./commands/version.ts";
import { view } from "./commands/view.ts";

/** Every command, in the order of `lttng --list-commands`. */
export const COMMANDS: readonly Command[] = [
  addContext,
  addTrigger,
  create,
  clear,
  destroy,
  disableChannel,
  disableEvent,
  enableChannel,
  enableEvent,
  help,
  list,
  listTriggers,
  load,
  metadataCommand,
  regenerate,
  removeTrigger,
  rotate,
  enableRotation,
  disableRotation,
  save,
  setSession,
  snapshot,
  start,
  status,
  stop,
  track,
  untrack,
  version,
  view,
  completion,
  enableConsumer,
  disableConsumer,
];
