/** The configuration files that a daemon reads, as layers of its options. */

import { errorText } from "../../base/errors.ts";
import { parseConfigFile } from "./config_file.ts";
import {
  configLayer,
  OptionError,
  type OptionLayer,
  type OptionTable,
} from "../options/options.ts";
import { homeDirectory, type Surroundings } from "../options/paths.ts";

/** Where every user's configuration begins. */
const SYSTEM_CONFIG_FILE = "/etc/lttng/lttng.conf";

/** Whose section of the files is read. */
export interface ConfigSection {
  /** Such as `relayd`. */
  readonly name: string;
  readonly table: OptionTable;
}

/**
 * The layers of the system's file, the user's and the one that `--config`
 * names; lines about what was odd go to `warnings`.
 *
 * @throws {OptionError} When the file that was named cannot be read.
 */
export function configFileLayers(
  section: ConfigSection,
  commandLine: OptionLayer,
  surroundings: Surroundings,
  warnings: string[],
): OptionLayer[] {
  const paths: { path: string; chosen: boolean }[] = [];
  if (surroundings.os !== "windows") {
    paths.push({ path: SYSTEM_CONFIG_FILE, chosen: false });
  }
  const home = homeDirectory(surroundings);
  if (home !== undefined) {
    paths.push({ path: `${home}/.lttng/lttng.conf`, chosen: false });
  }
  const chosen = commandLine.given.get("config")?.value;
  if (chosen !== undefined) paths.push({ path: String(chosen), chosen: true });
  return paths.flatMap(({ path, chosen }) => {
    const text = readConfigFile(path, chosen, surroundings, warnings);
    if (text === undefined) return [];
    const entries = configEntries(text, path, section.name);
    const read = configLayer(section.table, entries, path);
    warnings.push(...read.warnings);
    return [read.layer];
  });
}

function readConfigFile(
  path: string,
  chosen: boolean,
  surroundings: Surroundings,
  warnings: string[],
): string | undefined {
  try {
    const text = surroundings.readTextFile(path);
    if (text !== undefined || !chosen) return text;
  } catch (error) {
    const line = `Cannot read the configuration file ${path}: ${
      errorText(error)
    }`;
    if (chosen) throw new OptionError(line);
    warnings.push(line);
    return undefined;
  }
  throw new OptionError(`No such configuration file: ${path}`);
}

function configEntries(text: string, path: string, section: string) {
  try {
    return parseConfigFile(text, section);
  } catch (error) {
    throw new OptionError(`${path}: ${errorText(error)}`);
  }
}
