import { assertEquals, assertThrows } from "@std/assert";
import { OptionError } from "../../lib/cli/options/options.ts";
import type { Surroundings } from "../../lib/cli/options/paths.ts";
import { readSessiondRequest } from "../../lib/cli/sessiond/sessiond_settings.ts";

/** A machine with these variables and files. */
function machine(
  options: {
    readonly userId?: number;
    readonly env?: Readonly<Record<string, string>>;
    readonly files?: Readonly<Record<string, string>>;
    readonly os?: Surroundings["os"];
  } = {},
): Surroundings {
  const { userId = 1000, env = { HOME: "/home/user" }, files = {} } = options;
  return {
    os: options.os ?? "linux",
    userId,
    workingDirectory: "/srv",
    processId: 7,
    env: (name) => env[name],
    readTextFile: (path) => files[path],
    openFileLimit: () => undefined,
  };
}

function settingsOf(args: readonly string[], surroundings = machine()) {
  const request = readSessiondRequest(args, surroundings);
  if (request.kind !== "serve") throw new Error(request.kind);
  return request.settings;
}

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

test("readSessiondRequest() puts a user's files into the home", () => {
  const settings = settingsOf([]);
  assertEquals(
    settings.clientSocket,
    "/home/user/.lttng/client-lttng-sessiond",
  );
  assertEquals(settings.healthSocket, "/home/user/.lttng/sessiond-health");
  assertEquals(settings.pidFile, "/home/user/.lttng/lttng-sessiond.pid");
  assertEquals(settings.lockFile, "/home/user/.lttng/lttng-sessiond.lck");
  assertEquals(settings.isRoot, false);
});

test("readSessiondRequest() puts root's files into the system's directory", () => {
  const surroundings = machine({ userId: 0, env: { HOME: "/root" } });
  const settings = settingsOf([], surroundings);
  assertEquals(settings.runDirectory, "/var/run/lttng");
  assertEquals(settings.isRoot, true);
  assertEquals(settings.tracingGroup, "tracing");
});

test("readSessiondRequest() follows LTTNG_HOME, LTTNG_RUNDIR and options", () => {
  const env = { HOME: "/home/user", LTTNG_HOME: "/lttng", LTTNG_RUNDIR: "run" };
  const settings = settingsOf(
    ["--client-sock=sock", "--pid-file", "/pid", "-g", "ops", "-vv", "-S"],
    machine({ env }),
  );
  assertEquals(settings.runDirectory, "/srv/run");
  assertEquals(settings.clientSocket, "/srv/sock");
  assertEquals(settings.pidFile, "/pid");
  assertEquals(settings.tracingGroup, "ops");
  assertEquals(settings.verbosity, 2);
  assertEquals(settings.signalParent, true);
  assertEquals(settings.load[0]?.path, "/lttng/.lttng/sessions/auto");
});

test("readSessiondRequest() reads the section of the daemon in the stock files", () => {
  const files = {
    "/etc/lttng/lttng.conf": "[sessiond]\ngroup = system\nno-kernel = yes\n",
    "/home/user/.lttng/lttng.conf": "[sessiond]\ngroup = mine\n[relayd]\nx=1\n",
  };
  const settings = settingsOf([], machine({ files }));
  assertEquals(settings.tracingGroup, "mine");
  assertEquals(settings.traceKernel, false);
  assertEquals(settings.warnings, []);
});

test("readSessiondRequest() goes to the background as the stock options say", () => {
  assertEquals(settingsOf([]).background, "no");
  assertEquals(settingsOf(["-b"]).background, "keep-error-stream");
  assertEquals(settingsOf(["--daemonize"]).background, "detach");
});

test("readSessiondRequest() loads what --load names and must be there", () => {
  assertEquals(settingsOf(["--load=saved"]).load, [
    { path: "/srv/saved", mustBe: true },
  ]);
});

test("readSessiondRequest() refuses what makes no sense, in one line", () => {
  const refused = (args: string[], surroundings: Surroundings, text: string) =>
    assertThrows(
      () => readSessiondRequest(args, surroundings),
      OptionError,
      text,
    );
  refused(["-q", "-v"], machine(), "Either --quiet or --verbose");
  refused(["--grup=x"], machine(), "did you mean --group?");
  refused([], machine({ os: "darwin" }), "runs on Linux only");
  refused([], machine({ env: {} }), "No place for the sockets");
  refused(["--config=/none"], machine(), "No such configuration file: /none");
});

test("readSessiondRequest() answers for help, version and options first", () => {
  for (const kind of ["help", "version", "list-options"] as const) {
    const request = readSessiondRequest([`--${kind}`, "-q", "-v"], machine());
    assertEquals(request, { kind });
  }
});
