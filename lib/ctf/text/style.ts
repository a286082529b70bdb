/** How parts of an event are told apart: by their names, and by colour. */

/** What is written around parts of an event. */
export interface Colors {
  readonly time: string;
  readonly eventName: string;
  /** The name of a scope, or of a field before the event's name. */
  readonly title: string;
  readonly fieldName: string;
  readonly value: string;
  readonly unknown: string;
  /** After each of them. */
  readonly end: string;
}

/** No colour at all. */
export const PLAIN: Colors = {
  time: "",
  eventName: "",
  title: "",
  fieldName: "",
  value: "",
  unknown: "",
  end: "",
};

const BOLD = "\x1b[1m";

/** The colours of babeltrace2, as it writes them. */
export const COLORED: Colors = {
  time: `${BOLD}${BOLD}\x1b[33m`,
  eventName: `${BOLD}${BOLD}\x1b[35m`,
  title: BOLD,
  fieldName: "\x1b[36m",
  value: BOLD,
  unknown: `${BOLD}${BOLD}\x1b[31m`,
  end: "\x1b[0m",
};

/** How fields are printed. */
export interface FieldStyle {
  /** Whether as `NAME = VALUE`. */
  readonly names: boolean;
  readonly colors: Colors;
  /** Several labels of one value in braces, as babeltrace2 has them since 2.1. */
  readonly groupsLabels: boolean;
}
