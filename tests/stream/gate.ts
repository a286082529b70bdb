/** A gate before a port: lets bytes through, holds them back, or cuts. */

/** Forwards connections from a free loopback port to another port. */
export class Gate implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #connections: Deno.TcpConn[] = [];
  readonly #running: Promise<void>[] = [];
  #opened = Promise.withResolvers<void>();

  constructor(target: number) {
    this.#target = target;
    this.#opened.resolve();
    this.#running.push(this.#accept());
  }

  /** The port to connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Holds back what comes from now on. */
  shut(): void {
    this.#opened = Promise.withResolvers<void>();
  }

  /** Lets everything through again. */
  open(): void {
    this.#opened.resolve();
  }

  /** Closes all connections on both sides. */
  cut(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.open();
    this.cut();
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      const far = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.#target,
      });
      this.#connections.push(near, far);
      // A cut ends both directions with an error.
      this.#running.push(
        this.#forward(near, far).catch(() => {}),
        this.#forward(far, near).catch(() => {}),
      );
    }
  }

  async #forward(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await from.read(buffer);
      await this.#opened.promise;
      if (count === null) return await to.closeWrite();
      for (let done = 0; done < count;) {
        done += await to.write(buffer.subarray(done, count));
      }
    }
  }
}
