/** Has the stock tracer record the traces that the reading benchmark reads. */

import { startSessiond } from "../tests/support/sessiond.ts";
import { commandAs } from "../tests/support/sessiond_user.ts";
import { run } from "../tests/support/process.ts";

/** What a trace is like. */
export interface TraceShape {
  readonly title: string;
  /** How many, one after the other; the events are shared out. */
  readonly applications: number;
  /** Arguments of `lttng enable-channel`. */
  readonly channel: readonly string[];
}

/** A recorded trace, removed when disposed of. */
export interface RecordedTrace extends AsyncDisposable {
  readonly path: string;
  readonly events: number;
}

const RECORD_MILLISECONDS = 300_000;

/** Records `events` events, none of which is lost: applications wait for room. */
export async function makeTrace(
  { applications, channel }: TraceShape,
  events: number,
): Promise<RecordedTrace> {
  await using sessiond = await startSessiond();
  const path = await Deno.makeTempDir({ prefix: "lttng-bench-view-" });
  const each = Math.ceil(events / applications);
  try {
    await Deno.chown(path, sessiond.user.uid, sessiond.user.uid);
    const program = await compile(sessiond.user.home);
    await sessiond.lttng("create", "bench", `--output=${path}/trace`);
    await sessiond.lttng(
      ...["enable-channel", "--userspace", "--blocking-timeout=inf"],
      ...channel,
      "ch",
    );
    await sessiond.lttng(
      ...["enable-event", "--userspace", "--channel=ch", "bench:*"],
    );
    await sessiond.lttng("start");
    for (let index = 0; index < applications; index++) {
      const { code, stderr } = await run(
        commandAs(sessiond.user, [program, String(each)], {
          LTTNG_UST_ALLOW_BLOCKING: "1",
          LTTNG_UST_REGISTER_TIMEOUT: "10000",
        }),
        RECORD_MILLISECONDS,
      );
      if (code !== 0) throw new Error(`The application failed: ${stderr}`);
    }
    await sessiond.lttng("destroy");
  } catch (error) {
    await Deno.remove(path, { recursive: true });
    throw error;
  }
  return {
    path,
    events: each * applications,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function compile(home: string): Promise<string> {
  const source = decodeURIComponent(new URL(".", import.meta.url).pathname);
  const program = `${home}/view_events`;
  const { code, stderr } = await run({
    command: [
      ...["gcc", "-O2", "-I", source, "-o", program],
      ...[`${source}view_events.c`, "-llttng-ust", "-ldl"],
    ],
  });
  if (code !== 0) throw new Error(`Compiling view_events.c failed: ${stderr}`);
  await Deno.chmod(program, 0o755);
  return program;
}
