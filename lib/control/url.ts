/**
 * Where a trace goes, as `lttng` takes it on its command line: a path, or the
 * URL of a relay daemon (`src/common/uri.c` upstream, as of 2.13).
 */

import { lookup } from "node:dns/promises";
import { isIPv4, isIPv6 } from "node:net";
import { PATH_BYTES } from "../base/limits.ts";
import { lttngErrorNumber } from "../wire/lttng_error.ts";
import {
  DestinationType,
  StreamType,
  type Uri,
  UriProtocol,
} from "../wire/sessiond/session.ts";
import { ControlError } from "./errors.ts";

/** Ports of a relay daemon, where a URL names none. */
export const DEFAULT_CONTROL_PORT = 5342;
export const DEFAULT_DATA_PORT = 5343;

const PORT_MAXIMUM = 65_535;

/**
 * A URL that cannot be used: error code INVALID. `lttng` prints each of
 * `reasons` as an error of its own, then `Unrecognized URL format.`
 */
export class UrlError extends ControlError {
  override name = "UrlError";
  constructor(
    /** What is wrong, in upstream's words. */
    readonly reasons: readonly string[],
  ) {
    const detail = reasons[0]?.replace(/\.$/, "") ?? "Unrecognized URL format";
    super(lttngErrorNumber("INVALID"), { detail });
  }
}

/** The first address of `host` in a family; `undefined` where it has none. */
export type Resolve = (
  host: string,
  family: 4 | 6,
) => Promise<string | undefined>;

/** Asks the system, as the C library would. */
async function systemResolve(
  host: string,
  family: 4 | 6,
): Promise<string | undefined> {
  try {
    return (await lookup(host, { family })).address;
  } catch {
    return undefined;
  }
}

type Scheme = "file" | "net" | "tcp";

/** What is known of a URL once its protocol is. */
interface Start {
  readonly scheme: Scheme;
  readonly family: 4 | 6;
  /** What follows the protocol. */
  readonly rest: string;
}

/**
 * Reads a control and a data URL; either may be missing. `net` URLs and paths
 * stand alone; `tcp` URLs say one connection each.
 *
 * @returns A path, or control and data, or either.
 * @throws {UrlError} With upstream's words for what is wrong.
 */
export async function parseUrls(
  control: string | undefined,
  data?: string,
  resolve: Resolve = systemResolve,
): Promise<Uri[]> {
  if (control === undefined) {
    return data === undefined ? [] : await parseDataUrl(data, resolve);
  }
  const uris = await parseUrl(control, StreamType.CONTROL, resolve);
  const [first] = uris;
  if (data === undefined || first === undefined) return uris;
  if (first.destinationType === DestinationType.PATH) {
    throw new UrlError(["Cannot have a data URL when destination is file://"]);
  }
  if (uris.length === 2) {
    if (control === data) return uris;
    throw new UrlError([
      "Control URL uses the net:// protocol and the data URL is different. " +
      "Not allowed.",
    ]);
  }
  const [second] = await parseDataUrl(data, resolve);
  if (
    second === undefined || second.destination !== first.destination ||
    second.destinationType !== first.destinationType
  ) {
    throw new UrlError(["Control and data destination mismatch"]);
  }
  return [first, second];
}

/** A data URL, which cannot be a bare path. */
async function parseDataUrl(url: string, resolve: Resolve): Promise<Uri[]> {
  if (url.startsWith("/")) throw unknownProtocol(url);
  const uris = await parseUrl(url, StreamType.DATA, resolve);
  if (uris.length === 2) {
    throw new UrlError([
      "Data URL can not be set with the net[4|6]:// protocol",
    ]);
  }
  return uris;
}

async function parseUrl(
  url: string,
  stream: number,
  resolve: Resolve,
): Promise<Uri[]> {
  const { scheme, family, rest } = startOf(url);
  if (scheme === "file") return [pathUri(rest, url)];
  const place = splitPlace(rest, url);
  const destination = await addressOf(place.host, family, url, resolve);
  const ports = parsePorts(place.ports, scheme === "net" ? 2 : 1, url);
  const base = {
    destinationType: family === 4 ? DestinationType.IPV4 : DestinationType.IPV6,
    protocol: UriProtocol.TCP,
    destination,
  };
  const { subdirectory } = place;
  checkLength(subdirectory, url);
  if (scheme === "tcp") {
    const port = ports[0] ??
      (stream === StreamType.DATA ? DEFAULT_DATA_PORT : DEFAULT_CONTROL_PORT);
    return [{ ...base, streamType: stream, port, subdirectory }];
  }
  const [control = DEFAULT_CONTROL_PORT, data = DEFAULT_DATA_PORT] = ports;
  return [
    { ...base, streamType: StreamType.CONTROL, port: control, subdirectory },
    { ...base, streamType: StreamType.DATA, port: data, subdirectory: "" },
  ];
}

function startOf(url: string): Start {
  if (url === "") throw new UrlError([]);
  if (url.startsWith("/")) return { scheme: "file", family: 4, rest: url };
  const match = /^(file|net|tcp)([46]?):\/\/(.*)$/is.exec(url);
  const [, name = "", digit = "", rest = ""] = match ?? [];
  if (match === null || (digit !== "" && name.toLowerCase() === "file")) {
    throw unknownProtocol(url);
  }
  const scheme = name.toLowerCase() as Scheme;
  return { scheme, family: digit === "6" ? 6 : 4, rest };
}

function unknownProtocol(url: string): UrlError {
  return refuse(`URI parse unknown protocol ${url}`, url);
}

function refuse(reason: string, url: string): UrlError {
  return new UrlError([reason, `Unable to parse the URL ${url}`]);
}

function pathUri(path: string, url: string): Uri {
  if (!path.startsWith("/")) {
    throw refuse("Missing destination full path.", url);
  }
  checkLength(path, url);
  return {
    destinationType: DestinationType.PATH,
    streamType: StreamType.CONTROL,
    protocol: UriProtocol.NONE,
    port: 0,
    subdirectory: "",
    destination: path,
  };
}

function checkLength(path: string, url: string): void {
  const length = new TextEncoder().encode(path).length;
  if (length >= PATH_BYTES) {
    throw refuse(`Path too long: ${length} bytes > ${PATH_BYTES - 1}`, url);
  }
}

/** Host, ports with their colons, and what follows the first `/` after them. */
function splitPlace(rest: string, url: string) {
  if (rest.startsWith("[")) {
    const close = rest.indexOf("]");
    if (close < 2) {
      throw refuse(`Broken IPv6 address ${rest.slice(1)}`, url);
    }
    const after = rest.slice(close + 1);
    if (after !== "" && !/^[:/]/.test(after)) {
      throw refuse(`Unknown symbol after IPv6 address: ${after}`, url);
    }
    return { host: rest.slice(1, close), ...splitPath(after) };
  }
  const end = rest.search(/[:/]/);
  const host = end < 0 ? rest : rest.slice(0, end);
  if (host === "") throw refuse("No address or hostname detected.", url);
  return { host, ...splitPath(end < 0 ? "" : rest.slice(end)) };
}

function splitPath(text: string) {
  const slash = text.indexOf("/");
  return slash < 0
    ? { ports: text, subdirectory: "" }
    : { ports: text.slice(0, slash), subdirectory: text.slice(slash + 1) };
}

async function addressOf(
  host: string,
  family: 4 | 6,
  url: string,
  resolve: Resolve,
): Promise<string> {
  // An address is kept as it was written.
  if (family === 4 ? isIPv4(host) : isIPv6(host) && !host.includes("%")) {
    return host;
  }
  const isOther = isIPv4(host) || isIPv6(host);
  const found = isOther ? undefined : await resolve(host, family);
  if (found !== undefined) return found;
  if (host === "localhost") return family === 4 ? "127.0.0.1" : "::1";
  const number = family === 4 ? AF_INET : AF_INET6;
  throw refuse(`URI parse bad hostname ${host} for af ${number}`, url);
}

const AF_INET = 2;
const AF_INET6 = 10;

/** At most `most` ports; `undefined` for an empty one. */
function parsePorts(
  text: string,
  most: number,
  url: string,
): (number | undefined)[] {
  const fields = text.split(":").slice(1);
  if (fields.length > most) {
    const rest = fields.slice(most).map((field) => `:${field}`).join("");
    throw refuse(`Trailing characters not recognized: ${rest}`, url);
  }
  return fields.map((field) => field === "" ? undefined : portOf(field, url));
}

/** A number as `atoi()` reads it: what follows the digits is ignored. */
function portOf(field: string, url: string): number {
  const digits = /^\s*([+-]?\d+)/.exec(field)?.[1] ?? "0";
  const port = Number(BigInt.asIntN(32, BigInt(digits.replace("+", ""))));
  if (port > 0 && port <= PORT_MAXIMUM) return port;
  throw refuse(`Invalid port number ${port}`, url);
}

/** A URI as text: `tcp4://ADDRESS:PORT/PATH`, or a path with `file://`. */
export function formatUri(uri: Uri): string {
  const { destinationType, destination, port, subdirectory } = uri;
  switch (destinationType) {
    case DestinationType.PATH:
      return `file://${destination}`;
    case DestinationType.IPV6:
      return `tcp6://[${destination}]:${port}/${subdirectory}`;
    default:
      return `tcp4://${destination}:${port}/${subdirectory}`;
  }
}
