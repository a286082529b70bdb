/** A worker that reads ring buffers: a `ReaderGroup` between two message ports. */

import { ReaderGroup } from "./reader_group.ts";
import type { ReaderRequest } from "./reader_messages.ts";

/** What the global scope of a worker is to this file. */
interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onmessage: ((event: MessageEvent<ReaderRequest>) => void) | null;
}

const port = globalThis as unknown as Port;
const group = new ReaderGroup((reply, transfer) =>
  port.postMessage(reply, transfer)
);
port.onmessage = ({ data }) => {
  group.handle(data);
};
