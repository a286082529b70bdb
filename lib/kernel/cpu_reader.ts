/** Turns the ring buffer of one processor into CTF packets. */

import {
  PACKET_SIZE_UNIT,
  PacketWriter,
  type PacketWriterOptions,
  type PreparedEvent,
} from "../ctf/packet.ts";
import type { PacketInfo } from "../ctf/sink.ts";
import { type PageLayout, pageSizeOf } from "./format.ts";
import { LossLedger, lostEvents, type RingCounters } from "./loss.ts";
import type { RecordObserver } from "./observers.ts";
import {
  PageError,
  PageReader,
  type PageSource,
  type StackIds,
} from "./page.ts";
import type { ThreadTable } from "./threads.ts";

/** What becomes of the records of one event. */
export interface EventEntry {
  /** Bytes that a record has at least. */
  readonly size: number;
  /** Unset where the event is only looked at. */
  readonly event?: PreparedEvent;
  readonly observe?: RecordObserver;
}

/** Entries by what `common_type` holds. */
export type EventTable = (EventEntry | undefined)[];

/** A packet that is ready for a sink. */
export interface FinishedPacket {
  readonly cpu: number;
  /** Valid until the emitting call returns. */
  readonly content: Uint8Array;
  readonly info: PacketInfo;
  /** Events in it. */
  readonly events: number;
}

/** What a reader is made of. */
export interface CpuReaderOptions {
  readonly cpu: number;
  readonly layout: PageLayout;
  readonly source: PageSource;
  readonly counters: () => RingCounters;
  /** Whether the ring buffer overwrites: then its pages tell of losses. */
  readonly overwrite: boolean;
  /**
   * Whether it is read on demand: then what was overwritten meanwhile is a gap
   * in the packets' sequence numbers, as in LTTng, and not events discarded.
   */
  readonly readOnDemand?: boolean;
  readonly packets: PacketWriterOptions;
  readonly events: EventTable;
  readonly threads: ThreadTable;
  /** Set where call stacks are recorded with events. */
  readonly stacks?: StackIds;
  /** Whether another packet can be emitted. */
  readonly hasRoom: () => boolean;
  readonly emit: (packet: FinishedPacket) => void;
}

/** Counts of one reader. All records are in one of the first five. */
export interface ReaderStatistics {
  /** Events in packets. */
  readonly events: number;
  /** Records that were only looked at. */
  readonly hidden: number;
  /** Records of events that it does not know. */
  readonly unknown: number;
  /** Records that are shorter than their event. */
  readonly malformed: number;
  /** Events too large for a packet; they are in `discarded` too. */
  readonly tooLarge: number;
  /** Events lost: by the ring buffer, or too large. */
  readonly discarded: number;
  /** Pages that contradict themselves. */
  readonly malformedPages: number;
  readonly pages: number;
  readonly packets: number;
}

/** What one call of {@linkcode CpuReader.drain} did. */
export interface DrainResult {
  /** Bytes of records that were read. */
  readonly bytes: number;
  /** It ended because no packet can be emitted. */
  readonly isBlocked: boolean;
  /** It ended at a page that could not be had at this moment. */
  readonly isBusy: boolean;
  /** It ended because there is nothing left that it was to read. */
  readonly isDone: boolean;
}

/** A page that is less full is the one that is being written: do not chase it. */
const CAUGHT_UP_FILL = 0.6;

/** Reads pages, writes packets, and accounts for every event between. */
export class CpuReader {
  readonly #options: CpuReaderOptions;
  readonly #page: PageReader;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #packet: PacketWriter;
  readonly #loss: LossLedger;
  /** Time of the last record that was read. */
  #readTo = 0;
  /** Whether pages were read since losses were looked for. */
  #isUnchecked = false;
  /** Whether viewers may know nothing of this stream since it was started. */
  #isUnheard = true;
  #isOpen = false;
  /** When the packet began. */
  #begun = 0;
  #lastTime = 0;
  #sequence = 0;
  #told = 0;
  /** Events that were overwritten, which packets do not tell of. */
  #untold = 0;
  #events = 0;
  #hidden = 0;
  #unknown = 0;
  #malformed = 0;
  #tooLarge = 0;
  #malformedPages = 0;
  #pages = 0;
  #packets = 0;

  constructor(options: CpuReaderOptions) {
    this.#options = options;
    this.#page = new PageReader(options.layout);
    this.#buffer = new Uint8Array(pageSizeOf(options.layout));
    this.#view = new DataView(this.#buffer.buffer);
    this.#packet = new PacketWriter(options.packets);
    this.#loss = new LossLedger(options.counters);
  }

  /** What became of the records so far. */
  get statistics(): ReaderStatistics {
    return {
      events: this.#events,
      hidden: this.#hidden,
      unknown: this.#unknown,
      malformed: this.#malformed,
      tooLarge: this.#tooLarge,
      discarded: this.#discarded,
      malformedPages: this.#malformedPages,
      pages: this.#pages,
      packets: this.#packets,
    };
  }

  /**
   * Reads the pages that are full, or every page that has events from before
   * `until`, but no more than `pages`, as long as packets can be emitted. A
   * writer is never chased: it may write as fast as pages are read.
   */
  drain(until?: number, pages = Infinity): DrainResult {
    const { source, hasRoom, overwrite } = this.#options;
    let bytes = 0;
    let count = 0;
    let size = 0;
    let isBlocked = false;
    let isDone = false;
    while (count < pages && !isDone) {
      isBlocked = !hasRoom();
      if (isBlocked) break;
      size = source.read(this.#buffer);
      if (size <= 0) break;
      this.#readPage();
      count++;
      bytes += this.#page.committed;
      isDone = until === undefined
        ? this.#page.fill < CAUGHT_UP_FILL
        : this.#readTo > until;
    }
    isDone ||= size === 0 && !isBlocked;
    // What is lost came after all that is there: not between two pages of it.
    if (!overwrite && (isDone || count < pages)) this.#checkDropped();
    return { bytes, isBlocked, isBusy: size < 0, isDone };
  }

  /** Time of the last record that was read. */
  get readTo(): number {
    return this.#readTo;
  }

  /** Whether the ring buffer lost events of which no page has told yet. */
  get hasNewLoss(): boolean {
    return lostEvents(this.#options.counters()) > this.#loss.total;
  }

  /**
   * Emits what is there, though the packet is not full. `time` is one before
   * which all is read: the packet says that it ends then. The first time, there
   * is a packet even of nothing: relay daemons before 2.15 tell viewers of the
   * silence of a stream only where it had one.
   */
  flush(time: number): void {
    if (this.#isUnheard && this.#options.readOnDemand !== true) this.#end(time);
    else this.#hand(time);
    // A writer that was interrupted may come with an earlier time yet, when
    // viewers know that there was nothing until now.
    this.#lastTime = Math.max(this.#lastTime, time);
  }

  /** Emits the rest, all losses told; to be drained before. */
  finish(): void {
    this.#hand(this.#lastTime);
    if (this.#loss.reconcile()) this.#hand(this.#lastTime);
    this.#isUnheard = true;
  }

  #hand(time: number): void {
    const hasNews = this.#isOpen && this.#packet.events > 0;
    if (hasNews || this.#tellable > this.#told) this.#end(time);
  }

  /** Events that are left in the ring buffer. */
  get left(): number {
    return this.#options.counters().entries;
  }

  /** Closes the source. */
  close(): void {
    this.#options.source.close();
  }

  get #discarded(): number {
    return this.#loss.total + this.#tooLarge;
  }

  /** Of those, what packets tell of. */
  get #tellable(): number {
    return this.#discarded - this.#untold;
  }

  get #isFlightRecorder(): boolean {
    const { readOnDemand, overwrite } = this.#options;
    return overwrite && readOnDemand === true;
  }

  #readPage(): void {
    const page = this.#page;
    this.#pages++;
    this.#isUnchecked = true;
    try {
      page.begin(this.#view);
      // The gap lies between two packets, so that readers see where it is.
      if (page.hasLoss) this.#addLoss(page.lost);
      this.#options.threads.cpu = this.#options.cpu;
      this.#readRecords(page);
      this.#readTo = page.time;
    } catch (error) {
      if (!(error instanceof PageError)) throw error;
      this.#malformedPages++;
    }
  }

  #readRecords(page: PageReader): void {
    const { events, threads, layout, stacks } = this.#options;
    const little = layout.littleEndian;
    const view = this.#view;
    while (page.next()) {
      const entry = events[view.getUint16(page.at, little)];
      if (entry === undefined) {
        this.#unknown++;
      } else if (page.size < entry.size) {
        this.#malformed++;
      } else {
        const { time } = page;
        if (stacks !== undefined) this.#hidden += page.takeStacks(stacks);
        if (entry.event === undefined) this.#hidden++;
        else this.#write(entry.event, page, time);
        entry.observe?.(page, threads);
      }
    }
  }

  #write(event: PreparedEvent, page: PageReader, recorded: number): void {
    // A step back would look as if the clock had wrapped.
    const time = recorded > this.#lastTime ? recorded : this.#lastTime;
    if (!this.#isOpen) this.#begin(time);
    if (!this.#packet.write(event, time, page)) {
      if (this.#packet.events === 0) {
        this.#tooLarge++;
        return;
      }
      this.#end(this.#lastTime);
      this.#begin(time);
      if (!this.#packet.write(event, time, page)) {
        this.#tooLarge++;
        return;
      }
    }
    this.#lastTime = time;
    this.#events++;
  }

  #addLoss(count: number | undefined): void {
    if (this.#isOpen && this.#packet.events > 0) this.#end(this.#lastTime);
    this.#loss.add(count);
    if (!this.#isFlightRecorder) return;
    this.#untold = this.#loss.total;
    this.#sequence++;
  }

  #checkDropped(): void {
    // A ring buffer that was empty was not full since the last look.
    if (!this.#isUnchecked) return;
    this.#isUnchecked = false;
    const before = this.#loss.total;
    if (!this.#loss.reconcile()) return;
    if (!this.#isOpen || this.#packet.events === 0) return;
    // What is in the packet came before; the next one tells of the loss.
    this.#end(this.#lastTime, before + this.#tooLarge);
  }

  #begin(time: number): void {
    this.#packet.begin(time);
    this.#begun = time;
    this.#isOpen = true;
  }

  #end(time: number, discarded: number = this.#tellable): void {
    const end = Math.max(time, this.#lastTime);
    if (!this.#isOpen) this.#begin(end);
    if (this.#sequence === 0 && discarded > 0) this.#writeOrigin();
    const packet = this.#packet;
    const info = packet.end(end, discarded, this.#sequence++);
    this.#lastTime = end;
    this.#told = discarded;
    this.#isOpen = this.#isUnheard = false;
    this.#emit(packet, info);
  }

  /**
   * Readers take losses from the difference of two packets: where the first
   * would tell of some already, an empty one with none goes before it.
   */
  #writeOrigin(): void {
    const origin = new PacketWriter({
      ...this.#options.packets,
      size: PACKET_SIZE_UNIT,
    });
    origin.begin(this.#begun);
    this.#emit(origin, origin.end(this.#begun, 0, this.#sequence++));
  }

  #emit(packet: PacketWriter, info: PacketInfo): void {
    this.#packets++;
    this.#options.emit({
      cpu: this.#options.cpu,
      content: packet.content,
      info,
      events: packet.events,
    });
  }
}
