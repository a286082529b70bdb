/**
 * Traces a small workload into a directory, and prints how to read it.
 *
 * ```sh
 * deno run --allow-read --allow-write examples/trace_to_directory.ts [DIRECTORY]
 * ```
 */

import {
  defineEvent,
  DirectorySink,
  enumeration,
  float64,
  sequence,
  string,
  Tracer,
  u32,
  u8,
} from "../mod.ts";

const factored = defineEvent("sample:factored", {
  number: u32,
  kind: enumeration(u8, { one: 0, prime: 1, composite: 2 }),
  factors: sequence(u32),
  milliseconds: float64,
}, { logLevel: "info" });

const finished = defineEvent("sample:finished", { message: string });

function factorsOf(number: number): number[] {
  const factors: number[] = [];
  let rest = number;
  for (let divisor = 2; divisor * divisor <= rest; divisor++) {
    for (; rest % divisor === 0; rest /= divisor) factors.push(divisor);
  }
  if (rest > 1) factors.push(rest);
  return factors;
}

function kindOf(factors: readonly number[]): "one" | "prime" | "composite" {
  if (factors.length === 0) return "one";
  return factors.length === 1 ? "prime" : "composite";
}

const directory = Deno.args[0] ??
  `${await Deno.makeTempDir({ prefix: "trace-" })}/trace`;

const tracer = new Tracer({
  sink: new DirectorySink(directory),
  name: "trace_to_directory",
});

for (let number = 1; number <= 10_000; number++) {
  const begin = performance.now();
  const factors = factorsOf(number);
  tracer.record(factored, {
    number,
    kind: kindOf(factors),
    factors,
    milliseconds: performance.now() - begin,
  });
  // Lets the tracer hand over what it has: record() itself never waits.
  if (number % 1000 === 0) await tracer.flush();
}
tracer.record(finished, { message: "That was all" });

const report = await tracer.stop();
console.log(
  `${report.events} events in ${report.packets} packets, ` +
    `${report.discarded} discarded`,
);
for (const error of report.errors) console.error(error);
console.log(`Read them with: babeltrace2 ${directory}`);
