/**
 * `deno run -RW tools/readme.ts`: puts the tables of options and variables
 * into the README, as the option table has them.
 */

import {
  formatMarkdownEnvironment,
  formatMarkdownOptions,
} from "../lib/cli/help.ts";
import {
  RELAYD_ENVIRONMENT,
  RELAYD_OPTIONS,
} from "../lib/cli/relayd_options.ts";
import { VIEW_OPTIONS } from "../lib/cli/view_options.ts";

const README = new URL("../README.md", import.meta.url);

const SECTIONS: Readonly<Record<string, () => string>> = {
  "options of relayd": () => formatMarkdownOptions(RELAYD_OPTIONS),
  "options of lttng view": () => formatMarkdownOptions(VIEW_OPTIONS),
  "environment of relayd": () => formatMarkdownEnvironment(RELAYD_ENVIRONMENT),
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
  Deno.writeTextFileSync(README, withSections(Deno.readTextFileSync(README)));
}
