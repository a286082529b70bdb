/** From command line, files and environment to settings; every error line. */

import { assertEquals, assertThrows } from "@std/assert";
import { OptionError } from "../../lib/cli/options/options.ts";
import type { Surroundings } from "../../lib/cli/options/paths.ts";
import { readRelaydRequest } from "../../lib/cli/relayd/relayd_settings.ts";

const SYSTEM_FILE = "/etc/lttng/lttng.conf";
const USER_FILE = "/home/u/.lttng/lttng.conf";

interface Machine extends Partial<Omit<Surroundings, "env" | "readTextFile">> {
  readonly variables?: Record<string, string>;
  readonly files?: Record<string, string>;
}

function surroundings(machine: Machine): Surroundings {
  const variables = machine.variables ?? { HOME: "/home/u" };
  return {
    os: "linux",
    userId: 1000,
    workingDirectory: "/srv",
    processId: 77,
    openFileLimit: () => 1024,
    ...machine,
    env: (name) => variables[name],
    readTextFile: (path) => machine.files?.[path],
  };
}

function settings(args: string[], machine: Machine = {}) {
  const request = readRelaydRequest(args, surroundings(machine));
  if (request.kind !== "serve") throw new Error(`Not served: ${request.kind}`);
  return request.settings;
}

function pureTest(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

pureTest("readRelaydRequest() has LTTng's defaults", () => {
  assertEquals(settings([]), {
    addresses: {
      control: { hostname: "0.0.0.0", port: 5342 },
      data: { hostname: "0.0.0.0", port: 5343 },
      live: { hostname: "127.0.0.1", port: 5344 },
    },
    dynamicPorts: false,
    output: "/home/u/lttng-traces",
    groupOutputBy: "host",
    allowClear: true,
    background: "no",
    pidFile: undefined,
    signalParent: false,
    workingDirectory: undefined,
    tracingGroup: "tracing",
    filePoolSize: 768,
    json: false,
    verbosity: 0,
    keepAlive: true,
    socketTimeoutMs: undefined,
    health: { path: "/home/u/.lttng/relayd/health-77", chosen: false },
    runDirectory: "/home/u/.lttng",
    abortOnError: false,
    warnings: [],
  });
});

pureTest("readRelaydRequest() reads every option", () => {
  const read = settings([
    ..."-C tcp6://[::1]:1 -D tcp://h:2 -L net://h -o /out -d -s -x".split(" "),
    ..."--fd-pool-size=100 -g staff -w rel -vvvv -P pid -S --json".split(" "),
  ]);
  assertEquals(read.addresses, {
    control: { hostname: "::1", port: 1 },
    data: { hostname: "h", port: 2 },
    live: { hostname: "h", port: 5344 },
  });
  assertEquals(read.output, "/out");
  assertEquals(read.background, "detach");
  assertEquals(read.groupOutputBy, "session");
  assertEquals(read.allowClear, false);
  assertEquals(read.filePoolSize, 100);
  assertEquals(read.tracingGroup, "staff");
  assertEquals(read.workingDirectory, "/srv/rel");
  assertEquals(read.verbosity, 3);
  assertEquals(read.pidFile, "/srv/pid");
  assertEquals(read.signalParent, true);
  assertEquals(read.json, true);
});

pureTest("readRelaydRequest() lets each layer win over the one before", () => {
  const variables = {
    HOME: "/home/u",
    LTTNG_RELAYD_WORKING_DIRECTORY: "/environment",
  };
  function section(directory: string) {
    return `[relayd]\nworking-directory = ${directory}\n`;
  }
  const layers = {
    [SYSTEM_FILE]: section("/system"),
    [USER_FILE]: section("/user"),
    "/chosen": section("/config"),
  };
  function directory(args: string[], ...paths: (keyof typeof layers)[]) {
    const files = Object.fromEntries(
      paths.map((path) => [path, layers[path] ?? ""]),
    );
    return settings(args, { variables, files }).workingDirectory;
  }
  assertEquals(directory([]), "/environment");
  assertEquals(directory([], SYSTEM_FILE), "/system");
  assertEquals(directory([], SYSTEM_FILE, USER_FILE), "/user");
  assertEquals(
    directory(["-f/chosen"], SYSTEM_FILE, USER_FILE, "/chosen"),
    "/config",
  );
  assertEquals(
    directory(["-w/line", "-f/chosen"], SYSTEM_FILE, USER_FILE, "/chosen"),
    "/line",
  );
});

pureTest("readRelaydRequest() cannot allow clear again once disallowed", () => {
  function allowed(args: string[], text: string, variable: string) {
    return settings(args, {
      variables: { HOME: "/home/u", LTTNG_RELAYD_DISALLOW_CLEAR: variable },
      files: { [SYSTEM_FILE]: `[relayd]\ndisallow-clear=${text}` },
    }).allowClear;
  }
  assertEquals(allowed([], "no", "0"), true);
  assertEquals(allowed([], "no", "1"), false);
  assertEquals(allowed([], "yes", "0"), false);
  assertEquals(allowed(["-x"], "no", "0"), false);
});

pureTest("readRelaydRequest() warns of what it ignores", () => {
  const { warnings } = settings(["-v", "start", "--", "-x"], {
    variables: {
      HOME: "/home/u",
      NOTIFY_SOCKET: "/run/systemd/notify",
      LTTNG_RELAYD_TCP_KEEP_ALIVE_IDLE_TIME: "30",
      LTTNG_RELAYD_TCP_KEEP_ALIVE_PROBE_INTERVAL: "-1",
    },
    files: { [USER_FILE]: "[relayd]\nouput=/x\nversion=yes\nhelp=yes" },
  });
  assertEquals(warnings, [
    "Ignored argument: start: relayd takes options only",
    "Ignored argument: -x: relayd takes options only",
    `Ignored unknown key: ouput in ${USER_FILE}, line 2: did you mean output?`,
    "Not supported: LTTNG_RELAYD_TCP_KEEP_ALIVE_IDLE_TIME: the system's value is used",
    "Cannot notify systemd of readiness: use Type=forking with --background and --pid-file",
  ]);
});

pureTest("readRelaydRequest() answers help and version before all else", () => {
  for (
    const [args, kind] of [
      [["-h", "-o", "relative"], "help"],
      [["-V", "-f", "/no/such"], "version"],
      [["--list-options"], "list-options"],
    ] as const
  ) {
    assertEquals(readRelaydRequest(args, surroundings({})), { kind });
  }
});

pureTest(
  "readRelaydRequest() takes ports from the system when asked to",
  () => {
    const { addresses } = settings([
      "--dynamic-port-allocation",
      "--control-port=tcp://h:0",
      "--data-port=tcp://h:7",
    ]);
    assertEquals(addresses, {
      control: { hostname: "h", port: 0 },
      data: { hostname: "h", port: 7 },
      live: { hostname: "127.0.0.1", port: 0 },
    });
  },
);

pureTest("readRelaydRequest() reads variables of sockets and errors", () => {
  function read(variables: Record<string, string>) {
    return settings([], { variables: { HOME: "/home/u", ...variables } });
  }
  assertEquals(read({ LTTNG_RELAYD_TCP_KEEP_ALIVE: "0" }).keepAlive, false);
  assertEquals(read({ LTTNG_RELAYD_TCP_KEEP_ALIVE: "1" }).keepAlive, true);
  assertEquals(
    ["250", "0", "-1"].map((text) =>
      read({ LTTNG_NETWORK_SOCKET_TIMEOUT: text }).socketTimeoutMs
    ),
    [250, undefined, undefined],
  );
  assertEquals(read({ LTTNG_ABORT_ON_ERROR: "1" }).abortOnError, true);
});

pureTest("readRelaydRequest() finds home and run directories", () => {
  function places(machine: Machine) {
    const { output, runDirectory, health } = settings([], machine);
    return [output, runDirectory, health?.path];
  }
  assertEquals(places({ variables: { HOME: "/h", LTTNG_HOME: "/l" } }), [
    "/l/lttng-traces",
    "/l/.lttng",
    "/l/.lttng/relayd/health-77",
  ]);
  assertEquals(
    places({
      userId: 0,
      variables: {},
      files: { "/etc/passwd": "u:x:10:10::/u:/s\nroot:x:0:0::/root:/s\n" },
    }),
    [
      "/root/lttng-traces",
      "/var/run/lttng",
      "/var/run/lttng/relayd/health-77",
    ],
  );
  assertEquals(
    places({
      variables: {
        HOME: "/h",
        LTTNG_RUNDIR: "/r",
        LTTNG_RELAYD_HEALTH: "health",
      },
    }),
    ["/h/lttng-traces", "/r", "/srv/health"],
  );
});

pureTest("readRelaydRequest() knows Windows paths", () => {
  const machine: Machine = {
    os: "windows",
    userId: null,
    openFileLimit: () => undefined,
    variables: { USERPROFILE: "C:\\Users\\u" },
  };
  const read = settings([], machine);
  assertEquals(read.output, "C:\\Users\\u/lttng-traces");
  assertEquals(read.health, undefined);
  assertEquals(read.filePoolSize, 512);
  assertEquals(settings(["-oD:/t"], machine).output, "D:/t");
  assertThrows(() => settings(["-o/t"], machine), OptionError);
});

const REFUSED: readonly [string, string[], Machine, string][] = [
  [
    "an URL without a protocol",
    ["-C", "localhost:5342"],
    {},
    '--control-port: Not a URL: "localhost:5342": write tcp://localhost:5342',
  ],
  [
    "a bad URL in a file",
    [],
    { files: { [SYSTEM_FILE]: "[relayd]\nlive-port = tcp://h:x" } },
    `live-port in ${SYSTEM_FILE}: Not a port: "x" in "tcp://h:x": ports are 0 to 65535`,
  ],
  [
    "port 0",
    ["--data-port=tcp://h:0"],
    {},
    '--data-port: Port 0 needs --dynamic-port-allocation: "tcp://h:0"',
  ],
  [
    "equal ports",
    ["-C", "tcp://127.0.0.1:7", "--data=tcp://127.0.0.1:7"],
    {},
    "The control and data ports are equal: 127.0.0.1:7: change --control-port or --data-port",
  ],
  [
    "a live port that the default control port covers",
    ["-L", "tcp://127.0.0.1:5342"],
    {},
    "The control and live ports are equal: 127.0.0.1:5342: change --control-port or --live-port",
  ],
  [
    "a relative output",
    ["-o", "traces"],
    {},
    '--output: Not an absolute path: "traces": write "/srv/traces"',
  ],
  [
    "no home",
    [],
    { variables: {} },
    "No home directory: set LTTNG_HOME, or use --output",
  ],
  [
    "both groupings",
    ["-ps"],
    {},
    "Traces are grouped by host or by session: remove --group-output-by-host or --group-output-by-session",
  ],
  [
    "a pool size that is no number",
    ["--fd-pool-size=many"],
    {},
    '--fd-pool-size: Not a number: "many"',
  ],
  [
    "a small pool",
    ["--fd-pool-size=99"],
    {},
    "--fd-pool-size: Too small: 99 is less than 100",
  ],
  [
    "a pool above the limit",
    ["--fd-pool-size=1025"],
    {},
    "--fd-pool-size: Too large: 1025 is more than the 1024 files that may be open at once: see ulimit -n",
  ],
  [
    "a missing configuration file",
    ["-f", "/no.conf"],
    {},
    "No such configuration file: /no.conf",
  ],
  [
    "a broken configuration file",
    [],
    { files: { [USER_FILE]: "[relayd]\nbackground" } },
    `${USER_FILE}: Line 2: Neither [section] nor key = value: background`,
  ],
  [
    "an empty value in a file",
    [],
    { files: { [USER_FILE]: "[relayd]\noutput=" } },
    `output in ${USER_FILE}: No value`,
  ],
  [
    "a bad variable of a switch",
    [],
    { variables: { HOME: "/h", LTTNG_RELAYD_TCP_KEEP_ALIVE: "perhaps" } },
    'LTTNG_RELAYD_TCP_KEEP_ALIVE: Neither 1 nor 0: "perhaps"',
  ],
  [
    "a bad variable of a number",
    [],
    { variables: { HOME: "/h", LTTNG_NETWORK_SOCKET_TIMEOUT: "1s" } },
    'LTTNG_NETWORK_SOCKET_TIMEOUT: Not a number: "1s"',
  ],
  [
    "the background on Windows",
    ["--background"],
    { os: "windows" },
    "--background: Not possible on Windows: start relayd without it, or as a service",
  ],
  [
    "a signal to the parent on Windows",
    ["-S"],
    { os: "windows" },
    "--sig-parent: Not possible on Windows: start relayd without it, or as a service",
  ],
  [
    "an unknown option",
    ["--ouput=/tmp"],
    {},
    "Unknown option: --ouput: did you mean --output?: see --help",
  ],
];

for (const [what, args, machine, message] of REFUSED) {
  pureTest(`readRelaydRequest() refuses ${what}`, () => {
    const error = assertThrows(() => settings(args, machine), OptionError);
    assertEquals(error.message, message);
  });
}
