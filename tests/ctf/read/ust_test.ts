import { assert, assertEquals } from "@std/assert";
import { SESSIOND_PROGRAMS, startSessiond } from "../../support/sessiond.ts";
import { stockTest } from "../../support/stock.ts";
import { UST_PROGRAMS, ustMissing } from "../../support/ust_app.ts";
import { rewriteAsCtf2 } from "./ctf2_convert.ts";
import { type Reading, readOurs, readStock } from "./plain_text.ts";
import type { LossRecord } from "../../../lib/ctf/read/model.ts";

const NEEDS = {
  programs: [...SESSIOND_PROGRAMS, ...UST_PROGRAMS, "babeltrace2"],
  skip: await ustMissing(),
};

const CHANNELS: Readonly<Record<string, readonly string[]>> = {
  "per-UID buffers": ["--buffers-uid"],
  "per-PID buffers": ["--buffers-pid"],
  "lost events": ["--subbuf-size=4096", "--num-subbuf=2"],
  "rotated archives": ["--subbuf-size=4096", "--num-subbuf=4"],
  "a ring of trace files": [
    ...["--subbuf-size=4096", "--num-subbuf=4"],
    ...["--tracefile-size=8192", "--tracefile-count=3"],
  ],
  "lost packets": ["--subbuf-size=4096", "--num-subbuf=4", "--overwrite"],
};

stockTest(
  "TraceReader reads traces of LTTng-UST as babeltrace2 does, and with CTF 2 metadata",
  NEEDS,
  async () => {
    await using sessiond = await startSessiond();
    const sessions = Object.entries(CHANNELS);
    const root = `${sessiond.user.home}/traces`;
    for (const [name, channel] of sessions) {
      const session = name.replaceAll(" ", "-");
      const own = `--session=${session}`;
      await sessiond.lttng("create", session, `--output=${root}/${session}`);
      await sessiond.lttng("enable-channel", "-u", own, ...channel, "ch");
      await sessiond.lttng(
        ...["add-context", "-u", own, "--channel=ch"],
        ...["vpid", "vtid", "procname", "ip"].map((type) => `--type=${type}`),
      );
      await sessiond.lttng("enable-event", "-u", own, "--channel=ch", "tp:*");
      await sessiond.lttng("start", session);
      await using first = await sessiond.startApplication("first");
      await using second = await sessiond.startApplication("second");
      await first.emit(600);
      if (name === "rotated archives") {
        await sessiond.lttng("rotate", session);
        await first.emit(600);
        await sessiond.lttng("rotate", session);
      }
      await second.emit(5000);
      await sessiond.lttng("stop", session);
      await sessiond.lttng("destroy", session);
      await compare(`${root}/${session}`, name);
    }
    // All sessions at once: several traces with the same times.
    const { losses, lines } = await compare(root, "all");
    // What the sessions were made for did happen.
    assert(losses.some(({ kind }) => kind === "discarded_events"));
    assert(losses.some(({ kind }) => kind === "lost_packets"));
    // LTTng 2.15 writes the same data, and the metadata of CTF 2.
    assert(await rewriteAsCtf2(root, "packets") >= sessions.length);
    const later = await readOurs(root);
    assertEquals(later.errors, []);
    assertEquals(later.lines, lines);
    assertEquals(later.losses.map(warningOf), losses.map(warningOf));
  },
);

async function compare(
  directory: string,
  name: string,
): Promise<Reading> {
  const ours = await readOurs(directory);
  const stock = await readStock(directory);
  assertEquals(ours.errors, [], name);
  assert(ours.lines.length > 0, name);
  assertEquals(ours.lines, stock.lines, name);
  const warnings = stock.warnings.split("\n")
    .filter((line) => line.startsWith("WARNING: Tracer"))
    .map((line) => line.replace(/ in trace ".*?" \(UUID: \S+\)/, ""));
  assertEquals(ours.losses.map(warningOf).toSorted(), warnings.toSorted());
  return ours;
}

/** What babeltrace2 says of a loss. */
function warningOf(loss: LossRecord): string {
  const what = loss.kind === "discarded_events" ? "event" : "packet";
  const { count, stream } = loss;
  const discarded = count === undefined
    ? `may have discarded ${what}s`
    : `discarded ${count} ${what}${count === 1n ? "" : "s"}`;
  return `WARNING: Tracer ${discarded} between [${seconds(loss.begin!)}] and ` +
    `[${seconds(loss.end!)}] within stream "${stream.path}" ` +
    `(stream class ID: ${stream.class.id}, stream ID: ${stream.instanceId}).`;
}

function seconds(time: bigint): string {
  const rest = String(time % 1_000_000_000n).padStart(9, "0");
  return `${time / 1_000_000_000n}.${rest}`;
}
