/** How a daemon learns that it is to end, and survives faults of its own. */

import { errorText } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

/** The first two signals that ask a daemon to end. */
export class EndSignals implements Disposable {
  readonly first: Promise<Deno.Signal>;
  readonly second: Promise<Deno.Signal>;
  readonly #handlers: ReadonlyMap<Deno.Signal, () => void>;

  constructor() {
    const first = Promise.withResolvers<Deno.Signal>();
    const second = Promise.withResolvers<Deno.Signal>();
    this.first = first.promise;
    this.second = second.promise;
    const signals: Deno.Signal[] = Deno.build.os === "windows"
      ? ["SIGINT", "SIGBREAK"]
      : ["SIGINT", "SIGTERM"];
    let signalled = false;
    this.#handlers = new Map(signals.map((signal) => [signal, () => {
      (signalled ? second : first).resolve(signal);
      signalled = true;
    }]));
    for (const [signal, handler] of this.#handlers) {
      Deno.addSignalListener(signal, handler);
    }
  }

  [Symbol.dispose](): void {
    for (const [signal, handler] of this.#handlers) {
      Deno.removeSignalListener(signal, handler);
    }
  }
}

/** A fault of ours in one connection must not end the others. */
export function logInternalErrors(log: Log): () => void {
  function report(event: Event, reason: unknown) {
    event.preventDefault();
    const stack = reason instanceof Error ? reason.stack : undefined;
    log.error(`Internal error: ${errorText(reason)}`, { stack });
  }
  function onRejection(event: PromiseRejectionEvent) {
    report(event, event.reason);
  }
  function onError(event: ErrorEvent) {
    report(event, event.error);
  }
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return () => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  };
}

/**
 * Waits for `closing`, no longer than `timeoutMs` and not beyond a second
 * signal; says what cut it short.
 */
export async function closeWithin(
  closing: Promise<unknown>,
  timeoutMs: number,
  end: EndSignals,
): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    const seconds = timeoutMs / 1_000;
    timer = setTimeout(
      () => resolve(`Not closed within ${seconds} s`),
      timeoutMs,
    );
  });
  const cut = await Promise.race([
    closing.then(() => undefined),
    late,
    end.second.then((signal) => `Second signal: ${signal}`),
  ]);
  clearTimeout(timer);
  return cut;
}
