/** Filters as text, turned into what a session daemon takes. */

import { FILTER_BYTES } from "../../base/limits.ts";
import { padding } from "../../wire/compose.ts";
import { lengthOf, u32, u64 } from "../../wire/little_endian.ts";
import { struct, tail } from "../../wire/struct.ts";
import type { SessiondMinor } from "../../wire/sessiond/version.ts";
import { FilterError } from "./error.ts";
import { generate } from "./generate.ts";
import { parseFilter } from "./parser.ts";

/** The container (`struct lttng_bytecode`), by the padding of its header. */
function container(paddingBytes: number) {
  return struct("filter bytecode", {
    length: lengthOf("codeAndRelocations"),
    /** Bytes of code, after which the relocations come. */
    relocationOffset: u32,
    sequence: u64,
    reserved: padding(paddingBytes),
    codeAndRelocations: tail,
  });
}

const container2_12 = container(32);
const container2_15 = container(48);

/**
 * The bytecode of a filter, as session daemons of `minor` take it.
 *
 * @throws {FilterError} With the place where the filter is wrong.
 */
export function compileFilter(
  filter: string,
  minor: SessiondMinor = 13,
): Uint8Array<ArrayBuffer> {
  const whole = { start: 0, end: filter.length };
  const textBytes = new TextEncoder().encode(filter).length + 1;
  if (textBytes > FILTER_BYTES) {
    throw new FilterError(`${textBytes} bytes > ${FILTER_BYTES}`, whole);
  }
  const { code, relocations } = generate(parseFilter(filter));
  const codeAndRelocations = new Uint8Array(code.length + relocations.length);
  codeAndRelocations.set(code);
  codeAndRelocations.set(relocations, code.length);
  const layout = minor >= 15 ? container2_15 : container2_12;
  const bytes = layout.encode({
    relocationOffset: code.length,
    sequence: 0n,
    codeAndRelocations,
  });
  if (bytes.length > FILTER_BYTES) {
    throw new FilterError(
      `${bytes.length} bytes of bytecode > ${FILTER_BYTES}`,
      whole,
    );
  }
  return bytes;
}
