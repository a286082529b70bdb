/** The executables, and the permissions that each is compiled with. */

import { relaydPermissionFlags } from "../lib/cli/relayd/relayd_options.ts";
import { sessiondPermissionFlags } from "../lib/cli/sessiond/sessiond_options.ts";

/** One executable. */
export interface Program {
  /** Name of the file. */
  readonly name: string;
  /** Its entry module. */
  readonly entry: string;
  /** Flags of `deno compile` that grant permissions, and no more than needed. */
  readonly permissions: readonly string[];
  /** Modules that workers run, which no import leads to. */
  readonly workers: readonly string[];
}

/** Everything that is compiled. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "relayd",
    entry: "relayd.ts",
    permissions: relaydPermissionFlags(),
    workers: [],
  },
  {
    name: "lttng",
    entry: "cli.ts",
    permissions: sessiondPermissionFlags(),
    workers: ["lib/kernel/reader_worker.ts"],
  },
];
