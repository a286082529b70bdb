/**
 * Reads the XML that session daemons write: elements and text. Attributes are
 * skipped, and document types refused, as nothing of them is needed.
 */

/** An element: what it is called and what is in it. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** All text directly in it, with its entities replaced. */
  readonly text: string;
}

/** Deeper, a document is refused. */
const DEPTH_MAXIMUM = 64;

const MARKUP =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;

const entities: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" },
};

interface OpenElement {
  name: string;
  children: XmlElement[];
  text: string;
}

/**
 * The root element of a document.
 *
 * @throws {SyntaxError} When it is not well-formed.
 */
export function parseXml(document: string): XmlElement {
  const top: OpenElement = { name: "", children: [], text: "" };
  const open: OpenElement[] = [top];
  let at = 0;
  while (at < document.length) {
    const next = document.indexOf("<", at);
    const end = next < 0 ? document.length : next;
    open.at(-1)!.text += unescape(document.slice(at, end));
    at = end;
    if (next < 0) break;
    MARKUP.lastIndex = at;
    const match = MARKUP.exec(document);
    if (match === null) throw new SyntaxError(`Not XML at character ${at + 1}`);
    at = MARKUP.lastIndex;
    take(open, match);
  }
  const [root] = top.children;
  if (open.length > 1) {
    throw new SyntaxError(`The element ${open.at(-1)!.name} does not end`);
  }
  if (root === undefined || top.children.length > 1 || top.text.trim() !== "") {
    throw new SyntaxError("Not exactly one element");
  }
  return root;
}

/** Enters, leaves or passes what one piece of markup says. */
function take(open: OpenElement[], match: RegExpExecArray): void {
  const [, data, close, name, , empty] = match;
  if (data !== undefined) open.at(-1)!.text += data;
  if (name === undefined) return;
  if (close !== "/") {
    if (open.length > DEPTH_MAXIMUM) {
      throw new SyntaxError(`Elements nested deeper than ${DEPTH_MAXIMUM}`);
    }
    const element: OpenElement = { name, children: [], text: "" };
    open.at(-1)!.children.push(element);
    if (empty !== "/") open.push(element);
    return;
  }
  const element = open.length > 1 ? open.pop() : undefined;
  if (element?.name !== name) {
    throw new SyntaxError(`The element ${name} ends where it is not open`);
  }
}

function unescape(text: string): string {
  return text.replace(/&(#x?[0-9A-Fa-f]+|\w+);|&/g, (whole, name?: string) => {
    const code = /^#(x?)([0-9A-Fa-f]+)$/.exec(name ?? "");
    const value = code === null
      ? entities[name ?? ""]
      : characterOf(parseInt(code[2]!, code[1] === "x" ? 16 : 10));
    if (value !== undefined) return value;
    throw new SyntaxError(`Unknown entity ${whole}`);
  });
}

function characterOf(code: number): string | undefined {
  return code <= 0x10FFFF ? String.fromCodePoint(code) : undefined;
}

/** The text of the first child of that name; `undefined` without one. */
export function childText(
  element: XmlElement,
  name: string,
): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

/** What is in the lists of that path: `elementsAt(x, "channels", "channel")`. */
export function elementsAt(
  element: XmlElement,
  ...path: readonly string[]
): XmlElement[] {
  return path.reduce(
    (found, name) =>
      found.flatMap(({ children }) =>
        children.filter((child) => child.name === name)
      ),
    [element],
  );
}

/**
 * The number in the first child of that name; `undefined` without one.
 *
 * @throws {SyntaxError} When it is no whole number.
 */
export function childNumber(
  element: XmlElement,
  name: string,
): number | undefined {
  const text = childText(element, name);
  if (text === undefined) return undefined;
  if (/^-?\d{1,15}$/.test(text.trim())) return Number(text);
  throw new SyntaxError(`Not a number in ${name}: "${text}"`);
}

/**
 * What a word of a document stands for.
 *
 * @throws {SyntaxError} When the word is unknown.
 */
export function knownWord<T>(
  words: Readonly<Record<string, T>>,
  word = "",
): T {
  const found = Object.hasOwn(words, word) ? words[word] : undefined;
  if (found !== undefined) return found;
  throw new SyntaxError(`Unknown word in a saved session: "${word}"`);
}
