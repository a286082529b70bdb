/** Finds tracefs, and says in plain words why it cannot be used. */

import { errorText } from "../base/errors.ts";
import {
  type EventFormat,
  FormatError,
  type PageLayout,
  parseFormat,
  parseHeaderPage,
} from "./format.ts";
import { EventCatalog, type TracefsEvent } from "./naming.ts";

/** The kernel cannot be traced here; the message says why and what helps. */
export class KernelTracingError extends Error {
  override name = "KernelTracingError";
}

/** Where the kernel offers tracefs, newest first. */
const USUAL_PATHS: readonly string[] = [
  "/sys/kernel/tracing",
  "/sys/kernel/debug/tracing",
];

/** The first tracefs in the text of `/proc/mounts`. */
export function findMount(mounts: string): string | undefined {
  for (const line of mounts.split("\n")) {
    const [, path, type] = line.split(" ");
    // Spaces and the like are written in octal there.
    if (type === "tracefs") {
      return path?.replace(
        /\\([0-7]{3})/g,
        (_, octal) => String.fromCharCode(parseInt(octal, 8)),
      );
    }
  }
  return undefined;
}

/** Whether this machine's numbers begin with their low end. */
export const LITTLE_ENDIAN: boolean =
  new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The files of tracefs that are not an instance's. */
export class Tracefs {
  /** Its directory. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * The tracefs of this machine, or the directory `path` in place of it.
   *
   * @throws {KernelTracingError} where it cannot be used.
   */
  static open(path: string = Tracefs.find()): Tracefs {
    const probe = `${path}/instances`;
    try {
      for (const _ of Deno.readDirSync(probe)) break;
    } catch (error) {
      throw new KernelTracingError(explain(error, path), { cause: error });
    }
    return new Tracefs(path);
  }

  /** @throws {KernelTracingError} where none is mounted. */
  static find(): string {
    if (Deno.build.os !== "linux") {
      throw new KernelTracingError(
        `Cannot trace the kernel: it is not Linux but ${Deno.build.os}`,
      );
    }
    let mounts: string;
    try {
      mounts = Deno.readTextFileSync("/proc/mounts");
    } catch (error) {
      throw new KernelTracingError(explain(error, "/proc/mounts"), {
        cause: error,
      });
    }
    const path = findMount(mounts);
    if (path !== undefined) return path;
    throw new KernelTracingError(explainNoMount(theseSurroundings()));
  }

  /** Every event that the kernel offers. */
  catalog(): EventCatalog {
    return EventCatalog.parse(this.read("available_events"));
  }

  /** The format of one event. */
  format({ system, name }: TracefsEvent): EventFormat {
    return parseFormat(system, this.read(`events/${system}/${name}/format`));
  }

  /** Text of a file. @throws {KernelTracingError} */
  read(file: string): string {
    return readFile(`${this.path}/${file}`);
  }

  /** Writes a line to a file. @throws {KernelTracingError} */
  write(file: string, text: string): void {
    writeFile(`${this.path}/${file}`, text);
  }

  /** Whether there is such a file. */
  has(file: string): boolean {
    return exists(`${this.path}/${file}`);
  }
}

/** The layout of pages that `directory`, tracefs or an instance, has. */
export function readLayout(directory: string): PageLayout {
  return parseHeaderPage(
    readFile(`${directory}/events/header_page`),
    LITTLE_ENDIAN,
  );
}

/** What one read of a file asks for: some files give all at once, or never. */
const READ_BYTES = 64 * 1024;

/** Text of a file of tracefs. @throws {KernelTracingError} */
export function readFile(path: string): string {
  try {
    using file = Deno.openSync(path);
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(READ_BYTES);
    let text = "";
    for (;;) {
      const size = file.readSync(buffer);
      if (!size) return text + decoder.decode();
      text += decoder.decode(buffer.subarray(0, size), { stream: true });
    }
  } catch (error) {
    throw new KernelTracingError(explain(error, path), { cause: error });
  }
}

/**
 * Text of a file of tracefs that is made anew at each read: two reads would
 * join the beginning of one with the end of another.
 *
 * @throws {KernelTracingError}
 */
export function readFileAtOnce(path: string): string {
  try {
    using file = Deno.openSync(path);
    const buffer = new Uint8Array(READ_BYTES);
    const size = file.readSync(buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, size));
  } catch (error) {
    throw new KernelTracingError(explain(error, path), { cause: error });
  }
}

/** What {@linkcode writeFile} may be told. */
export interface WriteFileOptions {
  /** Keeps what the file holds: lists begin anew without. */
  readonly append?: boolean;
}

/** Writes a line to a file of tracefs, at once. @throws {KernelTracingError} */
export function writeFile(
  path: string,
  text: string,
  options: WriteFileOptions = {},
): void {
  const append = options.append === true;
  try {
    // Never made: a file that is not there is a feature that is not there.
    using file = Deno.openSync(path, {
      write: true,
      append,
      truncate: !append,
    });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += file.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    throw new KernelTracingError(explain(error, path), { cause: error });
  }
}

/** Whether there is a file or directory at `path`. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What of the system decides who may trace the kernel. */
export interface Surroundings {
  /** `null` where it is not known. */
  readonly uid: number | null;
  /** `none`, `integrity`, `confidentiality`; `undefined`: not known. */
  readonly lockdown: string | undefined;
  readonly isContainer: boolean;
}

/** What is the case here. */
export function theseSurroundings(): Surroundings {
  return {
    uid: currentUser(),
    lockdown: lockdownMode(),
    isContainer: isContainer(),
  };
}

/** Why a file of tracefs cannot be used, and what to do. */
export function explain(
  error: unknown,
  path: string,
  surroundings: () => Surroundings = theseSurroundings,
): string {
  const beginning = `Cannot trace the kernel: ${path}`;
  if (error instanceof FormatError) return error.message;
  if (error instanceof Deno.errors.NotCapable) {
    return `${beginning}: Deno opens files below /sys and /proc only with ` +
      `--allow-all`;
  }
  const code = (error as { code?: string }).code;
  if (error instanceof Deno.errors.NotFound) {
    return `${beginning}: there is no such file: this kernel, or its ` +
      `configuration, does not have the feature`;
  }
  if (code === "EROFS") {
    return `${beginning}: it is mounted read-only, as in a container: ` +
      `mount tracefs for writing there, or trace from the host`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `${beginning}: ${explainDenial(code, surroundings())}`;
  }
  return `${beginning}: ${errorText(error)}`;
}

function explainDenial(
  code: string | undefined,
  { uid, lockdown, isContainer }: Surroundings,
): string {
  if (lockdown === "confidentiality") {
    return `the kernel is locked down for confidentiality, which forbids ` +
      `tracing: start it with lockdown=integrity`;
  }
  if (uid !== 0) {
    return `only root may use it: run this as root, or mount tracefs with ` +
      `gid= of a group that you are in`;
  }
  if (isContainer) {
    return `root of a container may not use it: run the container privileged ` +
      `and with tracefs mounted, or trace from the host`;
  }
  return `the kernel refuses it (${code ?? "EPERM"})`;
}

/** Why there is no tracefs, and what to do. */
export function explainNoMount(
  { uid, isContainer }: Omit<Surroundings, "lockdown">,
  hasPlace = exists(USUAL_PATHS[0]!) || exists(USUAL_PATHS[1]!),
): string {
  const beginning = "Cannot trace the kernel: tracefs is not mounted";
  if (isContainer) {
    return `${beginning}, and this is a container: give it the host's ` +
      `${USUAL_PATHS[0]}, or trace from the host`;
  }
  if (!hasPlace) {
    return `${beginning}, and this kernel has no place for it: it needs ` +
      `CONFIG_TRACING, which CONFIG_FTRACE or CONFIG_PERF_EVENTS bring`;
  }
  if (uid !== 0) {
    return `${beginning}: as root, run ` +
      `"mount -t tracefs tracefs ${USUAL_PATHS[0]}"`;
  }
  return `${beginning}: run "mount -t tracefs tracefs ${USUAL_PATHS[0]}"`;
}

function lockdownMode(): string | undefined {
  try {
    const text = Deno.readTextFileSync("/sys/kernel/security/lockdown");
    return /\[(\w+)\]/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function currentUser(): number | null {
  try {
    return Deno.uid();
  } catch {
    return null;
  }
}

/** Whether this looks like the inside of a container. */
function isContainer(): boolean {
  if (exists("/.dockerenv") || exists("/run/.containerenv")) return true;
  try {
    return /(^|\0)container=/.test(Deno.readTextFileSync("/proc/1/environ"));
  } catch {
    return false;
  }
}
