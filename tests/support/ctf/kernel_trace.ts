/**
 * Traces like those of LTTng's kernel tracer on several kinds of machines:
 * two processors, two channels, packets lost and events discarded.
 */

import { packMetadata } from "../../../lib/ctf/metadata_packet.ts";
import { type BitOrder, BitWriter } from "./bit_writer.ts";
import {
  array,
  declare,
  enumeration,
  type Field,
  integer,
  type IntegerOptions,
  put,
  sequence,
  string,
  struct,
  text,
  type Type,
  type Values,
  variant,
} from "./fields.ts";

/** How a machine's kernel lays out what it records. */
export interface Machine {
  readonly name: string;
  readonly order: BitOrder;
  /** Bits of `unsigned long`. */
  readonly word: 32 | 64;
  /** Whether integers lie at multiples of their size, as where they must. */
  readonly natural: boolean;
  /** Whether metadata is in packets. */
  readonly packets: boolean;
}

export const MACHINES: readonly Machine[] = [
  { name: "x86_64", order: "le", word: 64, natural: false, packets: true },
  { name: "i386", order: "le", word: 32, natural: false, packets: false },
  { name: "armv7", order: "le", word: 32, natural: true, packets: true },
  { name: "powerpc", order: "be", word: 32, natural: true, packets: false },
  { name: "ppc64", order: "be", word: 64, natural: true, packets: true },
];

/** Events in each packet. */
const PACKET_EVENTS = 80;
const PACKET_BYTES = 32_768;
/** Packet sequence numbers of each stream: one is lost. */
const PACKETS = [0, 1, 3];
const PROCESSORS = 2;
/** Events in a whole trace. */
export const KERNEL_EVENTS = PACKET_EVENTS * PACKETS.length * PROCESSORS * 2;

const UUID = "2a6422d0-6cee-11e0-8c08-cb07d7b3a564";
const CLOCK = "map = clock.monotonic.value;";
const START = 40_000_000_000n;

/** The types of one machine. */
class Kernel {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  integer(
    bits: number,
    values: Values<number | bigint>,
    options: IntegerOptions = {},
  ): Type {
    const align = bits % 8 > 0 ? 1 : this.#machine.natural ? bits : 8;
    return integer(bits, values, { align, ...options });
  }

  /** `unsigned long` and, with an option, `long`. */
  word(values: Values<number | bigint>, options: IntegerOptions = {}): Type {
    return this.integer(this.#machine.word, values, options);
  }

  /** Length and elements; where alignment counts, padding before them. */
  sequence(
    name: string,
    length: Values<number>,
    element: Values<Type>,
  ): Field[] {
    const { align } = element(0);
    return [
      { name: `_${name}_length`, type: this.integer(16, length) },
      ...align > 8
        ? [{ name: `_${name}_padding`, type: struct([], align) }]
        : [],
      {
        name: `_${name}`,
        type: sequence(`_${name}_length`, length, element),
      },
    ];
  }

  get packetHeader(): Type {
    const uuid = Uint8Array.fromHex(UUID.replaceAll("-", ""));
    return struct([
      { name: "magic", type: this.integer(32, () => 0xC1FC1FC1) },
      {
        name: "uuid",
        type: array(16, () => this.integer(8, (at) => uuid[at]!)),
      },
      { name: "stream_id", type: this.integer(32, (n) => n >> 8) },
      { name: "stream_instance_id", type: this.integer(64, (n) => n & 255) },
    ]);
  }

  packetContext(packet: PacketFacts): Type {
    const clock = (values: Values<bigint>) =>
      this.integer(64, values, { more: CLOCK });
    return struct([
      { name: "timestamp_begin", type: clock(() => packet.begin) },
      { name: "timestamp_end", type: clock(() => packet.end) },
      { name: "content_size", type: this.integer(64, () => packet.content) },
      { name: "packet_size", type: this.integer(64, () => PACKET_BYTES * 8) },
      { name: "packet_seq_num", type: this.integer(64, () => packet.number) },
      { name: "events_discarded", type: this.word(() => packet.discarded) },
      { name: "cpu_id", type: this.integer(32, () => packet.processor) },
    ]);
  }

  /** In channel 0 compact, in channel 1 large; `n` is the event's class. */
  header(channel: number, time: bigint, extended: boolean): Type {
    const [idBits, idMaximum, timeBits, align] = channel === 0
      ? [5, 31, 27, 1]
      : [16, 65535, 32, this.#machine.natural ? 16 : 8];
    const more = CLOCK;
    const id = (n: number) => extended ? idMaximum : n;
    const labels = `compact = 0 ... ${idMaximum - 1}, extended = ${idMaximum}`;
    const brief = integer(timeBits, () => time, {
      align: channel === 0 ? 1 : this.#machine.natural ? 32 : 8,
      more,
    });
    const full = this.integer(64, () => time, { more });
    const options = [
      struct([{ name: "timestamp", type: brief }]),
      struct([
        { name: "id", type: this.integer(32, (n) => n) },
        { name: "timestamp", type: full },
      ]),
    ];
    return struct([
      { name: "id", type: enumeration(labels, integer(idBits, id, { align })) },
      {
        name: "v",
        type: variant("id", () => extended ? 1 : 0, [
          { name: "compact", type: options[0]! },
          { name: "extended", type: options[1]! },
        ]),
      },
    ], this.#machine.natural ? 32 : 8);
  }

  get eventContext(): Type {
    const address = (n: number) => 0xC0DE_0000 + n;
    return struct([
      { name: "_tid", type: this.integer(32, (n) => n - 1, SIGNED) },
      { name: "_procname", type: text(16, (n) => `worker/${n % 4}:1`) },
      ...this.sequence(
        "callstack_kernel",
        (n) => n % 4,
        (n) => this.word((at) => address(n + at), { base: "16" }),
      ),
    ]);
  }

  /** The fields of each class of events. */
  get events(): Readonly<Record<string, readonly Field[]>> {
    const byte = (values: Values<number>, base: string) =>
      this.integer(8, values, { base });
    const flags = { "base": "8" };
    const part = (bits: number) => this.integer(bits, (n) => n % 2 ** bits);
    const ipv4 = struct([
      { name: "version", type: part(4) },
      { name: "ihl", type: part(4) },
      { name: "tos", type: byte((n) => n, "16") },
      { name: "tot_len", type: integer(16, (n) => n, NETWORK) },
      {
        name: "saddr",
        type: array(4, (n) => byte((at) => n + at, "10")),
      },
    ]);
    const ipv6 = struct([
      { name: "version", type: part(4) },
      { name: "flow_lbl", type: part(20) },
      {
        name: "daddr",
        type: array(8, (n) => integer(16, (at) => n * at, NETWORK)),
      },
    ]);
    return {
      sched_switch: [
        { name: "_prev_comm", type: text(16, (n) => `swapper/${n % 2}`) },
        { name: "_prev_tid", type: this.integer(32, (n) => n, SIGNED) },
        { name: "_prev_prio", type: this.integer(32, () => 20, SIGNED) },
        { name: "_prev_state", type: this.word((n) => n % 3 - 1, SIGNED) },
        // Exactly as long as it may be: no zero byte ends it.
        { name: "_next_comm", type: text(16, () => "exactly-16-bytes") },
      ],
      syscall_entry_openat: [
        { name: "_dfd", type: this.integer(32, () => -100, SIGNED) },
        { name: "_filename", type: string((n) => `/tmp/é "${n}"\n`) },
        { name: "_flags", type: this.integer(32, (n) => n * 512, flags) },
        { name: "_mode", type: this.integer(16, (n) => n, flags) },
      ],
      syscall_exit_read: [
        { name: "_ret", type: this.word((n) => n % 5 - 4, SIGNED) },
        { name: "_buf", type: this.word((n) => n * 4097, { base: "16" }) },
      ],
      syscall_entry_select: [
        ...this.sequence(
          "readfds",
          (n) => n % 3,
          (n) => byte((at) => n + at, "16"),
        ),
        ...this.sequence(
          "times",
          (n) => (n + 1) % 3,
          (n) => this.integer(64, (at) => BigInt(n) << BigInt(8 * at)),
        ),
        { name: "_tvp", type: this.word((n) => n, { base: "hexadecimal" }) },
      ],
      net_dev_queue: [
        { name: "_skbaddr", type: this.word(() => -1, { base: "x" }) },
        {
          name: "_network_header_type",
          type: enumeration(
            '"_unknown" = 0, "_ipv4" = 4, "_ipv6" = 6',
            byte((n) => [0, 4, 6][n % 3]!, "10"),
          ),
        },
        {
          name: "_network_header",
          type: variant("_network_header_type", (n) => n % 3, [
            { name: "_unknown", type: struct([]) },
            { name: "_ipv4", type: ipv4 },
            { name: "_ipv6", type: ipv6 },
          ]),
        },
      ],
      irq_softirq_raise: [
        {
          name: "_vec",
          type: enumeration(
            'HI = 0, "TIMER" = 1, NET_TX = 2 ... 3, BLOCK = 4, IRQ_POLL',
            this.integer(32, (n) => n % 8),
          ),
        },
        {
          name: "_masks",
          type: array(
            2,
            () =>
              array(3, (n) => this.integer(32, (at) => n + at, { base: "b" })),
          ),
        },
      ],
      timer_hrtimer_start: [
        { name: "_small", type: this.integer(8, (n) => -n, SIGNED) },
        { name: "_expires", type: this.integer(64, (n) => -n, SIGNED) },
        {
          name: "_softexpires",
          type: this.integer(64, (n) => 2n ** 63n + BigInt(n)),
        },
      ],
      lttng_statedump_end: [],
    };
  }
}

const SIGNED: IntegerOptions = { signed: true };
const NETWORK: IntegerOptions = { order: "be" };

/** What a packet's context says. */
interface PacketFacts {
  readonly number: number;
  readonly processor: number;
  readonly discarded: number;
  readonly begin: bigint;
  readonly end: bigint;
  /** In bits. */
  readonly content: number;
}

const NO_PACKET: PacketFacts = {
  number: 0,
  processor: 0,
  discarded: 0,
  begin: 0n,
  end: 0n,
  content: 0,
};

/** What lttng-modules 2.13 declares, for this machine. */
export function kernelMetadata(machine: Machine): string {
  const kernel = new Kernel(machine);
  const streams = [0, 1].map((channel) => `
stream {
	id = ${channel};
	event.header := ${kernel.header(channel, 0n, false).declared};
	packet.context := ${kernel.packetContext(NO_PACKET).declared};
	event.context := ${kernel.eventContext.declared};
};
${
    Object.entries(kernel.events).map(([name, fields], id) => `
event {
	name = "${name}";
	id = ${id};
	stream_id = ${channel};
	fields := struct {
${declare(fields)}};
};
`).join("")
  }`);
  return `/* CTF 1.8 */

trace {
	major = 1;
	minor = 8;
	uuid = "${UUID}";
	byte_order = ${machine.order};
	packet.header := ${kernel.packetHeader.declared};
};

env {
	hostname = "target";
	domain = "kernel";
	sysname = "Linux";
	kernel_release = "6.1.0";
	tracer_name = "lttng-modules";
	tracer_major = 2;
	tracer_minor = 13;
	architecture = "${machine.name}";
};

clock {
	name = "monotonic";
	uuid = "cb35f5a5-f0a6-441f-b5c7-c7fb50c2e051";
	description = "Monotonic Clock";
	freq = 1000000000; /* Frequency, in Hz */
	/* clock value offset from Epoch is: offset * (1/freq) */
	offset = 1700000000123456789;
};
${streams.join("")}`;
}

/** Event number `n` of a stream, of a class with this id. */
function putEvent(
  out: BitWriter,
  kernel: Kernel,
  channel: number,
  { n, id, time, extended }: {
    n: number;
    id: number;
    time: bigint;
    extended: boolean;
  },
): void {
  put(out, kernel.header(channel, time, extended), id);
  put(out, kernel.eventContext, n);
  const fields = Object.values(kernel.events)[id]!;
  put(out, struct(fields), n);
}

/** When event `n` of a processor happened: now and then after a long pause. */
function timeOf(n: number, processor: number): bigint {
  const pauses = BigInt(Math.floor(n / 25)) * 10_000_000_000n;
  return START + pauses + BigInt(n) * 50_000_000n + BigInt(processor * 777);
}

function packetBytes(
  machine: Machine,
  channel: number,
  processor: number,
  at: number,
): Uint8Array<ArrayBuffer> {
  const kernel = new Kernel(machine);
  const classes = Object.keys(kernel.events).length;
  const first = at * PACKET_EVENTS;
  const facts = (content: number): PacketFacts => ({
    number: PACKETS[at]!,
    processor,
    discarded: at * 3 * processor,
    begin: timeOf(first, processor),
    end: timeOf(first + PACKET_EVENTS, processor) - 1n,
    content,
  });
  function write(content: number): BitWriter {
    const out = new BitWriter(machine.order);
    put(out, kernel.packetHeader, channel * 256 + processor);
    put(out, kernel.packetContext(facts(content)), 0);
    for (let n = first; n < first + PACKET_EVENTS; n++) {
      const time = timeOf(n, processor);
      // Where the compact time would not tell how long it was.
      const extended = n > first && n % 25 === 0;
      putEvent(out, kernel, channel, { n, id: n % classes, time, extended });
    }
    return out;
  }
  return write(write(0).position).take(PACKET_BYTES);
}

/** Writes a whole trace into a directory of its own. */
export async function writeKernelTrace(
  directory: string,
  machine: Machine,
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  const metadata = kernelMetadata(machine);
  const uuid = Uint8Array.fromHex(UUID.replaceAll("-", ""));
  await Deno.writeFile(
    `${directory}/metadata`,
    machine.packets
      ? packMetadata(metadata, uuid, machine.order)
      : new TextEncoder().encode(metadata),
  );
  for (const channel of [0, 1]) {
    for (let processor = 0; processor < PROCESSORS; processor++) {
      const packets = PACKETS.map((_, at) =>
        packetBytes(machine, channel, processor, at)
      );
      const file = new Blob(packets);
      await Deno.writeFile(
        `${directory}/channel${channel}_${processor}`,
        new Uint8Array(await file.arrayBuffer()),
      );
    }
  }
}
