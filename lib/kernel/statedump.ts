/** Records the system's state in a stream of its own. */

import { printEventClass, printStreamClass } from "../ctf/metadata.ts";
import {
  PacketWriter,
  type PreparedEvent,
  prepareEvent,
} from "../ctf/packet.ts";
import type { EventClass } from "../ctf/event_class.ts";
import { SystemClocks } from "../os/clock.ts";
import {
  blockRecords,
  interruptRecords,
  networkRecords,
  processorRecords,
  processRecords,
} from "./proc_state.ts";
import type { RecordingHost } from "./recording_host.ts";
import {
  STATE_EVENTS,
  type StateRecord,
  stateRecord,
} from "./statedump_events.ts";
import type { StreamWriter } from "./stream_writer.ts";
import { LITTLE_ENDIAN } from "./tracefs.ts";

/** The channel of the state dump; no processor is its own. */
const STREAM_NAME = "lttng-statedump_0";

const PACKET_SIZE = 256 * 1024;

/** So many processes are read before others have their turn. */
const PROCESSES_AT_ONCE = 64;

/** The stream of state dumps of one recording. */
export class StateDump {
  readonly #host: RecordingHost;
  readonly #streamClassId: number;
  readonly #writer: StreamWriter;
  readonly #packet: PacketWriter;
  readonly #prepared = new Map<EventClass, PreparedEvent>();
  #clocks: SystemClocks | undefined;
  #dumping: Promise<void> = Promise.resolve();
  #time = 0;
  #sequence = 0;
  #discarded = 0;

  constructor(host: RecordingHost, streamClassId: number) {
    this.#host = host;
    this.#streamClassId = streamClassId;
    this.#writer = host.writer(STREAM_NAME);
    this.#packet = new PacketWriter({
      size: PACKET_SIZE,
      byteOrder: LITTLE_ENDIAN ? "le" : "be",
      uuid: host.uuid,
      streamClassId,
      streamInstanceId: 0,
      eventHeader: "large",
    });
  }

  /** Declares the events and opens the stream. */
  async open(): Promise<void> {
    const { metadata } = this.#host;
    metadata.append(printStreamClass(this.#streamClassId, "large"));
    Object.values(STATE_EVENTS).forEach((event, id) => {
      const { name, payload } = event as EventClass;
      metadata.append(
        printEventClass({ name, payload }, id, this.#streamClassId),
      );
      const byteOrder = LITTLE_ENDIAN ? "le" : "be";
      this.#prepared.set(
        event as EventClass,
        prepareEvent(event as EventClass, id, byteOrder),
      );
    });
    await this.#writer.open();
  }

  /** Records the state as it is now. */
  dump(): Promise<void> {
    const dumping = this.#dump();
    this.#dumping = dumping.catch(() => {});
    return dumping;
  }

  /** Resolves when what was recorded so far is handed over: never in a dump. */
  async idle(): Promise<void> {
    await this.#dumping;
  }

  async #dump(): Promise<void> {
    this.#clocks = new SystemClocks();
    try {
      this.#packet.begin(this.#now());
      await this.#write([stateRecord("start")]);
      let count = 0;
      for (const records of processRecords()) {
        await this.#write(records);
        if (++count % PROCESSES_AT_ONCE === 0) await nextTurn();
      }
      await this.#write(interruptRecords());
      await this.#write(networkRecords());
      await this.#write(blockRecords());
      await this.#write(processorRecords());
      await this.#write([stateRecord("end")]);
      await this.#hand();
    } finally {
      this.#clocks[Symbol.dispose]();
    }
  }

  /** Resolves when nothing is on its way. */
  async drain(): Promise<void> {
    await this.#writer.drain();
  }

  /** Closes the stream. */
  async close(): Promise<void> {
    await this.#writer.close();
  }

  async #write(records: readonly StateRecord[]): Promise<void> {
    for (const { event, values } of records) {
      const prepared = this.#prepared.get(event)!;
      const time = this.#now();
      if (this.#packet.write(prepared, time, values)) continue;
      await this.#hand();
      this.#packet.begin(time);
      if (!this.#packet.write(prepared, time, values)) this.#discarded++;
    }
  }

  /** Hands the packet over and waits for the sink: there is one buffer. */
  async #hand(): Promise<void> {
    const { events } = this.#packet;
    const info = this.#packet.end(
      this.#time,
      this.#discarded,
      this.#sequence++,
    );
    await this.#writer.write({ content: this.#packet.content, info, events });
  }

  #now(): number {
    this.#time = Math.max(this.#time, this.#clocks!.monotonic());
    return this.#time;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
