/** Times as LTTng writes them into names of directories, in local time. */

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function date(time: Date): string {
  return [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())]
    .join("");
}

function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two)
    .join("");
}

/** `YYYYMMDD-HHMMSS`, as sessions and snapshots have it. */
export function dateTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  return `${date(time)}-${clock(time)}`;
}
