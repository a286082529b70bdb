/**
 * `deno task demo`: the whole path in a few seconds. Root sees the kernel
 * traced, everyone else a program.
 */

import { kernelDemo, kernelMissing } from "./demo/kernel.ts";
import { programDemo } from "./demo/program.ts";

const missing = await kernelMissing();
if (missing === undefined) Deno.exit(await kernelDemo());
console.log(`${missing}\nSo a program is traced instead.\n`);
Deno.exit(await programDemo());
