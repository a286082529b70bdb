/** The current session: what the file says, and what others may have left in it. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  readCurrentSession,
  removeCurrentSession,
  writeCurrentSession,
} from "../../lib/control/rc_file.ts";

/** A home that is gone afterwards. */
async function inHome(run: (home: string) => void): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "rc-" });
  try {
    run(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("writeCurrentSession() writes what lttng does", () =>
  inHome((home) => {
    writeCurrentSession(home, "first");
    writeCurrentSession(home, "my-session");
    assertEquals(
      Deno.readTextFileSync(`${home}/.lttngrc`),
      "session=my-session\n",
    );
    assertEquals(readCurrentSession(home), "my-session");
  }));

Deno.test("readCurrentSession() finds none in a fresh home", () =>
  inHome((home) => assertEquals(readCurrentSession(home), undefined)));

Deno.test("readCurrentSession() finds none in a file of something else", () =>
  inHome((home) => {
    Deno.writeTextFileSync(`${home}/.lttngrc`, "color=red\nsession=\n");
    assertEquals(readCurrentSession(home), undefined);
  }));

Deno.test("removeCurrentSession() leaves none, twice", () =>
  inHome((home) => {
    writeCurrentSession(home, "x");
    removeCurrentSession(home);
    removeCurrentSession(home);
    assertEquals(readCurrentSession(home), undefined);
  }));

Deno.test("writeCurrentSession() refuses a name that would not be read back", () =>
  inHome((home) => {
    assertThrows(
      () => writeCurrentSession(home, "a b"),
      RangeError,
      "cannot hold a name with a blank",
    );
  }));
