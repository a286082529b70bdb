/**
 * What a viewer does, as a plan: it says what it wants next and is told the
 * outcome. Whoever carries it out has the sockets and the time; tests need
 * neither.
 */

import type { ViewerCommandName } from "../wire/live.ts";
import type { LiveItem } from "./items.ts";
import type { ReplyOf, RequestOf } from "./reply.ts";

/** Send this command; go on with its reply. */
export interface Ask<N extends ViewerCommandName = ViewerCommandName> {
  readonly kind: "ask";
  readonly name: N;
  readonly request: RequestOf<N>;
}

/** Go on after so many milliseconds. */
export interface Pause {
  readonly kind: "pause";
  readonly milliseconds: number;
}

/** Hand out this item; go on when the next one is wanted. */
export interface Give {
  readonly kind: "give";
  readonly item: LiveItem;
}

/** What a plan wants next. */
export type Step = Ask | Pause | Give;

/** Steps that lead to a `T`. */
export type Plan<T> = Generator<Step, T, unknown>;

/** Sends a command and gives its reply. */
export function* ask<N extends ViewerCommandName>(
  name: N,
  request: RequestOf<N>,
): Plan<ReplyOf<N>> {
  // A command's request is only known row by row.
  const step = { kind: "ask", name, request } as unknown as Ask;
  return (yield step) as ReplyOf<N>;
}

/** Waits. */
export function* pause(milliseconds: number): Plan<void> {
  yield { kind: "pause", milliseconds };
}

/** Hands out an item. */
export function* give(item: LiveItem): Plan<void> {
  yield { kind: "give", item };
}
