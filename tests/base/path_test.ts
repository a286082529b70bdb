/** Nothing from the wire becomes a path that could leave its directory. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  HERE,
  joinPath,
  nameComponent,
  ownName,
  pathComponent,
  quote,
  relativePath,
  selfAndAncestors,
  topComponent,
} from "../../lib/base/path.ts";

const NONE = { permissions: "none" } as const;
const WINDOWS = { windows: true };
const UNIX = { windows: false };

const NOT_A_COMPONENT = [
  ["", "it is empty"],
  [".", 'it is "."'],
  ["..", 'it is ".."'],
  ["../x", 'contains "/"'],
  ["a/b", 'contains "/"'],
  ["/", 'contains "/"'],
  ["/etc", 'contains "/"'],
  ["a/", 'contains "/"'],
  ["a\0", "contains a control character"],
  ["a\0/../../etc", 'contains "/"'],
  ["x".repeat(256), "256 bytes > 255"],
  ["é".repeat(128), "256 bytes > 255"],
] as const;

for (const [text, why] of NOT_A_COMPONENT) {
  Deno.test(`pathComponent() refuses ${quote(text)}`, NONE, () => {
    assertThrows(() => pathComponent(text, "Channel name"), RangeError, why);
    assertThrows(
      () => pathComponent(text, "Channel name"),
      RangeError,
      "Channel name cannot be a file name: ",
    );
  });
}

Deno.test("pathComponent() takes 255 bytes", NONE, () => {
  assertEquals(`${pathComponent("x".repeat(255), "It")}`, "x".repeat(255));
  const wide = "é".repeat(127) + "x";
  assertEquals(`${pathComponent(wide, "It")}`, wide);
});

Deno.test("pathComponent() takes names that only look dangerous", NONE, () => {
  for (const name of ["...", "..x", "x..", "~", "-rf", "a b", "$HOME", ".x"]) {
    assertEquals(`${pathComponent(name, "It", UNIX)}`, name);
  }
});

const NOT_ON_WINDOWS = [
  ...["CON", "nul", "aux.txt", "COM1", "lpt9.idx", "COM¹"],
  ...["a\\b", "..\\x", "C:", "C:x", "a:stream", "a<b", "a|b", "a?", "a*"],
  ...["x.", "x ", 'a"b', "a\tb", "a\x01"],
];

for (const name of NOT_ON_WINDOWS) {
  Deno.test(`pathComponent() refuses ${quote(name)} on Windows`, NONE, () => {
    assertThrows(() => pathComponent(name, "It", WINDOWS), RangeError);
    assertEquals(`${pathComponent(name, "It", UNIX)}`, name);
  });
}

Deno.test("pathComponent() takes ordinary names on Windows", NONE, () => {
  for (const name of ["ch_0", "console", "com", "nullable", "x.idx"]) {
    assertEquals(`${pathComponent(name, "It", WINDOWS)}`, name);
  }
});

Deno.test("nameComponent() refuses a leading dot", NONE, () => {
  for (const name of [".", "..", ".hidden", "..."]) {
    assertThrows(
      () => nameComponent(name, "Session name"),
      RangeError,
      'starts with "."',
    );
  }
  assertEquals(`${nameComponent("a.b", "Host name")}`, "a.b");
});

const NOT_RELATIVE = [
  ["/", "must not be absolute"],
  ["/etc/passwd", "must not be absolute"],
  ["//x", "must not be absolute"],
  ["..", 'it is ".."'],
  ["../x", 'it is ".."'],
  ["foo/..", 'it is ".."'],
  ["foo/../bar", 'it is ".."'],
  ["foo/../../bar", 'it is ".."'],
  ["./..", 'it is ".."'],
  ["foo//..", 'it is ".."'],
  ["foo\0/bar", "contains a control character"],
  [`a/${"x".repeat(256)}`, "256 bytes > 255"],
  ["x/".repeat(2048), "4096 bytes > 4095"],
] as const;

for (const [text, why] of NOT_RELATIVE) {
  Deno.test(`relativePath() refuses ${quote(text)}`, NONE, () => {
    assertThrows(() => relativePath(text, "Stream path"), RangeError, why);
  });
}

Deno.test(
  "relativePath() refuses backslashes that climb on Windows",
  NONE,
  () => {
    for (const path of ["..\\x", "a\\..\\..\\b", "C:\\x", "\\\\host\\share"]) {
      assertThrows(() => relativePath(path, "It", WINDOWS), RangeError);
    }
  },
);

Deno.test("relativePath() drops empty components and dots", NONE, () => {
  const cases = [
    ["", ""],
    [".", ""],
    ["a", "a"],
    ["a//b/", "a/b"],
    ["./a/./b", "a/b"],
    ["ust/uid/0/64-bit", "ust/uid/0/64-bit"],
  ] as const;
  for (const [text, expected] of cases) {
    assertEquals(`${relativePath(text, "It")}`, expected);
  }
});

Deno.test("relativePath() takes a path of 4095 bytes", NONE, () => {
  const text = "x/".repeat(2047) + "x";
  assertEquals(relativePath(text, "It").length, 4095);
});

Deno.test("joinPath() leaves empty pieces out", NONE, () => {
  const a = ownName("a");
  const bc = relativePath("b/c", "It");
  assertEquals(`${joinPath(HERE, a, HERE, bc)}`, "a/b/c");
  assertEquals(`${joinPath(HERE)}`, "");
});

Deno.test("topComponent() is the first name of a path", NONE, () => {
  assertEquals(topComponent(HERE), undefined);
  assertEquals(`${topComponent(relativePath("a", "It"))}`, "a");
  assertEquals(`${topComponent(relativePath("a/b/c", "It"))}`, "a");
});

Deno.test("selfAndAncestors() lists a path and those above it", NONE, () => {
  assertEquals(selfAndAncestors(HERE), []);
  assertEquals(
    selfAndAncestors(relativePath("a/b/c", "It")).map(String),
    ["a/b/c", "a/b", "a"],
  );
});

Deno.test("quote() escapes control characters and cuts long text", NONE, () => {
  assertEquals(quote("a\n\x1b[31m"), '"a\\n\\u001b[31m"');
  assertEquals(quote("x".repeat(100)).length, 82);
});
