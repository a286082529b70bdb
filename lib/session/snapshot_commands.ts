/** Snapshots: where they go, and taken. */

import { errorText } from "../base/errors.ts";
import { ConnectionError } from "../net/connection.ts";
import {
  SNAPSHOT_SIZE_UNSET,
  type SnapshotOutputBlock,
} from "../wire/sessiond/session_state.ts";
import type { Context, Handlers } from "./command.ts";
import { type Destination, destinationOfUrls, urlOf } from "./destination.ts";
import { refuse } from "./errors.ts";
import { ChannelOutput } from "../wire/sessiond/recording.ts";
import type { Session, SnapshotOutput } from "./session.ts";
import { dateTime } from "./time_text.ts";

/** How long reading the ring buffers may take (ms): they can be gigabytes. */
const READ_TIMEOUT_MS = 60_000;

export const snapshotCommands: Handlers<
  | "SNAPSHOT_ADD_OUTPUT"
  | "SNAPSHOT_DEL_OUTPUT"
  | "SNAPSHOT_LIST_OUTPUT"
  | "SNAPSHOT_RECORD"
> = {
  SNAPSHOT_ADD_OUTPUT({ session: name, output }, { sessions, caller }) {
    const session = sessions.find(name, caller);
    return session.inTurn(async () => {
      checkSnapshotSession(session);
      const channels = [...session.kernel?.channels.values() ?? []];
      if (
        channels.some(({ attributes }) =>
          attributes.output !== ChannelOutput.MMAP
        )
      ) refuse("SNAPSHOT_UNSUPPORTED");
      if (session.snapshotOutputs.length > 0) refuse("SNAPSHOT_OUTPUT_EXIST");
      const id = session.nextSnapshotOutput++;
      session.snapshotOutputs.push({
        id,
        name: output.name === "" ? `snapshot-${id}` : checkedName(output.name),
        destination: await destinationOfBlock(output),
        maximumSize: sizeOf(output),
      });
      return { id };
    });
  },

  SNAPSHOT_DEL_OUTPUT({ session: name, output }, { sessions, caller }) {
    const session = sessions.find(name, caller);
    return session.inTurn(() => {
      checkSnapshotSession(session);
      const outputs = session.snapshotOutputs;
      const index = outputs.findIndex((one) =>
        output.id !== 0 ? one.id === output.id : one.name === output.name
      );
      if (index < 0) refuse("INVALID", "There is no such snapshot output");
      outputs.splice(index, 1);
      return {};
    });
  },

  SNAPSHOT_LIST_OUTPUT({ session: name }, { sessions, caller }) {
    const session = sessions.find(name, caller);
    checkSnapshotSession(session);
    return { entries: session.snapshotOutputs.map(blockOf) };
  },

  SNAPSHOT_RECORD({ session: name, output }, context) {
    const session = context.sessions.find(name, context.caller);
    return session.inTurn(async () => {
      checkSnapshotSession(session);
      if (!session.wasStarted) refuse("START_SESSION_ONCE");
      await record(session, await outputFor(session, output), context);
      return {};
    });
  },
};

function checkSnapshotSession(session: Session): void {
  const { isSnapshot, destination } = session;
  if (!isSnapshot && destination.kind !== "none") {
    refuse("NOT_SNAPSHOT_SESSION");
  }
}

/** The session's output, or the one that a request names instead. */
async function outputFor(
  session: Session,
  block: SnapshotOutputBlock,
): Promise<SnapshotOutput> {
  const [first] = session.snapshotOutputs;
  if (block.controlUrl !== "") {
    return {
      id: 0,
      name: block.name === "" ? "snapshot-0" : checkedName(block.name),
      destination: await destinationOfBlock(block),
      maximumSize: sizeOf(block),
    };
  }
  if (first === undefined) {
    return refuse("SNAPSHOT_FAIL", `Session ${session.name} has no output`);
  }
  return {
    ...first,
    name: block.name === "" ? first.name : checkedName(block.name),
    maximumSize: sizeOf(block) || first.maximumSize,
  };
}

async function record(
  session: Session,
  output: SnapshotOutput,
  { host }: Context,
): Promise<void> {
  const { kernel, ring } = session;
  if (kernel === undefined || ring === undefined) refuse("SNAPSHOT_NODATA");
  await session.stopping;
  try {
    await ring.keepAll(() => kernel.tracing.flush(READ_TIMEOUT_MS));
  } catch (error) {
    refuse(
      "SNAPSHOT_FAIL",
      `Session ${session.name}: its ring buffers: ${errorText(error)}`,
    );
  }
  checkSize(session, output.maximumSize);
  const content = ring.content(output.maximumSize);
  const number = session.snapshotCount++;
  const name = `${output.name}-${dateTime(host.clock.now())}-${number}`;
  const { destination } = output;
  try {
    if (destination.kind === "local") {
      await host.outputs.writeSnapshot({
        path: `${destination.path}/${name}`,
        owner: session.options.owner,
      }, content);
    } else if (destination.kind === "relay") {
      const { control, data } = destination;
      await host.outputs.sendSnapshot(
        {
          hostname: control.destination,
          controlPort: control.port,
          dataPort: data.port,
          session: session.name,
          basePath: control.subdirectory,
          nameContainsCreationTime: session.options.isNamedByTime,
          liveTimer: 0,
          creationTime: session.options.createdAt,
        },
        name,
        content,
      );
    }
  } catch (error) {
    refuse(
      error instanceof ConnectionError
        ? "RELAYD_CONNECT_FAIL"
        : "SNAPSHOT_FAIL",
      `Session ${session.name}: no snapshot: ${errorText(error)}`,
    );
  }
  host.log.info(`Session ${session.name}: snapshot ${name}`);
}

/** Each stream needs room for one packet. */
function checkSize(session: Session, maximumSize: bigint): void {
  if (maximumSize === 0n) return;
  const { kernel, ring } = session;
  const channels = [...kernel?.channels.values() ?? []];
  const largest = channels.map(({ attributes }) => attributes.subBufferSize)
    .reduce((most, size) => size > most ? size : most, 0n);
  const needed = largest * BigInt(ring?.streamCount ?? 0);
  if (maximumSize >= needed) return;
  refuse(
    "MAX_SIZE_INVALID",
    `A snapshot of ${maximumSize} bytes < ${needed}, one packet a stream`,
  );
}

/** A name that becomes a part of a directory's. */
function checkedName(name: string): string {
  if (!name.includes("/") && !name.startsWith(".")) return name;
  return refuse("INVALID", `A snapshot output cannot be called "${name}"`);
}

function sizeOf({ maximumSize }: SnapshotOutputBlock): bigint {
  return maximumSize === SNAPSHOT_SIZE_UNSET ? 0n : maximumSize;
}

async function destinationOfBlock(
  { controlUrl, dataUrl }: SnapshotOutputBlock,
): Promise<Destination> {
  const destination = await destinationOfUrls(controlUrl, dataUrl);
  if (destination.kind !== "none") return destination;
  return refuse("INVALID", "A snapshot output needs a URL");
}

function blockOf(output: SnapshotOutput): SnapshotOutputBlock {
  const { id, name, destination, maximumSize } = output;
  const urls = destination.kind === "relay"
    ? {
      controlUrl: urlOf(destination.control),
      dataUrl: urlOf(destination.data),
    }
    : {
      controlUrl: destination.kind === "local" ? destination.path : "",
      dataUrl: "",
    };
  return { id, name, maximumSize, ...urls };
}
