/**
 * `deno run -RW tools/readme.ts`: puts the tables of options, variables and
 * commands into the README and the pages in docs/, as their own tables have them.
 */

import { formatMarkdownCommands } from "../lib/cli/lttng/command_page.ts";
import { COMMANDS } from "../lib/cli/commands.ts";
import { formatMarkdownDelivery } from "../lib/cli/lttng/delivery_report.ts";
import {
  formatMarkdownEnvironment,
  formatMarkdownOptions,
} from "../lib/cli/options/help.ts";
import {
  LTTNG_ENVIRONMENT,
  LTTNG_OPTIONS,
} from "../lib/cli/lttng/lttng_options.ts";
import {
  RELAYD_ENVIRONMENT,
  RELAYD_OPTIONS,
} from "../lib/cli/relayd/relayd_options.ts";
import {
  SESSIOND_ENVIRONMENT,
  SESSIOND_OPTIONS,
} from "../lib/cli/sessiond/sessiond_options.ts";
import { VIEW_OPTIONS } from "../lib/cli/view/view_options.ts";

/** The pages that have made sections. */
export const PAGES: readonly string[] = [
  "README.md",
  "docs/lttng.md",
  "docs/kernel.md",
];

const SECTIONS: Readonly<Record<string, () => string>> = {
  "options of relayd": () => formatMarkdownOptions(RELAYD_OPTIONS),
  "options of lttng view": () => formatMarkdownOptions(VIEW_OPTIONS),
  "environment of relayd": () => formatMarkdownEnvironment(RELAYD_ENVIRONMENT),
  "options of lttng": () => formatMarkdownOptions(LTTNG_OPTIONS),
  "environment of lttng": () => formatMarkdownEnvironment(LTTNG_ENVIRONMENT),
  "options of lttng sessiond": () => formatMarkdownOptions(SESSIOND_OPTIONS),
  "environment of lttng sessiond": () =>
    formatMarkdownEnvironment(SESSIOND_ENVIRONMENT),
  "delivery in reports of lttng": () => formatMarkdownDelivery(),
  "commands of lttng": () =>
    formatMarkdownCommands(
      COMMANDS.filter(({ group }) => group !== "Triggers"),
    ),
};

/** `text` with every made section as it should be. */
export function withSections(text: string): string {
  return text.replace(
    /(<!-- ([a-z ]+): made .*-->\n)[^]*?(<!-- end -->)/g,
    (whole, begin: string, name: string, end: string) => {
      const section = SECTIONS[name];
      return section === undefined
        ? whole
        : `${begin}\n${section().trim()}\n\n${end}`;
    },
  );
}

if (import.meta.main) {
  for (const page of PAGES) {
    const url = new URL(`../${page}`, import.meta.url);
    Deno.writeTextFileSync(url, withSections(Deno.readTextFileSync(url)));
  }
}
