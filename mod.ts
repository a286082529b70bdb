/** The public library: everything that other programs may import. */

export {
  type Relay,
  type RelayOptions,
  startRelay,
} from "./lib/relay/server.ts";
export {
  createLog,
  type Log,
  type LogFields,
  silentLog,
} from "./lib/base/log.ts";
