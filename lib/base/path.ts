/**
 * Names and paths that have been checked: the only strings that may become a
 * place on disk. Nothing from the wire is a path until one of these functions
 * has taken it.
 */

import process from "node:process";
import { PATH_BYTES, PATH_COMPONENT_BYTES } from "./limits.ts";

/** One name of a file or directory: never empty, `.`, `..` or with a `/`. */
export type PathComponent = string & { readonly __brand: "PathComponent" };

/** Components joined by `/`; `""` is the directory itself. It cannot climb. */
export type RelativePath = string & { readonly __brand: "RelativePath" };

/** The directory itself. */
export const HERE = "" as RelativePath;

const encoder = new TextEncoder();
const WINDOWS_RESERVED =
  /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)|[<>:"\\|?*]|[. ]$/i;

/** Set by tests; what a file name may be depends on the system. */
export interface PathRules {
  /** Windows refuses more names than other systems. */
  windows: boolean;
}

const here: PathRules = {
  windows: process.platform === "win32",
};

/**
 * Takes `text` as one name. `what` names it in the RangeError that is thrown
 * when it cannot be one.
 */
export function pathComponent(
  text: string,
  what: string,
  rules: PathRules = here,
): PathComponent {
  const refuse = (why: string): never => {
    throw new RangeError(`${what} cannot be a file name: ${why}`);
  };
  if (text === "") refuse("it is empty");
  if (text === "." || text === "..") refuse(`it is "${text}"`);
  if (text.includes("/")) refuse(`${quote(text)} contains "/"`);
  if (hasControlCharacter(text, rules)) {
    refuse(`${quote(text)} contains a control character`);
  }
  const size = encoder.encode(text).length;
  if (size > PATH_COMPONENT_BYTES) {
    refuse(`${size} bytes > ${PATH_COMPONENT_BYTES}`);
  }
  if (rules.windows && WINDOWS_RESERVED.test(text)) {
    refuse(`${quote(text)} is not allowed on Windows`);
  }
  return text as PathComponent;
}

/** A session's or host's name: a component without a leading dot. */
export function nameComponent(
  text: string,
  what: string,
  rules: PathRules = here,
): PathComponent {
  if (text.startsWith(".")) {
    throw new RangeError(
      `${what} cannot be a file name: ${quote(text)} starts with "."`,
    );
  }
  return pathComponent(text, what, rules);
}

/**
 * Takes `text` as a path that stays below where it starts. Empty and `.`
 * components vanish; a leading `/` and `..` are refused with a RangeError.
 */
export function relativePath(
  text: string,
  what: string,
  rules: PathRules = here,
): RelativePath {
  if (text.startsWith("/")) {
    throw new RangeError(`${what} must not be absolute: ${quote(text)}`);
  }
  const size = encoder.encode(text).length;
  if (size >= PATH_BYTES) {
    throw new RangeError(
      `${what} is too long: ${size} bytes > ${PATH_BYTES - 1}`,
    );
  }
  const components = text.split("/")
    .filter((component) => component !== "" && component !== ".")
    .map((component) => pathComponent(component, what, rules));
  return components.join("/") as RelativePath;
}

/** Joins checked pieces; empty ones vanish. */
export function joinPath(
  ...pieces: (PathComponent | RelativePath)[]
): RelativePath {
  return pieces.filter((piece) => piece !== "").join("/") as RelativePath;
}

/** A name of our own making, known to be a component. */
export function ownName(name: string): PathComponent {
  return pathComponent(name, "A generated name");
}

/** The first component of a path; undefined for {@linkcode HERE}. */
export function topComponent(path: RelativePath): PathComponent | undefined {
  if (path === "") return undefined;
  const slash = path.indexOf("/");
  return (slash < 0 ? path : path.slice(0, slash)) as PathComponent;
}

/** The path and all its ancestors, deepest first, without {@linkcode HERE}. */
export function selfAndAncestors(path: RelativePath): RelativePath[] {
  const paths: RelativePath[] = [];
  for (let at = path as string; at !== "";) {
    paths.push(at as RelativePath);
    at = at.slice(0, Math.max(at.lastIndexOf("/"), 0));
  }
  return paths;
}

/** Text of a peer for a log line: quoted, control characters escaped, cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function hasControlCharacter(text: string, rules: PathRules): boolean {
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code === 0 || (rules.windows && code < 32)) return true;
  }
  return false;
}
