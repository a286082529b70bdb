/** What a recording gives to its channels. */

import type { MetadataQueue } from "../ctf/metadata_queue.ts";
import type { EventCatalog } from "./naming.ts";
import type { Probes } from "./probes.ts";
import type { StreamWriter } from "./stream_writer.ts";
import type { Tracefs } from "./tracefs.ts";

/** The part of a `Recording` that its channels use. */
export interface RecordingHost {
  readonly name: string;
  readonly hostname: string;
  readonly uuid: Uint8Array;
  readonly tracefs: Tracefs;
  readonly catalog: EventCatalog;
  readonly metadata: MetadataQueue;
  readonly probes: Probes;
  /** A stream of the sink, not yet opened. */
  writer(name: string): StreamWriter;
  /** Takes what goes wrong without stopping the recording. */
  warn(text: string): void;
}
