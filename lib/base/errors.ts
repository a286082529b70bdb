/** The two kinds of peer error, and how to read an unknown error. */

/** An LTTng error code as it travels in a relay reply (`lttng/lttng-error.h`). */
export const Code = {
  OK: 10,
  UNKNOWN: 11,
  FATAL: 25,
  NO_MEMORY: 26,
  INVALID: 97,
  INVALID_PROTOCOL: 152,
  FILE_CREATION_ERROR: 153,
} as const;
export type Code = typeof Code[keyof typeof Code];

/** A peer's request that is answered with `code`; its connection goes on. */
export class PeerError extends Error {
  override name = "PeerError";
  constructor(message: string, readonly code: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * A peer's request after which its connection closes: answered with `code`
 * first, or closed in silence where the protocol has no reply (`code` unset).
 */
export class FatalPeerError extends Error {
  override name = "FatalPeerError";
  constructor(
    message: string,
    readonly code?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The text of anything thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
