/**
 * What a command tells a program: one tree of elements, written as LTTng's
 * machine interface (XML, schema 4.1) or as JSON.
 */

/** What an element without children holds. */
export type ReportValue = string | number | bigint | boolean;

/** The forms that a report can be written in. */
export type ReportForm = "xml" | "json";

/** An element: children, or a value, or nothing. */
export class ReportElement {
  readonly children: ReportElement[] = [];

  constructor(readonly name: string, readonly value?: ReportValue) {}

  /** Adds a child and returns it. */
  add(name: string, value?: ReportValue): ReportElement {
    const child = new ReportElement(name, value);
    this.children.push(child);
    return child;
  }

  /** Adds a child for each field and returns this element. */
  fields(fields: Readonly<Record<string, ReportValue | undefined>>): this {
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) this.add(name, value);
    }
    return this;
  }
}

const NAMESPACE = "https://lttng.org/xml/ns/lttng-mi";
const SCHEMA = "https://lttng.org/xml/schemas/lttng-mi/4/lttng-mi-4.1.xsd";

/** The report of one command; it is written if it was opened. */
export class Report {
  #output: ReportElement | undefined;
  #success: boolean | undefined;

  /** `command` is the name that the report begins with. */
  constructor(public command: string) {}

  /** Begins it; returns the element that its content goes to. */
  open(): ReportElement {
    return this.#output ??= new ReportElement("output");
  }

  /** Says how the command went; reports that were cut short do not. */
  close(success: boolean): void {
    this.#success = success;
  }

  /** The finished text, empty where nothing was begun. */
  format(form: ReportForm): string {
    if (this.#output === undefined) return "";
    const command = new ReportElement("command");
    command.add("name", this.command);
    command.children.push(this.#output);
    if (this.#success !== undefined) command.add("success", this.#success);
    if (form === "json") return `${formatJson(command)}\n`;
    const attributes = ` xmlns="${NAMESPACE}"` +
      ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"` +
      ` xsi:schemaLocation="${NAMESPACE} ${SCHEMA}" schemaVersion="4.1"`;
    return '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `${formatXml(command, attributes)}\n`;
  }
}

/** An element as XML, without any blanks between tags. */
export function formatXml(element: ReportElement, attributes = ""): string {
  const { name, value, children } = element;
  if (value === undefined && children.length === 0) {
    return `<${name}${attributes}/>`;
  }
  const content = value === undefined
    ? children.map((child) => formatXml(child)).join("")
    : escapeXml(String(value));
  return `<${name}${attributes}>${content}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? "");
}

/** Elements that hold any number of children of one kind. */
const LISTS: ReadonlySet<string> = new Set([
  ...["sessions", "domains", "channels", "events", "contexts", "exclusions"],
  ...["pids", "event_fields", "process_attr_values", "snapshots"],
  "streams",
]);

/** The content of an element as JSON; its name is its parent's business. */
function formatJson(element: ReportElement): string {
  return JSON.stringify(jsonOf(element), jsonValue);
}

function jsonOf({ name, value, children }: ReportElement): unknown {
  if (value !== undefined) return value;
  if (LISTS.has(name)) return children.map(jsonOf);
  const byName = Map.groupBy(children, (child) => child.name);
  // What comes more than once outside of a list becomes one.
  return Object.fromEntries(
    Array.from(byName, ([name, [first, ...more]]) => [
      name,
      more.length === 0 && first !== undefined
        ? jsonOf(first)
        : [first!, ...more].map(jsonOf),
    ]),
  );
}

/** A 64-bit number as a number where that is exact, as text where it is not. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
