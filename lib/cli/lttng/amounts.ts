/** Counts and sizes as people read them. */

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;
/** How many of a unit make one of the next. */
const STEP = 1_024;

/** `1 packet`, `12 packets`. */
export function counted(count: bigint, noun: string): string {
  return `${count} ${noun}${count === 1n ? "" : "s"}`;
}

/** `512 bytes`, `3.1 MiB`. */
export function sizeText(bytes: bigint): string {
  let size = Number(bytes);
  let unit = 0;
  for (; size >= STEP && unit < UNITS.length - 1; unit++) size /= STEP;
  return unit === 0
    ? counted(bytes, "byte")
    : `${size.toFixed(1)} ${UNITS[unit]}`;
}
