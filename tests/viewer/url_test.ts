/** The URLs that say what to follow, and what babeltrace2 makes of them. */

import { assertEquals, assertThrows } from "@std/assert";
import { parseViewerUrl } from "../../lib/viewer/url.ts";
import { run } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";

/** What babeltrace2 2.0 makes of a URL. */
type Stock = "same" | "differs";

const ACCEPTED: readonly [
  text: string,
  hostname: string,
  port: number,
  names: readonly [string, string] | undefined,
  stock: Stock,
][] = [
  ["net://collector", "collector", 5344, undefined, "same"],
  ["net://10.1.2.3:1", "10.1.2.3", 1, undefined, "same"],
  ["net4://10.1.2.3:65535", "10.1.2.3", 65535, undefined, "same"],
  ["net://localhost:1", "127.0.0.1", 1, undefined, "same"],
  ["net6://localhost:1", "::1", 1, undefined, "same"],
  ["net://localhost:1/host/a/b", "127.0.0.1", 1, ["a", "b"], "same"],
  ["net://localhost/host/host/host", "127.0.0.1", 5344, [
    "host",
    "host",
  ], "same"],
  // Names are taken as they stand.
  ["net://h:1/host/a%20/b%2f", "h", 1, ["a%20", "b%2f"], "same"],
  ["net://h:1/host/a b/c?d#e", "h", 1, ["a b", "c?d#e"], "same"],
  ["net://h:1/host/[::1]/x:y@z", "h", 1, ["[::1]", "x:y@z"], "same"],
  ["net://h:1/host/ä/日本", "h", 1, ["ä", "日本"], "same"],
  ["net://h:1/host/a\nb/c", "h", 1, ["a\nb", "c"], "same"],
  // A backslash takes the next slash's meaning, and stays.
  ["net://h:1/host/a\\/b/c", "h", 1, ["a\\/b", "c"], "same"],
  ["net://h:1/host/a/b\\/", "h", 1, ["a", "b\\/"], "same"],
  ["net://h:1/host/a/b\\", "h", 1, ["a", "b\\"], "same"],
  ["net://h:1/host/a\\\\/b", "h", 1, ["a\\\\", "b"], "same"],
  // babeltrace2 takes what is in brackets for a port.
  ["net6://[::1]", "::1", 5344, undefined, "differs"],
  ["net6://[::1]:7/host/a/b", "::1", 7, ["a", "b"], "differs"],
  ["net6://[2001:DB8:0:0::1]:9", "2001:db8::1", 9, undefined, "differs"],
];

const REFUSED: readonly [text: string, message: string, stock: Stock][] = [
  [
    "",
    'Not a URL: "": write net://HOST[:PORT]/host/TARGET/SESSION',
    "same",
  ],
  [
    "localhost",
    'Not a URL: "localhost": write net://HOST[:PORT]/host/TARGET/SESSION',
    "same",
  ],
  [
    "net:/h",
    'Not a URL: "net:/h": write net://HOST[:PORT]/host/TARGET/SESSION',
    "same",
  ],
  [
    "://h",
    'Unknown protocol "" in "://h": use net, net4 or net6',
    "same",
  ],
  [
    "tcp://h",
    'Unknown protocol "tcp" in "tcp://h": use net, net4 or net6',
    "same",
  ],
  [
    "tcp6://[::1]",
    'Unknown protocol "tcp6" in "tcp6://[::1]": use net, net4 or net6',
    "same",
  ],
  [
    "NET://h",
    'Unknown protocol "NET" in "NET://h": use net, net4 or net6',
    "same",
  ],
  ["net://", 'No host in "net://"', "same"],
  ["net:///host/a/b", 'No host in "net:///host/a/b"', "same"],
  ["net://:1", 'No host in "net://:1"', "same"],
  [
    "net://h:",
    'Not a port: "" in "net://h:": ports are 1 to 65535',
    "same",
  ],
  [
    "net://h:65536/host/a/b",
    'Not a port: "65536" in "net://h:65536/host/a/b": ports are 1 to 65535',
    "same",
  ],
  [
    "net://h:-1",
    'Not a port: "-1" in "net://h:-1": ports are 1 to 65535',
    "same",
  ],
  // babeltrace2 reads digits and ignores what follows, and tries port 0.
  [
    "net://h:0",
    'Not a port: "0" in "net://h:0": ports are 1 to 65535',
    "differs",
  ],
  [
    "net://h: 1x",
    'Not a port: " 1x" in "net://h: 1x": ports are 1 to 65535',
    "differs",
  ],
  [
    "net://h:1:2",
    'Not a host and a port: "net://h:1:2": write an IPv6 address in brackets, and one port',
    "differs",
  ],
  // babeltrace2 tries to look these up.
  [
    "net://u@h",
    'Not a host name: "u@h" in "net://u@h"',
    "differs",
  ],
  ["net://h\\/x", 'Not a host name: "h\\" in "net://h\\/x"', "differs"],
  [
    "net://300.1.1.1",
    'Not an IPv4 address: "300.1.1.1" in "net://300.1.1.1"',
    "differs",
  ],
  [
    "net://[::1]",
    'An IPv6 address needs net6://: "net://[::1]"',
    "same",
  ],
  [
    "net6://::1:7",
    'Not a host and a port: "net6://::1:7": write an IPv6 address in brackets, and one port',
    "same",
  ],
  [
    "net6://[::g]",
    'Not an IPv6 address: "[::g]" in "net6://[::g]"',
    "same",
  ],
  [
    "net://h/",
    'After host and port comes nothing, or /host/TARGET/SESSION: "net://h/"',
    "same",
  ],
  [
    "net://h//host/a/b",
    'After host and port comes nothing, or /host/TARGET/SESSION: "net://h//host/a/b"',
    "same",
  ],
  [
    "net://h/Host/a/b",
    'After host and port comes nothing, or /host/TARGET/SESSION: "net://h/Host/a/b"',
    "same",
  ],
  [
    "net://h/host",
    'No target host name in "net://h/host": write net://HOST[:PORT]/host/TARGET/SESSION',
    "same",
  ],
  [
    "net://h/host//b",
    'No target host name in "net://h/host//b": write net://HOST[:PORT]/host/TARGET/SESSION',
    "same",
  ],
  [
    "net://h/host/a",
    'No session name in "net://h/host/a": write net://HOST[:PORT]/host/TARGET/SESSION',
    "same",
  ],
  [
    "net://h/host/a/",
    'No session name in "net://h/host/a/": write net://HOST[:PORT]/host/TARGET/SESSION',
    "same",
  ],
  [
    "net://h/host/a/b/",
    'Nothing follows the session name: "net://h/host/a/b/"',
    "same",
  ],
  [
    "net://h/host/a/b/c",
    'Nothing follows the session name: "net://h/host/a/b/c"',
    "same",
  ],
];

for (const [text, hostname, port, names] of ACCEPTED) {
  Deno.test({
    name: `parseViewerUrl() reads ${JSON.stringify(text)}`,
    permissions: "none",
    fn() {
      const target = names && { hostname: names[0], sessionName: names[1] };
      assertEquals(
        parseViewerUrl(text),
        target === undefined ? { hostname, port } : { hostname, port, target },
      );
    },
  });
}

for (const [text, message] of REFUSED) {
  Deno.test({
    name: `parseViewerUrl() refuses ${JSON.stringify(text)}`,
    permissions: "none",
    fn() {
      const error = assertThrows(() => parseViewerUrl(text), SyntaxError);
      assertEquals(error.message, message);
    },
  });
}

/** Whether babeltrace2 takes the text for a URL, wherever it leads. */
async function babeltraceTakes(text: string): Promise<boolean> {
  const { stderr } = await run({
    command: ["babeltrace2", "query", "src.ctf.lttng-live", "sessions"]
      .concat("--params", `url=${JSON.stringify(text)}`),
  });
  return !stderr.includes("Invalid LTTng live URL format");
}

stockTest(
  "parseViewerUrl() takes and refuses what babeltrace2 does",
  { programs: ["babeltrace2"] },
  async () => {
    const rows = [
      ...ACCEPTED.map(([text, , , , stock]) => ({ text, takes: true, stock })),
      ...REFUSED.map(([text, , stock]) => ({ text, takes: false, stock })),
    ];
    for (const { text, takes, stock } of rows) {
      // It would look these up, or connect to what is not of this machine.
      const local = text.replace(
        /^(net4?:\/\/)(h|collector|[\d.]+)(?=[:/]|$)/,
        "$1localhost",
      )
        .replace(/^(net4?:\/\/localhost)(?=\/|$)/, "$1:1");
      const expected = stock === "same" ? takes : !takes;
      assertEquals(await babeltraceTakes(local), expected, local);
    }
  },
);
