/** What a refusal to a peer looks like in a test. */

import { assert, assertEquals } from "@std/assert";
import { FatalPeerError, PeerError } from "../../../lib/base/errors.ts";

/** Part of the message, and the code that the peer gets, if any. */
export interface Refusal {
  code?: number;
  text: string;
  /** Whether the connection goes on. @default {false} */
  goesOn?: boolean;
}

/** Fails unless `action` throws that refusal. */
export function assertRefused(action: () => unknown, refusal: Refusal): void {
  try {
    action();
  } catch (error) {
    const kind = refusal.goesOn ? PeerError : FatalPeerError;
    assert(error instanceof kind, `not a ${kind.name}: ${error}`);
    assertEquals(error.code, refusal.code, error.message);
    assert(
      error.message.includes(refusal.text),
      `${JSON.stringify(error.message)} without "${refusal.text}"`,
    );
    return;
  }
  throw new Error(`Not refused: ${refusal.text}`);
}
