/** What is asked and told of whole sessions. */

import { OutputType, SessionKind, type Uri } from "../wire/sessiond/session.ts";
import {
  type ArchiveLocation as WireLocation,
  LocationType,
} from "../wire/sessiond/session_state.ts";
import { controlError } from "./errors.ts";
import type { RotationState } from "./names.ts";
import { parseUrls } from "./url.ts";

/** A session, as its session daemon lists it. */
export interface SessionInfo {
  readonly name: string;
  /**
   * Where its trace goes: an absolute path, or
   * `tcp4://ADDRESS:PORT/PATH [data: PORT]`; empty without an output and in
   * snapshot mode.
   */
  readonly path: string;
  /** It is recording. */
  readonly enabled: boolean;
  readonly snapshotMode: boolean;
  /** Microseconds; 0 where the session is not live. */
  readonly liveTimerInterval: number;
  /** Seconds since 1970. */
  readonly creationTime: number | undefined;
  /** Where its buffers are; empty for the default, and before 2.14. */
  readonly shmPath: string;
}

/** What kind of session is created. */
export type SessionKindName = "regular" | "snapshot" | "live";

/**
 * Where a trace goes: where the session daemon chooses, nowhere, to one URL,
 * or to a relay daemon by the URLs of both connections.
 */
export type SessionOutput =
  | "default"
  | "none"
  | { readonly url: string }
  | { readonly controlUrl: string; readonly dataUrl: string }
  | { readonly uris: readonly Uri[] };

/** A session to be created. */
export interface SessionDescriptor {
  /** Unset, the session daemon chooses: `auto-` and the time. */
  readonly name?: string | undefined;
  /** @default {"regular"} */
  readonly kind?: SessionKindName | undefined;
  /**
   * Microseconds, of a live session.
   *
   * @default {1000000}
   */
  readonly liveTimerInterval?: number | undefined;
  /**
   * Below the user's home, or, for a live session, on this machine's relay
   * daemon, unless told otherwise.
   *
   * @default {"default"}
   */
  readonly output?: SessionOutput | undefined;
}

/** A session that was created. */
export interface CreatedSession {
  readonly name: string;
  /** A path, or control and data, or none. */
  readonly uris: readonly Uri[];
}

/** Where a trace archive is. */
export type ArchiveLocation =
  | { readonly type: "local"; readonly path: string }
  | {
    readonly type: "relay";
    readonly hostname: string;
    readonly protocol: "tcp";
    readonly controlPort: number;
    readonly dataPort: number;
    /** Below the relay daemon's own directory. */
    readonly path: string;
  };

/** How a session ended. */
export interface Destruction {
  /** `completed` where its last chunk was archived. */
  readonly rotationState: RotationState;
  readonly location: ArchiveLocation | undefined;
}

/** A location as the session daemon tells it, in this API's words. */
export function archiveLocationOf(
  location: WireLocation | undefined,
): ArchiveLocation | undefined {
  if (location === undefined) return undefined;
  const { path, hostname, controlPort, dataPort } = location;
  return location.type === LocationType.LOCAL
    ? { type: "local", path }
    : { type: "relay", hostname, protocol: "tcp", controlPort, dataPort, path };
}

/** Where an output leads, and its destinations. */
export async function resolveOutput(
  output: SessionOutput,
  kind: SessionKindName,
): Promise<{ outputType: number; uris: Uri[] }> {
  if (output === "none") return { outputType: OutputType.NONE, uris: [] };
  if (output === "default") {
    const outputType = kind === "live" ? OutputType.NETWORK : OutputType.LOCAL;
    return { outputType, uris: [] };
  }
  const uris = "uris" in output
    ? [...output.uris]
    : "url" in output
    ? await parseUrls(output.url)
    : await parseUrls(output.controlUrl, output.dataUrl);
  if (uris.length === 0) return { outputType: OutputType.NONE, uris };
  if (uris.length === 2) return { outputType: OutputType.NETWORK, uris };
  if (!uris[0]!.destination.startsWith("/")) {
    throw controlError("INVALID", "both control and data URLs are needed");
  }
  return { outputType: OutputType.LOCAL, uris };
}

/** The numbers of the kinds. */
export const kindNumbers: Readonly<Record<SessionKindName, number>> = {
  regular: SessionKind.REGULAR,
  snapshot: SessionKind.SNAPSHOT,
  live: SessionKind.LIVE,
};
