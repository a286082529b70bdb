/** The URLs that `lttng` takes, and its words for those that it refuses. */

import { assertEquals, assertRejects } from "@std/assert";
import { parseUrls, type Resolve, UrlError } from "../../lib/control/url.ts";
import { formatUri } from "../../lib/control/url.ts";
import { StreamType, type Uri } from "../../lib/wire/sessiond/session.ts";

/** A network in which `localhost` and `host` have IPv4 addresses alone. */
const resolve: Resolve = (host, family) => {
  const known = family === 4 && (host === "localhost" || host === "host");
  return Promise.resolve(known ? "127.0.0.1" : undefined);
};

function test(name: string, run: () => Promise<void>): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** A URI in few words: `v4 127.0.0.1 c5342 s=sub`. */
function brief(uri: Uri): string {
  if (uri.destinationType === 3) return `path ${uri.destination}`;
  const stream = uri.streamType === StreamType.CONTROL ? "c" : "d";
  const family = uri.destinationType === 1 ? "v4" : "v6";
  const path = uri.subdirectory === "" ? "" : ` s=${uri.subdirectory}`;
  return `${family} ${uri.destination} ${stream}${uri.port}${path}`;
}

async function outcome(control?: string, data?: string): Promise<string[]> {
  try {
    return (await parseUrls(control, data, resolve)).map(brief);
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    return error.reasons.map((reason) => `✗ ${reason}`);
  }
}

const V4 = ["v4 127.0.0.1 c5342", "v4 127.0.0.1 d5343"];
const V6 = ["v6 ::1 c5342", "v6 ::1 d5343"];

/** What a refusal says: the reason, then which URL. */
function no(reason: string): (url: string) => string[] {
  return (url) => [`✗ ${reason}`, `✗ Unable to parse the URL ${url}`];
}

/** URLs, or control and data, with what `lttng` 2.13.9 makes of them. */
const rows: readonly (readonly [
  string | readonly [string, string],
  readonly string[] | ((url: string) => string[]),
])[] = [
  ["/tmp/a/b", ["path /tmp/a/b"]],
  ["file:///tmp/a", ["path /tmp/a"]],
  ["file:///tmp/a/", ["path /tmp/a/"]],
  ["file://tmp/a", no("Missing destination full path.")],
  ["FILE:///tmp/a", ["path /tmp/a"]],
  ["file:///tmp/../etc", ["path /tmp/../etc"]],
  ["net://127.0.0.1", V4],
  ["net4://127.0.0.1", V4],
  ["NET://127.0.0.1", V4],
  ["net://localhost", V4],
  ["net://127.0.0.1/", V4],
  ["net://127.0.0.1/sub", ["v4 127.0.0.1 c5342 s=sub", V4[1]!]],
  ["net://127.0.0.1/sub/dir/", ["v4 127.0.0.1 c5342 s=sub/dir/", V4[1]!]],
  ["net://127.0.0.1//abs", ["v4 127.0.0.1 c5342 s=/abs", V4[1]!]],
  ["net://127.0.0.1/../x", ["v4 127.0.0.1 c5342 s=../x", V4[1]!]],
  ["net://127.0.0.1:1234", ["v4 127.0.0.1 c1234", V4[1]!]],
  ["net://127.0.0.1:1234:5678", ["v4 127.0.0.1 c1234", "v4 127.0.0.1 d5678"]],
  ["net://127.0.0.1:1234:5678/sub", [
    "v4 127.0.0.1 c1234 s=sub",
    "v4 127.0.0.1 d5678",
  ]],
  ["net://127.0.0.1:1234/sub/x", ["v4 127.0.0.1 c1234 s=sub/x", V4[1]!]],
  ["net://127.0.0.1::5678", [V4[0]!, "v4 127.0.0.1 d5678"]],
  ["net://127.0.0.1:", V4],
  ["net://127.0.0.1:0", no("Invalid port number 0")],
  ["net://127.0.0.1:65535", ["v4 127.0.0.1 c65535", V4[1]!]],
  ["net://127.0.0.1:65536", no("Invalid port number 65536")],
  ["net://127.0.0.1:12ab", ["v4 127.0.0.1 c12", V4[1]!]],
  ["net://127.0.0.1:-5", no("Invalid port number -5")],
  ["net://127.0.0.1:1:2:3", no("Trailing characters not recognized: :3")],
  ["net://[127.0.0.1]", V4],
  ["net6://[::1]", V6],
  ["net6://[::1]:1234:5678/sub", ["v6 ::1 c1234 s=sub", "v6 ::1 d5678"]],
  ["net6://::1", no("No address or hostname detected.")],
  ["net6://[::1", no("Broken IPv6 address ::1")],
  ["net6://[]", no("Broken IPv6 address ]")],
  ["net6://[::1]x", no("Unknown symbol after IPv6 address: x")],
  ["net6://localhost", V6],
  ["net6://127.0.0.1", no("URI parse bad hostname 127.0.0.1 for af 10")],
  ["net://[::1]", no("URI parse bad hostname ::1 for af 2")],
  ["net6://[0:0:0:0:0:0:0:1]", [
    "v6 0:0:0:0:0:0:0:1 c5342",
    "v6 0:0:0:0:0:0:0:1 d5343",
  ]],
  ["net://", no("No address or hostname detected.")],
  ["net:///sub", no("No address or hostname detected.")],
  ["net:/127.0.0.1", no("URI parse unknown protocol net:/127.0.0.1")],
  ["127.0.0.1", no("URI parse unknown protocol 127.0.0.1")],
  ["relative/path", no("URI parse unknown protocol relative/path")],
  ["http://x", no("URI parse unknown protocol http://x")],
  ["net5://x", no("URI parse unknown protocol net5://x")],
  // Alone these say one connection; `lttng create` refuses that later.
  ["tcp://127.0.0.1", ["v4 127.0.0.1 c5342"]],
  ["tcp4://127.0.0.1:1", ["v4 127.0.0.1 c1"]],
  [
    "net://no.such.host.invalid",
    no("URI parse bad hostname no.such.host.invalid for af 2"),
  ],
  [["tcp://127.0.0.1", "tcp://127.0.0.1"], V4],
  [["tcp://127.0.0.1:1111", "tcp://127.0.0.1:2222"], [
    "v4 127.0.0.1 c1111",
    "v4 127.0.0.1 d2222",
  ]],
  [["tcp://127.0.0.1/sub", "tcp://127.0.0.1/other"], [
    "v4 127.0.0.1 c5342 s=sub",
    "v4 127.0.0.1 d5343 s=other",
  ]],
  [["tcp6://[::1]", "tcp6://[::1]:9"], ["v6 ::1 c5342", "v6 ::1 d9"]],
  [["tcp://localhost", "tcp://127.0.0.1:7"], [V4[0]!, "v4 127.0.0.1 d7"]],
  [["tcp://127.0.0.1", "tcp://127.0.0.2"], [
    "✗ Control and data destination mismatch",
  ]],
  [["tcp://127.0.0.1", "tcp6://[::1]"], [
    "✗ Control and data destination mismatch",
  ]],
  [["net://127.0.0.1", "net://127.0.0.1"], V4],
  [["net://127.0.0.1", "tcp://127.0.0.1"], [
    "✗ Control URL uses the net:// protocol and the data URL is different. " +
    "Not allowed.",
  ]],
  [["tcp://127.0.0.1", "net://127.0.0.1"], [
    "✗ Data URL can not be set with the net[4|6]:// protocol",
  ]],
  [["/tmp/x", "/tmp/x"], [
    "✗ Cannot have a data URL when destination is file://",
  ]],
  // Beyond the specification's examples.
  ["", []],
  ["://x", no("URI parse unknown protocol ://x")],
  ["file4:///x", no("URI parse unknown protocol file4:///x")],
  ["file://", no("Missing destination full path.")],
  ["/", ["path /"]],
  ["net://host:1/x", ["v4 127.0.0.1 c1 s=x", V4[1]!]],
  ["net://127.0.0.1: 12", ["v4 127.0.0.1 c12", V4[1]!]],
  ["net://127.0.0.1:+5", ["v4 127.0.0.1 c5", V4[1]!]],
  ["net://127.0.0.1:abc", no("Invalid port number 0")],
  ["net://127.0.0.1:99999999999", no("Invalid port number 1215752191")],
  ["net://127.0.0.1::0", no("Invalid port number 0")],
  ["net://127.0.0.1:1:/x", ["v4 127.0.0.1 c1 s=x", V4[1]!]],
  ["net://127.0.0.1/sub:3", ["v4 127.0.0.1 c5342 s=sub:3", V4[1]!]],
  ["net://:5/x", no("No address or hostname detected.")],
  ["net://127.0.0.1]", no("URI parse bad hostname 127.0.0.1] for af 2")],
  ["net6://[]:5", no("Broken IPv6 address ]:5")],
  ["net6://[x]", no("URI parse bad hostname x for af 10")],
  ["net6://[fe80::1%lo]", no("URI parse bad hostname fe80::1%lo for af 10")],
  [["tcp://127.0.0.1", "/tmp/x"], (_) =>
    no(
      "URI parse unknown protocol /tmp/x",
    )("/tmp/x")],
  [["bad", "tcp://127.0.0.1"], (_) =>
    no("URI parse unknown protocol bad")(
      "bad",
    )],
  [["tcp://127.0.0.1:1:2", "tcp://127.0.0.1"], (_) =>
    no(
      "Trailing characters not recognized: :2",
    )("tcp://127.0.0.1:1:2")],
];

for (const [urls, expected] of rows) {
  const [control, data] = typeof urls === "string" ? [urls] : urls;
  const name = data === undefined ? control : `${control} and ${data}`;
  test(`parseUrls() takes ${JSON.stringify(name)} as lttng does`, async () => {
    const wanted = typeof expected === "function"
      ? expected(control!)
      : [...expected];
    assertEquals(await outcome(control, data), wanted);
  });
}

test("parseUrls() takes a data URL alone, and nothing", async () => {
  assertEquals(await outcome(undefined, "tcp://127.0.0.1"), [V4[1]!]);
  assertEquals(await outcome(), []);
});

test("parseUrls() refuses a path that does not fit", async () => {
  const error = await assertRejects(
    () => parseUrls(`/${"a".repeat(4095)}`, undefined, resolve),
    UrlError,
    "Path too long: 4096 bytes > 4095",
  );
  assertEquals([error.code, error.text], [97, "Invalid parameter"]);
});

test("formatUri() writes a URI back", async () => {
  const all = ["/tmp/a", "net://127.0.0.1/sub", "net6://[::1]"];
  const uris = await Promise.all(
    all.map((url) => parseUrls(url, undefined, resolve)),
  );
  assertEquals(uris.map(([uri]) => formatUri(uri!)), [
    "file:///tmp/a",
    "tcp4://127.0.0.1:5342/sub",
    "tcp6://[::1]:5342/",
  ]);
});
