/**
 * The health socket: a local program asks whether the daemon is well
 * (`lttng/health-internal.h`), all integers in the machine's own byte order.
 */

import { pathReason, StartError } from "./run_files.ts";

/** A request: one 32-bit command number. */
const REQUEST_BYTES = 4;
/** The one command: tell which threads are sick. */
const CHECK = 0;
/** How long a client may take to ask, milliseconds. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Serves health checks on the Unix socket `path` until disposed.
 *
 * The answer is a 64-bit mask of sick threads. Here one event loop does all
 * their work: an answer at all means that it runs, and is 0.
 *
 * @throws {StartError} When the socket cannot be made.
 */
export function serveHealth(
  path: string,
  owner: { readonly groupId: number } | undefined,
  hint = "choose another path with LTTNG_RELAYD_HEALTH",
): Disposable {
  let listener: Deno.UnixListener;
  try {
    removeStaleSocket(path);
    listener = Deno.listen({ transport: "unix", path });
  } catch (cause) {
    throw socketError(path, cause, hint);
  }
  const health = new HealthServer(listener, path);
  try {
    Deno.chmodSync(path, 0o660);
    if (owner !== undefined) Deno.chownSync(path, 0, owner.groupId);
  } catch (cause) {
    health[Symbol.dispose]();
    throw socketError(path, cause, hint);
  }
  void health.serve();
  return health;
}

class HealthServer implements Disposable {
  readonly #listener: Deno.UnixListener;
  readonly #path: string;
  readonly #connections = new Set<Deno.UnixConn>();

  constructor(listener: Deno.UnixListener, path: string) {
    this.#listener = listener;
    this.#path = path;
  }

  async serve(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        void this.#answer(connection);
      }
    } catch {
      // Closed, or out of file descriptors: a check then fails, rightly.
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
    try {
      Deno.removeSync(this.#path);
    } catch {
      // Closing the listener may have removed it.
    }
  }

  async #answer(connection: Deno.UnixConn): Promise<void> {
    const timer = setTimeout(
      () => this.#close(connection),
      REQUEST_TIMEOUT_MS,
    );
    try {
      const request = new Uint8Array(REQUEST_BYTES);
      if (!await readFully(connection, request)) return;
      const [command] = new Uint32Array(request.buffer);
      if (command !== CHECK) return;
      await connection.write(new Uint8Array(new BigUint64Array([0n]).buffer));
    } catch {
      // The client went away, or its time is up.
    } finally {
      clearTimeout(timer);
      this.#close(connection);
    }
  }

  #close(connection: Deno.UnixConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }
}

async function readFully(
  connection: Deno.UnixConn,
  bytes: Uint8Array,
): Promise<boolean> {
  let filled = 0;
  while (filled < bytes.length) {
    const count = await connection.read(bytes.subarray(filled));
    if (count === null) return false;
    filled += count;
  }
  return true;
}

/** Removes what a daemon that was killed left; never anything but a socket. */
export function removeStaleSocket(path: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!info.isSocket) throw new Deno.errors.AlreadyExists(path);
  Deno.removeSync(path);
}

function socketError(
  path: string,
  cause: unknown,
  hint: string,
): StartError {
  return new StartError(
    `Cannot make the health socket ${path}: ${pathReason(cause)}: ${hint}`,
    { cause },
  );
}
