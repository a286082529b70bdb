/** No producer gets into another's output directory. */

import { assertThrows } from "@std/assert";
import { type RelativePath, relativePath } from "../../lib/base/path.ts";
import { PathClaims } from "../../lib/relay/claims.ts";

const NONE = { permissions: "none" } as const;

function at(path: string): RelativePath {
  return relativePath(path, "It");
}

Deno.test(
  "PathClaims refuses a directory that somebody else holds",
  NONE,
  () => {
    const claims = new PathClaims<string>();
    claims.claim(at("vm/demo"), "a");
    assertThrows(
      () => claims.claim(at("vm/demo"), "b"),
      RangeError,
      "The directory is in use by another producer: vm/demo",
    );
  },
);

Deno.test("PathClaims refuses directories below and above", NONE, () => {
  const claims = new PathClaims<string>();
  claims.claim(at("vm/demo"), "a");
  assertThrows(() => claims.claim(at("vm/demo/archives"), "b"), RangeError);
  assertThrows(() => claims.claim(at("vm"), "b"), RangeError);
});

Deno.test("PathClaims lets neighbours be", NONE, () => {
  const claims = new PathClaims<string>();
  claims.claim(at("vm/demo"), "a");
  claims.claim(at("vm/demo2"), "b");
  claims.claim(at("vm2"), "c");
  claims.claim(at("vm/dem"), "d");
});

Deno.test("PathClaims lets one producer hold nested directories", NONE, () => {
  const claims = new PathClaims<string>();
  claims.claim(at("vm/demo"), "a");
  claims.claim(at("vm/demo/x"), "a");
  claims.claim(at("vm"), "a");
  assertThrows(() => claims.claim(at("vm/other"), "b"), RangeError);
});

Deno.test(
  "PathClaims counts: a directory is free after its last release",
  NONE,
  () => {
    const claims = new PathClaims<string>();
    claims.claim(at("vm/demo"), "a");
    claims.claim(at("vm/demo"), "a");
    claims.release(at("vm/demo"), "a");
    assertThrows(() => claims.claim(at("vm/demo"), "b"), RangeError);
    claims.release(at("vm/demo"), "a");
    claims.claim(at("vm/demo"), "b");
    assertThrows(() => claims.claim(at("vm/demo"), "a"), RangeError);
  },
);

Deno.test("PathClaims frees what is above with what is below", NONE, () => {
  const claims = new PathClaims<string>();
  claims.claim(at("vm/a"), "a");
  claims.claim(at("vm/b"), "a");
  claims.release(at("vm/a"), "a");
  assertThrows(() => claims.claim(at("vm"), "b"), RangeError);
  claims.release(at("vm/b"), "a");
  claims.claim(at("vm"), "b");
});

Deno.test("PathClaims knows disks on which case does not count", NONE, () => {
  const claims = new PathClaims<string>(true);
  claims.claim(at("vm/Demo"), "a");
  assertThrows(() => claims.claim(at("VM/demo/x"), "b"), RangeError);
  claims.release(at("vm/Demo"), "a");
  claims.claim(at("vm/demo"), "b");
  const exact = new PathClaims<string>();
  exact.claim(at("vm/Demo"), "a");
  exact.claim(at("vm/demo"), "b");
});

Deno.test("PathClaims changes nothing when it refuses", NONE, () => {
  const claims = new PathClaims<string>();
  claims.claim(at("vm/demo"), "a");
  assertThrows(() => claims.claim(at("vm/demo/x/y"), "b"), RangeError);
  claims.release(at("vm/demo"), "a");
  claims.claim(at("vm/demo/x"), "c");
});
