/** What the arguments of system calls are, by the C type that tracefs declares. */

import { integer } from "../ctf/declare.ts";
import type { IntegerType } from "../ctf/types.ts";

const SIGNED_32 = integer(32, { signed: true });
const UNSIGNED_32 = integer(32);
const UNSIGNED_16 = integer(16);
const SIGNED_64 = integer(64, { signed: true });
const UNSIGNED_64 = integer(64);

/** The types whose width is the same on every Linux. */
const TYPES: Readonly<Record<string, IntegerType>> = {
  "int": SIGNED_32,
  "s32": SIGNED_32,
  "__s32": SIGNED_32,
  "pid_t": SIGNED_32,
  "clockid_t": SIGNED_32,
  "timer_t": SIGNED_32,
  "mqd_t": SIGNED_32,
  "key_t": SIGNED_32,
  "key_serial_t": SIGNED_32,
  "rwf_t": SIGNED_32,
  "qid_t": UNSIGNED_32,
  "unsigned": UNSIGNED_32,
  "unsigned int": UNSIGNED_32,
  "uint32_t": UNSIGNED_32,
  "u32": UNSIGNED_32,
  "__u32": UNSIGNED_32,
  "uid_t": UNSIGNED_32,
  "gid_t": UNSIGNED_32,
  "short": integer(16, { signed: true }),
  "unsigned short": UNSIGNED_16,
  "umode_t": integer(16, { base: 8 }),
  "old_uid_t": UNSIGNED_16,
  "old_gid_t": UNSIGNED_16,
  "u64": UNSIGNED_64,
  "__u64": UNSIGNED_64,
  "uint64_t": UNSIGNED_64,
  "loff_t": SIGNED_64,
};

/** Types of the width of a C `long`, and whether they have a sign. */
const LONGS: Readonly<Record<string, boolean>> = {
  "long": true,
  "long int": true,
  "off_t": true,
  "ssize_t": true,
  "time_t": true,
  "unsigned long": false,
  "size_t": false,
};

/** How an argument of C type `type` is written: as LTTng writes it. */
export function syscallArgumentType(
  type: string,
  longSize: 4 | 8,
): IntegerType {
  const plain = type.replace(/\b(const|volatile)\b/g, "").trim();
  const bits = longSize * 8;
  if (plain.includes("*")) return integer(bits, { base: 16 });
  const known = TYPES[plain];
  if (known !== undefined) return known;
  const signed = LONGS[plain];
  if (signed !== undefined) return integer(bits, { signed });
  if (plain.startsWith("enum ")) return SIGNED_32;
  // A pointer behind a typedef, or something new.
  return integer(bits, { base: 16 });
}
