/** Contexts of saved sessions, as `lttng add-context` calls them. */

import { contextNames, parseContext } from "../control/context.ts";
import type { DomainName } from "../control/names.ts";
import { childText, elementsAt, type XmlElement } from "../control/xml.ts";

/** The type of counters that are a number of the CPU's maker. */
const RAW = 4;

/**
 * What `lttng add-context` calls a saved context.
 *
 * @throws {SyntaxError} When it is none.
 */
export function savedContext(
  context: XmlElement,
  domain: DomainName,
): string {
  const [perf] = elementsAt(context, "perf");
  if (perf !== undefined) return savedCounter(perf, domain);
  const [application] = elementsAt(context, "app");
  if (application !== undefined) {
    return `$app.${childText(application, "provider_name") ?? ""}:` +
      (childText(application, "ctx_name") ?? "");
  }
  const type = childText(context, "type");
  if (type === undefined) throw new SyntaxError("No type in context");
  return type.toLowerCase().replace(/^callstack_/, "callstack-");
}

/** Counters are saved as numbers, and with a name that has lost its colons. */
function savedCounter(perf: XmlElement, domain: DomainName): string {
  const type = Number(childText(perf, "type"));
  const config = BigInt(childText(perf, "config") ?? 0);
  const name = childText(perf, "name") ?? "";
  const prefix = `perf:${domain === "kernel" ? "cpu" : "thread"}:`;
  if (type === RAW) {
    const own = name.replace(/^perf_(cpu|thread)_raw_r[\dA-Fa-f]+_/, "");
    return `${prefix}raw:r${config.toString(16)}:${own}`;
  }
  const found = contextNames().filter((symbol) => symbol.startsWith(prefix))
    .filter((symbol) => {
      const { counterType, counterConfig } = parseContext(symbol);
      return counterType === type && counterConfig === config;
    });
  const symbol =
    found.find((symbol) => parseContext(symbol).counterName === name) ??
      found[0];
  if (symbol !== undefined) return symbol;
  throw new SyntaxError(`Unknown counter "${name}"`);
}
