/** What the Deno that runs the tests cannot do. */

const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);

/** Deno 2.6 ends no connection in which a write waits; 2.9 does. */
export const endsWaitingWrites = major > 2 || minor >= 9;
