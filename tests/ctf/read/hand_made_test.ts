import { assertEquals } from "@std/assert";
import { TraceReader } from "../../../lib/ctf/read/trace_reader.ts";
import { toObject } from "../../../lib/ctf/read/model.ts";
import { stockTest } from "../../support/stock.ts";
import { withTraceDirectory } from "../recording.ts";
import { writeHandMade } from "./hand_made.ts";
import { readOurs, readStock } from "./plain_text.ts";

for (const byteOrder of ["le", "be"] as const) {
  stockTest(
    `TraceReader reads variants, references and a slow clock as babeltrace2 does, ${byteOrder}`,
    { programs: ["babeltrace2"] },
    async () => {
      await withTraceDirectory(async (directory) => {
        await writeHandMade(directory, byteOrder);
        const ours = await readOurs(directory);
        const stock = await readStock(directory);
        assertEquals(ours.errors, []);
        assertEquals(ours.lines.length, 3);
        assertEquals(ours.lines, stock.lines, stock.warnings);
      });
    },
  );

  Deno.test(`TraceReader tells classes, environment and clocks, ${byteOrder}`, async () => {
    await withTraceDirectory(async (directory) => {
      await writeHandMade(directory, byteOrder);
      const reader = await TraceReader.open(directory);
      const trace = reader.traces[0]!;
      assertEquals([...trace.environment], [
        ["hostname", "by-hand"],
        ["domain", "kernel"],
        ["tracer_name", "lttng-modules"],
        ["tracer_major", 2n],
        ["word", "ab!!\n"],
      ]);
      assertEquals(trace.byteOrder, byteOrder);
      assertEquals(trace.clocks.get("cycles"), {
        name: "cycles",
        description: "Counts at 8 MHz",
        frequency: 8_000_000n,
        offsetSeconds: 1_326_476_837n,
        offset: 897_235_420n,
        precision: 100n,
      });
      const [, line, other] = [...reader.messages()];
      if (line?.kind !== "event" || other?.kind !== "event") {
        throw new Error("Events expected");
      }
      assertEquals([line.class.logLevel, line.class.emfUri], [
        6,
        "http://example.com/",
      ]);
      assertEquals([line.cycles, other.cycles], [2000n, 2n ** 27n + 500n]);
      const { class: eventClass, payload } = line;
      assertEquals(toObject(eventClass.payload!, payload!), {
        tag: 2,
        nested: { v: { x: 513, y: -3 } },
        a: [1, 2],
        b: [[3], [4]],
        f: 1.5,
        e: 0,
      });
      assertEquals(line.streamContext, [2, "ab"]);
    });
  });
}
