/** What trackers look at, in the words of messages and reports. */

import type { ProcessAttributeName } from "../../control/names.ts";
import type { TrackedValue } from "../../control/tracking.ts";
import type { ReportElement } from "../lttng/report.ts";

/** The attributes, in the order of LTTng's numbers. */
export const PROCESS_ATTRIBUTES: readonly ProcessAttributeName[] = [
  ...["pid", "vpid", "uid", "vuid", "gid", "vgid"] as const,
];

/** The attributes that the tracer of programs can look at. */
export const UST_ATTRIBUTES: readonly ProcessAttributeName[] = [
  ...["vpid", "vuid", "vgid"] as const,
];

const WORDS: Readonly<Record<ProcessAttributeName, string>> = {
  pid: "process ID",
  vpid: "virtual process ID",
  uid: "user ID",
  vuid: "virtual user ID",
  gid: "group ID",
  vgid: "virtual group ID",
};

/** `virtual process ID` for `vpid`. */
export function attributeWords(attribute: ProcessAttributeName): string {
  return WORDS[attribute];
}

/** `Virtual process ID` for `vpid`. */
export function attributeTitle(attribute: ProcessAttributeName): string {
  const words = WORDS[attribute];
  return `${words[0]?.toUpperCase()}${words.slice(1)}`;
}

/** Adds a tracker to a report; its values go into what is returned. */
export function reportTracker(
  trackers: ReportElement,
  attribute: ProcessAttributeName,
): ReportElement {
  return trackers.add(`${attribute}_process_attr_tracker`)
    .add("process_attr_values");
}

/** Adds a value to a tracker in a report; "all" has no value. */
export function reportTrackedValue(
  values: ReportElement,
  attribute: ProcessAttributeName,
  value: TrackedValue | bigint | undefined,
): ReportElement {
  const element = values.add(attribute);
  element.add("type").fields(
    value === undefined
      ? { all: true }
      : typeof value === "string"
      ? { name: value }
      : { id: value },
  );
  return element;
}
