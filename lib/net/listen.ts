/**
 * Listeners: several ports bound as one, or none, with an error that says which
 * failed and why; and a stand-in for `@std/net`'s `getAvailablePort()`.
 */

import { errorText } from "../base/errors.ts";
import { formatAddress, type ListenAddress } from "./url.ts";

/** An address that cannot be listened on; `cause` is the system's error. */
export class ListenError extends Error {
  override name = "ListenError";
  constructor(
    /** What the port was for, such as `control`. */
    readonly role: string,
    readonly address: ListenAddress,
    cause: unknown,
  ) {
    super(
      `Cannot listen on ${formatAddress(address)} for ${role} connections: ` +
        listenErrorReason(cause),
      { cause },
    );
  }
}

/**
 * Listens on every address of `addresses`, keyed by what each is for.
 *
 * All accept when this returns. When one cannot be bound, those already bound
 * are closed again.
 *
 * @throws {ListenError} For the first address that cannot be bound.
 */
export function listenAll<Role extends string>(
  addresses: Readonly<Record<Role, ListenAddress>>,
): Record<Role, Deno.TcpListener> {
  const roles = Object.keys(addresses) as Role[];
  const listeners = {} as Record<Role, Deno.TcpListener>;
  try {
    for (const role of roles) {
      listeners[role] = listenOn(addresses[role], role);
    }
  } catch (error) {
    for (const role of roles) listeners[role]?.close();
    throw error;
  }
  return listeners;
}

/** Listens on one address; `role` is for the error. */
export function listenOn(
  address: ListenAddress,
  role: string,
): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address.hostname, port: address.port });
  } catch (cause) {
    throw new ListenError(role, address, cause);
  }
}

/**
 * A TCP port of `hostname` that was free a moment ago.
 *
 * Another program can take it first: prefer port 0 where the port that was
 * chosen can be read back.
 */
export function availablePort(hostname = "127.0.0.1"): number {
  const listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

function listenErrorReason(cause: unknown): string {
  if (cause instanceof Deno.errors.AddrInUse) return "the port is in use";
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return "this machine has no such address";
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return "the system does not allow this user to use this port";
  }
  const text = errorText(cause);
  return /lookup address/.test(text) ? "no such host" : text;
}
