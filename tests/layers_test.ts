/** Imports point downward only, and every file of the library is tidy. */

import { assert, assertEquals } from "@std/assert";

/** What each folder of `lib/` may import, itself aside. Everything may import `base`. */
const RULES: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: [],
  net: [],
  ctf: [],
  os: [],
  relay: ["ctf", "net", "wire"],
  // ctf: for the interface of a sink, which the relay client implements.
  stream: ["ctf", "net", "wire"],
  viewer: ["ctf", "net", "wire"],
  tracer: ["ctf", "stream"],
  kernel: ["ctf", "os"],
  ust: ["ctf", "os", "wire"],
  control: ["net", "os", "wire"],
  // control: for URLs and filters, which both ends read.
  session: [
    ...["control", "ctf", "kernel", "net", "os"],
    ...["stream", "ust", "wire"],
  ],
  cli: [
    ...["control", "ctf", "kernel", "net", "os", "relay", "session"],
    ...["stream", "tracer", "ust", "viewer", "wire"],
  ],
};

/** Programs and the library's door: they may import any folder. */
const ENTRIES = ["cli.ts", "mod.ts", "relayd.ts"];
/** Folders that take bytes and a clock, and never touch the system. */
const PURE = ["lib/base/", "lib/wire/"];
/** The collector, which is to run wherever Deno does. */
const COLLECTOR = ["relayd.ts", "lib/cli/relayd/relayd.ts", "lib/relay/"];
const LINES_MAXIMUM = 600;

/** The text of each file by its path from the top of the repository. */
type Files = ReadonlyMap<string, string>;

/** Each file's imports within the repository. */
type Graph = ReadonlyMap<string, readonly string[]>;

/** Code without comments; what stands in a string is left as it is. */
function withoutComments(text: string): string {
  const tokens =
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g;
  return text.replace(tokens, (_, string) => string ?? " ");
}

/** What a file imports or exports from, dynamic imports included. */
function specifiersOf(text: string): string[] {
  const code = withoutComments(text);
  const patterns = [
    /\b(?:import|export)\b[^;"'`()]*?\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => match[1]!)
  );
}

/** A relative import as a path from the top; `undefined` for packages. */
function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function graphOf(files: Files): Graph {
  return new Map(
    [...files].map(([path, text]) => [
      path,
      specifiersOf(text).map((specifier) => resolve(path, specifier))
        .filter((target) => target !== undefined),
    ]),
  );
}

/** `wire` of `lib/wire/relay.ts`; `undefined` outside of `lib/`. */
function folderOf(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

/** Every import that the rules do not allow, in words. */
function upwardImports(graph: Graph): string[] {
  const wrong: string[] = [];
  for (const [path, targets] of graph) {
    const folder = folderOf(path);
    if (folder === undefined) continue;
    const allowed = RULES[folder];
    if (allowed === undefined) {
      wrong.push(`${path}: lib/${folder} is not in the table`);
      continue;
    }
    for (const target of targets) {
      const other = folderOf(target);
      const down = other === folder || other === "base" ||
        (other !== undefined && allowed.includes(other));
      if (!down) wrong.push(`${path} -> ${target}`);
    }
  }
  return wrong;
}

/** Everything that `starts` import, directly or not, with themselves. */
function reachableFrom(graph: Graph, starts: readonly string[]): string[] {
  const found = new Set<string>();
  const open = [...starts];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    open.push(...graph.get(path) ?? []);
  }
  return [...found];
}

/** Where the collector reaches what would tie it to one system, in words. */
function tiesOfCollector(files: Files): string[] {
  const graph = graphOf(files);
  const starts = [...graph.keys()].filter((path) =>
    COLLECTOR.some((start) =>
      start.endsWith("/") ? path.startsWith(start) : path === start
    )
  );
  return reachableFrom(graph, starts).flatMap((path) => {
    if (folderOf(path) === "os") return [`${path} is reached`];
    const code = withoutComments(files.get(path) ?? "");
    return /\bdlopen\b/.test(code) ? [`${path} names dlopen`] : [];
  });
}

/** Files of pure folders that name the system, in words. */
function impureFiles(files: Files): string[] {
  return [...files].filter(([path, text]) =>
    PURE.some((folder) => path.startsWith(folder)) &&
    !path.endsWith(".d.ts") &&
    /\bDeno\s*\./.test(withoutComments(text))
  ).map(([path]) => `${path} names Deno`);
}

/** What is untidy about a file, in words. */
function untidiness(path: string, text: string): string[] {
  const wrong: string[] = [];
  const lines = text.split("\n").length - 1;
  if (lines > LINES_MAXIMUM) {
    wrong.push(`${path}: ${lines} lines > ${LINES_MAXIMUM}`);
  }
  const opening = /^\/\*\*\s+(?:\*\s+)?[A-Z`"0-9@][\s\S]*?\*\//.exec(text)?.[0];
  if (opening === undefined || !/[.:]/.test(opening)) {
    wrong.push(`${path}: opens without a sentence in /** … */`);
  }
  return wrong;
}

function readFiles(): Files {
  const top = new URL("../", import.meta.url);
  const files = new Map<string, string>();
  function walk(folder: string) {
    for (const entry of Deno.readDirSync(new URL(folder, top))) {
      const path = folder + entry.name;
      if (entry.isDirectory) walk(`${path}/`);
      else if (path.endsWith(".ts")) {
        files.set(path, Deno.readTextFileSync(new URL(path, top)));
      }
    }
  }
  walk("lib/");
  for (const path of ENTRIES) {
    files.set(path, Deno.readTextFileSync(new URL(path, top)));
  }
  return files;
}

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

// Read here, with the permissions of the run: the tests have none.
const files = readFiles();

test("no file of lib/ imports upward", () => {
  assertEquals(upwardImports(graphOf(files)), []);
});

test("every import of lib/ leads to a file", () => {
  const lost = [...graphOf(files)].flatMap(([path, targets]) =>
    targets.filter((target) => !files.has(target))
      .map((target) => `${path} -> ${target}`)
  );
  assertEquals(lost, []);
});

test("the collector reaches neither lib/os nor a native library", () => {
  assert(files.has("relayd.ts"));
  assertEquals(tiesOfCollector(files), []);
});

test("only lib/os loads a native library", () => {
  const others = [...files].filter(([path]) => folderOf(path) !== "os")
    .filter(([, text]) => /\bdlopen\b/.test(withoutComments(text)))
    .map(([path]) => path);
  assertEquals(others, []);
});

test("lib/base and lib/wire never name Deno", () => {
  assertEquals(impureFiles(files), []);
});

test("every file of lib/ opens with a sentence and is short", () => {
  const wrong = [...files].filter(([path]) => path.startsWith("lib/"))
    .flatMap(([path, text]) => untidiness(path, text));
  assertEquals(wrong, []);
});

test("the rules have no cycle, and relay and stream never meet", () => {
  for (const folder of Object.keys(RULES)) {
    const below = new Set<string>();
    const open = [...RULES[folder]!];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (below.has(next)) continue;
      below.add(next);
      open.push(...RULES[next] ?? []);
    }
    assert(!below.has(folder), `${folder} is above itself`);
    if (folder === "relay") assert(!below.has("stream"));
    if (folder === "stream") assert(!below.has("relay"));
  }
});

/** A repository of a few lines, in which something may be wrong. */
function planted(extra: Record<string, string>): Files {
  return new Map(Object.entries({
    "relayd.ts": 'import "./lib/cli/relayd.ts";',
    "lib/cli/relayd/relayd.ts": 'export { a } from "../relay/a.ts";',
    "lib/relay/a.ts": 'import { b } from "../wire/b.ts";\nexport const a = b;',
    "lib/wire/b.ts": "export const b = 1;",
    ...extra,
  }));
}

test("upwardImports() finds nothing wrong in a sound graph", () => {
  assertEquals(upwardImports(graphOf(planted({}))), []);
  assertEquals(tiesOfCollector(planted({})), []);
});

test("upwardImports() finds a planted upward import in every spelling", () => {
  const spellings = [
    'import { a } from "../relay/a.ts";',
    'import type { A } from "../relay/a.ts";',
    "import {\n  a,\n  c,\n} from '../relay/a.ts';",
    'export * from "../relay/a.ts";',
    'export { a as default } from "../relay/a.ts";',
    'import "../relay/a.ts";',
    'const { a } = await import("../relay/a.ts");',
    'import * as all from "../relay/a.ts";',
    'const url = "http://x/*"; import a from "../relay/a.ts"; // */',
  ];
  for (const text of spellings) {
    const graph = graphOf(planted({ "lib/wire/c.ts": text }));
    assertEquals(
      upwardImports(graph),
      ["lib/wire/c.ts -> lib/relay/a.ts"],
      text,
    );
  }
});

test("upwardImports() finds relay and stream importing each other", () => {
  const graph = graphOf(planted({
    "lib/relay/c.ts": 'import "../stream/d.ts";',
    "lib/stream/d.ts": 'import "../relay/a.ts";',
  }));
  assertEquals(upwardImports(graph), [
    "lib/relay/c.ts -> lib/stream/d.ts",
    "lib/stream/d.ts -> lib/relay/a.ts",
  ]);
});

test("upwardImports() finds a folder that is not in the table", () => {
  const graph = graphOf(planted({ "lib/util/x.ts": "" }));
  assertEquals(upwardImports(graph), [
    "lib/util/x.ts: lib/util is not in the table",
  ]);
});

test("upwardImports() finds an import from outside of lib/", () => {
  const graph = graphOf(planted({
    "lib/wire/c.ts": 'import "../../mod.ts";',
  }));
  assertEquals(upwardImports(graph), ["lib/wire/c.ts -> mod.ts"]);
});

test("upwardImports() ignores what comments say", () => {
  const graph = graphOf(planted({
    "lib/wire/c.ts":
      '/** import { a } from "../relay/a.ts"; */\n// import "../relay/a.ts"\n',
  }));
  assertEquals(upwardImports(graph), []);
});

test("tiesOfCollector() finds lib/os behind any number of imports", () => {
  const ties = tiesOfCollector(planted({
    "lib/wire/b.ts": 'import { c } from "../os/c.ts";\nexport const b = c;',
    "lib/os/c.ts": "export const c = 1;",
  }));
  assertEquals(ties, ["lib/os/c.ts is reached"]);
});

test("tiesOfCollector() finds a native library that is loaded on the spot", () => {
  const ties = tiesOfCollector(planted({
    "lib/relay/c.ts": 'Deno.dlopen("libc.so.6", {});',
  }));
  assertEquals(ties, ["lib/relay/c.ts names dlopen"]);
});

test("impureFiles() finds Deno in code and not in comments", () => {
  assertEquals(
    impureFiles(planted({
      "lib/wire/c.ts": "Deno.readFileSync('x');",
      "lib/base/d.ts": "/** Like Deno.open(). */",
    })),
    ["lib/wire/c.ts names Deno"],
  );
});

test("untidiness() finds a missing sentence and a long file", () => {
  assertEquals(untidiness("lib/a.ts", "/** A sentence. */\n"), []);
  assertEquals(untidiness("lib/a.ts", "import x;\n").length, 1);
  const long = "/** A sentence. */\n" + "\n".repeat(LINES_MAXIMUM);
  assertEquals(untidiness("lib/a.ts", long), ["lib/a.ts: 601 lines > 600"]);
});
