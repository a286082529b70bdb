/** `lttng version`: which `lttng` this is. */

import { VERSION } from "../../base/version.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { Status } from "../lttng/status.ts";

/**
 * The version of LTTng whose command line and machine interface this is: tools
 * look here for what they may ask.
 */
const LIKE = { major: 2, minor: 13, patch: 9 } as const;

const NAME = `lttng-stream ${VERSION}`;
const DESCRIPTION =
  `This is version ${VERSION} of an lttng in TypeScript. Its commands, options, messages and machine interface are those of lttng-tools ${LIKE.major}.${LIKE.minor}.${LIKE.patch}.`;
const URL = "https://lttng.org";
const LICENSE = "MIT";

export const version = defineCommand({
  name: "version",
  group: "Miscellaneous",
  help: "Show LTTng-tools version information",
  usage: [""],
  about: "Says which version of LTTng this program works like, and which " +
    "version it is itself.",
  options: [HELP, LIST_OPTIONS],
  run: (run) => {
    const { major, minor, patch } = LIKE;
    const like = `${major}.${minor}.${patch}`;
    run.report.open().add("version").fields({
      string: like,
      ...{ major, minor, commit: "", patchLevel: patch },
      ...{ name: NAME, description: DESCRIPTION, url: URL, license: LICENSE },
    });
    run.say.message(`lttng version ${like} - ${NAME}`);
    run.say.message(`\n${DESCRIPTION}\n`);
    run.say.message(`Web site: ${URL}`);
    run.say.message(`\nlttng-stream is free software under the MIT license`);
    return Promise.resolve(Status.OK);
  },
});
