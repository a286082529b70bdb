/** Destinations of traces, as clients name them and as they are listed. */

import { parseUrls, UrlError } from "../control/url.ts";
import {
  DestinationType,
  StreamType,
  type Uri,
  UriProtocol,
} from "../wire/sessiond/session.ts";
import { refuse } from "./errors.ts";

/** Where the trace of a session goes. */
export type Destination =
  | { readonly kind: "none" }
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "relay"; readonly control: Uri; readonly data: Uri };

const CONTROL_PORT = 5342;
const DATA_PORT = 5343;

/**
 * What a client's URIs say: none, a path, or control and data.
 *
 * @throws {CommandError} INVALID where they are none of these, or climb.
 */
export function destinationOf(uris: readonly Uri[]): Destination {
  const [first, second] = uris;
  if (first === undefined) return { kind: "none" };
  if (first.destinationType === DestinationType.PATH) {
    if (second !== undefined) refuse("INVALID", "Two URIs and one is a path");
    return { kind: "local", path: checkedPath(first.destination) };
  }
  if (second === undefined) {
    refuse("SESSION_FAIL", "A relay daemon needs a control and a data URI");
  }
  const control = uris.find((uri) => uri.streamType === StreamType.CONTROL);
  const data = uris.find((uri) => uri.streamType === StreamType.DATA);
  if (control === undefined || data === undefined || uris.length !== 2) {
    refuse("INVALID", "Not one control and one data URI");
  }
  checkSubdirectory(control);
  return {
    kind: "relay",
    control: { ...control, port: control.port || CONTROL_PORT },
    data: { ...data, port: data.port || DATA_PORT },
  };
}

/** A relay daemon on this machine, on the usual ports. */
export function localRelay(): Destination {
  const uri = (streamType: number, port: number): Uri => ({
    destinationType: DestinationType.IPV4,
    streamType,
    protocol: UriProtocol.TCP,
    port,
    subdirectory: "",
    destination: "127.0.0.1",
  });
  return {
    kind: "relay",
    control: uri(StreamType.CONTROL, CONTROL_PORT),
    data: uri(StreamType.DATA, DATA_PORT),
  };
}

/**
 * An absolute path that does not climb.
 *
 * @throws {CommandError} INVALID.
 */
export function checkedPath(path: string): string {
  if (path.startsWith("/") && !isClimbing(path)) return path;
  refuse("INVALID", `Not an absolute path without "..": "${path}"`);
}

/** @throws {CommandError} INVALID where it climbs. */
export function checkSubdirectory({ subdirectory }: Uri): void {
  if (!isClimbing(subdirectory)) return;
  refuse("INVALID", `A directory with "..": "${subdirectory}"`);
}

function isClimbing(path: string): boolean {
  return path.split("/").includes("..");
}

/**
 * What a URL says, as `lttng snapshot` takes it.
 *
 * @throws {CommandError} INVALID.
 */
export async function destinationOfUrls(
  control: string,
  data: string,
): Promise<Destination> {
  try {
    return destinationOf(
      await parseUrls(control, data === "" ? undefined : data),
    );
  } catch (error) {
    if (error instanceof UrlError) refuse("INVALID", error.message);
    throw error;
  }
}

/** The URIs of a destination. */
export function urisOf(destination: Destination): Uri[] {
  switch (destination.kind) {
    case "none":
      return [];
    case "local":
      return [{
        destinationType: DestinationType.PATH,
        streamType: StreamType.CONTROL,
        protocol: UriProtocol.NONE,
        port: 0,
        subdirectory: "",
        destination: destination.path,
      }];
    case "relay":
      return [destination.control, destination.data];
  }
}

/** `tcp4://127.0.0.1:5342/dir`. */
export function urlOf(uri: Uri): string {
  const isV6 = uri.destinationType === DestinationType.IPV6;
  const host = isV6 ? `[${uri.destination}]` : uri.destination;
  return `tcp${isV6 ? 6 : 4}://${host}:${uri.port}/${uri.subdirectory}`;
}

/** A destination as LIST_SESSIONS tells it. */
export function destinationText(destination: Destination): string {
  switch (destination.kind) {
    case "none":
      return "";
    case "local":
      return destination.path;
    case "relay":
      return `${urlOf(destination.control)} [data: ${destination.data.port}]`;
  }
}

/** A destination as `lttng create --set-url` takes it, where one URL can say it. */
export function shortUrl(destination: Destination): string {
  if (destination.kind === "local") return `file://${destination.path}`;
  if (destination.kind === "none") return "";
  const { control, data } = destination;
  if (
    control.destination !== data.destination ||
    control.destinationType !== data.destinationType
  ) return destinationText(destination);
  const isV6 = control.destinationType === DestinationType.IPV6;
  const host = isV6 ? `[${control.destination}]` : control.destination;
  const isUsual = control.port === CONTROL_PORT && data.port === DATA_PORT;
  const ports = isUsual ? "" : `:${control.port}:${data.port}`;
  const path = control.subdirectory === "" ? "" : `/${control.subdirectory}`;
  return `net${isV6 ? "6" : ""}://${host}${ports}${path}`;
}
