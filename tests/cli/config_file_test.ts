/** Configuration files, as the stock programs read them. */

import { assertEquals, assertThrows } from "@std/assert";
import { parseConfigFile } from "../../lib/cli/daemon/config_file.ts";

function read(text: string): [string, string, number][] {
  return parseConfigFile(text, "relayd")
    .map(({ key, value, line }) => [key, value, line]);
}

Deno.test({
  name: "parseConfigFile() reads keys, values, comments and both separators",
  permissions: "none",
  fn: () => {
    const text = [
      "\uFEFF; a comment",
      "# another",
      "[relayd]",
      "daemonize=yes",
      "  output =  /a b#c;d  ",
      "live-port = tcp://0.0.0.0:4567 ; a comment",
      "group : tracers\r",
      "empty =",
      "blank = ; only a comment",
    ].join("\n");
    assertEquals(read(text), [
      ["daemonize", "yes", 4],
      ["output", "/a b#c;d", 5],
      ["live-port", "tcp://0.0.0.0:4567", 6],
      ["group", "tracers", 7],
      ["empty", "", 8],
      ["blank", "", 9],
    ]);
  },
});

Deno.test({
  name: "parseConfigFile() keeps to the section asked for",
  permissions: "none",
  fn: () => {
    const text =
      "a=0\n[sessiond]\na=1\n[relayd]\na=2\n[other]\na=3\n[relayd]\na=4";
    assertEquals(read(text), [["a", "2", 5], ["a", "4", 9]]);
  },
});

Deno.test({
  name: "parseConfigFile() refuses a line that is no key and value",
  permissions: "none",
  fn: () => {
    for (const bad of ["daemonize", "[relayd", "= yes"]) {
      const error = assertThrows(() => read(`[relayd]\n${bad}\n`), SyntaxError);
      assertEquals(
        error.message,
        `Line 2: Neither [section] nor key = value: ${bad}`,
      );
    }
  },
});
