/** The version of this project, and of the LTTng protocol that it speaks. */

/** This project's own version; `deno.json` says the same. */
export const VERSION = "0.1.0";

/** The newest LTTng relay protocol spoken: see `NEWEST_MINOR` in `ids.ts`. */
export const PROTOCOL_VERSION = "2.15";
