/** Events made by hand, of every class of field. */

import type {
  EventRecord,
  FieldClass,
  IntegerClass,
  NamedClass,
  StreamInfo,
  StructClass,
  Value,
} from "../../../lib/ctf/read/model.ts";

/** An integer class; unsigned, 32 bits and decimal where not said. */
export function integer(change: Partial<IntegerClass> = {}): IntegerClass {
  return {
    kind: "integer",
    size: 32,
    signed: false,
    base: 10,
    alignment: 8,
    byteOrder: "le",
    isCharacter: false,
    ...change,
  };
}

/** A struct class of these members. */
export function struct(members: Record<string, FieldClass>): StructClass {
  return {
    kind: "struct",
    minimumAlignment: 1,
    members: Object.entries(members).map(([name, fieldClass]): NamedClass => ({
      name,
      rawName: name,
      class: fieldClass,
    })),
  };
}

/** How a sample event differs from the plainest one. */
export interface SampleOptions {
  readonly timestamp?: bigint;
  readonly environment?: Readonly<Record<string, string | bigint>>;
  readonly logLevel?: number;
  readonly fields?: Readonly<Record<string, [FieldClass, Value]>>;
  readonly stream?: StreamInfo;
}

/** A stream of a trace with this environment. */
export function sampleStream(
  environment: Readonly<Record<string, string | bigint>> = { hostname: "here" },
): StreamInfo {
  return {
    path: "/traces/a/channel0_0",
    trace: {
      path: "/traces/a",
      uuid: "00000000-0000-4000-8000-000000000001",
      byteOrder: "le",
      environment: new Map(Object.entries(environment)),
      clocks: new Map(),
      streams: new Map(),
    },
    class: {
      id: 3n,
      packetContext: struct({ cpu_id: integer() }),
      clock: {
        name: "monotonic",
        frequency: 1_000_000_000n,
        offsetSeconds: 0n,
        offset: 0n,
        precision: 0n,
      },
      events: new Map(),
    },
    instanceId: 7n,
  };
}

/** An event `tp:one` in packets of processor 1. */
export function sampleEvent(options: SampleOptions = {}): EventRecord {
  const fields = Object.entries(options.fields ?? {});
  const { timestamp = 1_000_000_001n } = options;
  return {
    kind: "event",
    timestamp,
    cycles: timestamp,
    stream: options.stream ?? sampleStream(options.environment),
    class: {
      id: 0n,
      name: "tp:one",
      ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
      payload: struct(
        Object.fromEntries(fields.map(([name, [type]]) => [name, type])),
      ),
    },
    packetContext: [1],
    streamContext: undefined,
    context: undefined,
    payload: fields.map(([, [, value]]) => value),
  };
}
