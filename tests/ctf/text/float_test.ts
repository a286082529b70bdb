/** Floating point numbers as C prints them. */

import { assertEquals } from "@std/assert";
import { formatFloat } from "../../../lib/ctf/text/float.ts";

const PRINTED: readonly [number, string][] = [
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [-1.5, "-1.5"],
  [0.1, "0.1"],
  [100000, "100000"],
  [999999, "999999"],
  [999999.5, "1e+06"],
  [1e6, "1e+06"],
  [1234567, "1.23457e+06"],
  [99999.96, "100000"],
  [0.0001, "0.0001"],
  [0.00009999996, "0.0001"],
  [0.0000999999, "9.99999e-05"],
  [0.00001, "1e-05"],
  [1e100, "1e+100"],
  [-1e-300, "-1e-300"],
  [5e-324, "4.94066e-324"],
  [Number.MAX_VALUE, "1.79769e+308"],
  [Math.PI, "3.14159"],
  [Infinity, "inf"],
  [-Infinity, "-inf"],
  [NaN, "nan"],
];

Deno.test({
  name: "formatFloat() prints six significant digits",
  permissions: "none",
  fn: () => {
    assertEquals(
      PRINTED.map(([value]) => formatFloat(value)),
      PRINTED.map(([, text]) => text),
    );
  },
});

Deno.test({
  name: "formatFloat() rounds what is exactly halfway to the even digit",
  permissions: "none",
  fn: () => {
    const values = [123456.5, 123457.5, 1.0009765625, 12345.25, 1234565, 2.5];
    assertEquals(values.map(formatFloat), [
      "123456",
      "123458",
      "1.00098",
      "12345.2",
      "1.23456e+06",
      "2.5",
    ]);
  },
});
