/** What the arguments of system calls are to LTTng, by the names and C types that tracefs declares. */

import { enumeration, integer } from "../ctf/declare.ts";
import type { EnumerationType, IntegerType, StringType } from "../ctf/types.ts";
import type { EventFormat, FormatField } from "./format.ts";

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

/** Arguments that are `char *`, but whose text nothing ends: buffers. */
const BUFFERS: readonly string[] = [
  ...["buf", "ubuf", "list", "optval", "shmaddr", "u_msg_ptr"],
];

/** Whether an argument is an address of text that ends with a NUL. */
export function isTextArgument({ name, type }: FormatField): boolean {
  return /^(const )?char \*$/.test(type) && !BUFFERS.includes(name);
}

/** Since Linux 6.19, the field with the text at the address in `argument`. */
function textOf(
  argument: FormatField,
  { fields }: EventFormat,
): FormatField | undefined {
  const name = `__${argument.name}_val`;
  return fields.find((field) =>
    field.name === name && field.type === "char" && field.storage === "located"
  );
}

/** The argument whose text `field` holds; `undefined` where it holds none. */
export function argumentOfText(
  field: FormatField,
  { fields }: EventFormat,
): FormatField | undefined {
  const name = /^__(\w+)_val$/.exec(field.name)?.[1];
  return field.storage === "located"
    ? fields.find((argument) => argument.name === name)
    : undefined;
}

/** What LTTng makes of an argument that it does not write as declared. */
interface ArgumentRule {
  /** Unset: the kernel's. */
  readonly name?: string;
  /** Unset: by the C type. */
  readonly type?: IntegerType | EnumerationType;
  /** LTTng does not write it. */
  readonly isLeftOut?: boolean;
}

/** As wide as a C `long`, and shown as an address. */
function address(longSize: 4 | 8): IntegerType {
  return integer(longSize * 8, { base: 16 });
}

/** By system call and argument, as LTTng-modules 2.13 has them by default. */
function argumentRule(
  syscall: string,
  argument: string,
  longSize: 4 | 8,
): ArgumentRule | undefined {
  switch (`${syscall}.${argument}`) {
    case "mmap.addr":
      return { type: address(longSize) };
    case "mmap.prot":
    case "mmap.flags":
    case "mmap.fd":
      return { type: SIGNED_32 };
    case "mmap.off":
      return { name: "offset", type: integer(longSize * 8, { signed: true }) };
    case "clone.clone_flags":
      return { name: "flags", type: address(longSize) };
    case "clone.newsp":
      return { type: address(longSize) };
    case "clone.parent_tidptr":
      return { name: "parent_tid" };
    case "clone.child_tidptr":
      return { name: "child_tid" };
    case "clone.tls":
      return { isLeftOut: true };
    case "epoll_ctl.op":
      return { name: "op_enum", type: EPOLL_OPERATION };
    default:
      return undefined;
  }
}

const EPOLL_OPERATION = enumeration(SIGNED_32, {
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CTL_MOD: 3,
});

/** An argument as it is written. */
export interface SyscallArgument {
  readonly name: string;
  /** Unset: as the field is declared. */
  readonly type: IntegerType | EnumerationType | StringType | undefined;
  /** Holds the value, or the text. */
  readonly field: FormatField;
}

const ENTRY = "sys_enter_";
const EXIT = "sys_exit_";

/** Arguments of the system call whose entry `format` is, in LTTng's order. */
export function syscallArguments(
  format: EventFormat,
  longSize: 4 | 8,
): SyscallArgument[] {
  const syscall = format.name.slice(ENTRY.length);
  const written: SyscallArgument[] = [];
  for (const field of format.fields) {
    if (field.name === "__syscall_nr") continue;
    if (argumentOfText(field, format) !== undefined) continue;
    const rule = argumentRule(syscall, field.name, longSize) ?? {};
    if (rule.isLeftOut === true) continue;
    const name = rule.name ?? field.name;
    // What is no text is written as its address, as LTTng does.
    const text = isTextArgument(field) ? textOf(field, format) : undefined;
    if (text !== undefined) {
      written.push({ name, type: { kind: "string" }, field: text });
      continue;
    }
    const isInteger = field.storage === "static" && !field.isArray;
    const type = isInteger
      ? rule.type ?? syscallArgumentType(field.type, longSize)
      : undefined;
    written.push({ name, type, field });
  }
  return written;
}

/** How LTTng writes what a system call returns. */
export function syscallResultType(
  { name }: EventFormat,
  longSize: 4 | 8,
): IntegerType {
  return name.slice(EXIT.length) === "mmap"
    ? address(longSize)
    : integer(longSize * 8, { signed: true });
}
