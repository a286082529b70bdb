/** Where to listen, as the URLs of LTTng's command lines say it. */

/** A host and a port to listen on; port 0 lets the system choose. */
export interface ListenAddress {
  /** An IP address without brackets, or a host name. */
  readonly hostname: string;
  /** TCP port, 0 to 65535. */
  readonly port: number;
}

/** What a URL says: `port` is `undefined` where it names none. */
export interface ListenUrl {
  readonly hostname: string;
  readonly port: number | undefined;
}

/** Address family of each URL scheme that LTTng knows for a listener. */
const FAMILIES: ReadonlyMap<string, 4 | 6> = new Map([
  ["tcp", 4],
  ["tcp4", 4],
  ["tcp6", 6],
  ["net", 4],
  ["net4", 4],
  ["net6", 6],
]);

/** The largest TCP port. */
const LARGEST_PORT = 65_535;

/**
 * Reads `tcp://HOST[:PORT]` and its kin: `tcp4`, `tcp6`, `net`, `net4`, `net6`.
 *
 * IPv6 addresses stand in brackets and need a scheme that ends in 6.
 *
 * @throws {SyntaxError} With one line that says what is wrong and what to
 * write instead.
 */
export function parseListenUrl(text: string): ListenUrl {
  const scheme = /^([A-Za-z0-9+.-]+):\/\//.exec(text)?.[1];
  if (scheme === undefined) {
    throw new SyntaxError(`Not a URL: "${text}": write ${suggestUrl(text)}`);
  }
  const family = FAMILIES.get(scheme);
  if (family === undefined) {
    throw new SyntaxError(
      `Unknown protocol "${scheme}" in "${text}": use tcp, tcp4, tcp6, net, net4 or net6`,
    );
  }
  const place = text.slice(scheme.length + "://".length).replace(/\/$/, "");
  return parseHostAndPort(place, { family, text, lowestPort: 0 });
}

/** What is known of a URL whose `HOST[:PORT]` is to be read. */
export interface HostAndPortOptions {
  /** Address family that its scheme stands for. */
  readonly family: 4 | 6;
  /** All of it, for errors. */
  readonly text: string;
  /** 0 where the system may choose the port. */
  readonly lowestPort: 0 | 1;
}

/**
 * Reads the `HOST[:PORT]` of a URL.
 *
 * @throws {SyntaxError} With one line that says what is wrong.
 */
export function parseHostAndPort(
  place: string,
  options: HostAndPortOptions,
): ListenUrl {
  const { family, text, lowestPort } = options;
  const { host, port } = splitHostAndPort(place, text);
  return {
    hostname: family === 6 ? ipv6Host(host, text) : ipv4Host(host, text),
    port: port === undefined ? undefined : parsePort(port, text, lowestPort),
  };
}

/** `HOST:PORT` for a person, an IPv6 address in brackets. */
export function formatAddress(address: ListenAddress): string {
  const { hostname, port } = address;
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** Whether only this machine reaches `hostname`. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * Whether two listeners would want the same port of the same address. Port 0
 * never clashes.
 */
export function addressesClash(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.hostname === b.hostname || isWildcard(a.hostname) ||
    isWildcard(b.hostname);
}

function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

function suggestUrl(text: string): string {
  return /^[A-Za-z0-9_.:[\]-]+$/.test(text)
    ? `${text.startsWith("[") ? "tcp6" : "tcp"}://${text}`
    : "tcp://HOST:PORT";
}

function splitHostAndPort(
  place: string,
  text: string,
): { host: string; port: string | undefined } {
  const match = /^(\[[^\]]*\]|[^:/[\]]*)(?::([^:/]*))?$/.exec(place);
  if (match === null) {
    throw new SyntaxError(
      place.includes("/")
        ? `A path has no meaning for a listener: "${text}"`
        : `Not a host and a port: "${text}": write an IPv6 address in brackets, and one port`,
    );
  }
  const host = match[1] ?? "";
  if (host === "") throw new SyntaxError(`No host in "${text}"`);
  return { host, port: match[2] };
}

function ipv4Host(host: string, text: string): string {
  if (host.startsWith("[")) {
    throw new SyntaxError(
      `An IPv6 address needs tcp6:// or net6://: "${text}"`,
    );
  }
  if (host === "localhost") return "127.0.0.1";
  if (/^[\d.]+$/.test(host) && !isIpv4(host)) {
    throw new SyntaxError(`Not an IPv4 address: "${host}" in "${text}"`);
  }
  return checkHostName(host, text);
}

function ipv6Host(host: string, text: string): string {
  if (host === "localhost") return "::1";
  if (!host.startsWith("[")) {
    if (!/^[\d.]+$/.test(host)) return checkHostName(host, text);
    throw new SyntaxError(`Not an IPv6 address: "${host}" in "${text}"`);
  }
  if (!URL.canParse(`http://${host}/`)) {
    throw new SyntaxError(`Not an IPv6 address: "${host}" in "${text}"`);
  }
  // The URL parser also writes the address in its shortest form.
  return new URL(`http://${host}/`).hostname.slice(1, -1);
}

function isIpv4(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function checkHostName(host: string, text: string): string {
  if (/^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(host)) return host;
  throw new SyntaxError(`Not a host name: "${host}" in "${text}"`);
}

function parsePort(port: string, text: string, lowest: number): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (number >= lowest && number <= LARGEST_PORT) return number;
  throw new SyntaxError(
    `Not a port: "${port}" in "${text}": ports are ${lowest} to ${LARGEST_PORT}`,
  );
}
