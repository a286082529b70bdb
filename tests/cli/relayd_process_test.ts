/** `relayd` as a process: what it prints, when it serves, how it ends. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { relaydHelp } from "../../lib/cli/relayd/relayd_options.ts";
import { availablePort } from "../../lib/net/listen.ts";
import {
  accepts,
  FREE_PORTS,
  runToEnd,
  Scratch,
  ServingRelayd,
  until,
} from "./support/relayd_process.ts";

/** No SIGTERM, no background and no Unix sockets there. */
const WINDOWS = Deno.build.os === "windows";

function unixTest(name: string, fn: () => Promise<void>) {
  Deno.test({ name, ignore: WINDOWS, fn });
}

Deno.test("relayd --version prints the version of deno.json alone", async () => {
  using scratch = new Scratch();
  const { version } = JSON.parse(
    Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)),
  );
  assertEquals(await runToEnd(scratch, ["-V"]), {
    code: 0,
    stdout: `${version}\n`,
    stderr: "",
  });
});

Deno.test("relayd --help prints the help and ends well", async () => {
  using scratch = new Scratch();
  assertEquals(await runToEnd(scratch, ["--help"]), {
    code: 0,
    stdout: relaydHelp(),
    stderr: "",
  });
});

Deno.test("relayd refuses two equal ports in one line", async () => {
  using scratch = new Scratch();
  const url = `tcp://127.0.0.1:${availablePort()}`;
  const ended = await runToEnd(scratch, ["-C", url, "-D", url]);
  assertEquals(ended, {
    code: 1,
    stdout: "",
    stderr: `Error: The control and data ports are equal: ${
      url.slice("tcp://".length)
    }: change --control-port or --data-port\n`,
  });
});

Deno.test("relayd refuses a bad URL as a JSON line with --json", async () => {
  using scratch = new Scratch();
  const { code, stderr } = await runToEnd(scratch, ["--json", "-C", "h:1"]);
  assertEquals(code, 1);
  const { level, message } = JSON.parse(stderr);
  assertEquals(level, "error");
  assertEquals(
    message,
    '--control-port: Not a URL: "h:1": write tcp://h:1',
  );
});

for (const background of ["", "--background", "--daemonize"]) {
  Deno.test({
    name: `${
      ["relayd", background].join(" ").trim()
    } refuses a port in use in one line`,
    ignore: WINDOWS && background !== "",
    fn: async () => {
      using scratch = new Scratch();
      using blocker = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = blocker.addr;
      const ended = await runToEnd(scratch, [
        ...FREE_PORTS,
        `--live-port=tcp://127.0.0.1:${port}`,
        ...background === "" ? [] : [background],
      ]);
      assertEquals(ended, {
        code: 1,
        stdout: "",
        stderr:
          `Error: Cannot listen on 127.0.0.1:${port} for live connections: ` +
          "the port is in use: choose another address with --live-port\n",
      });
      assertEquals(scratch.exists("health"), false);
    },
  });
}

Deno.test("relayd refuses an output with a file in the way", async () => {
  using scratch = new Scratch();
  const output = `${scratch.path}/file/traces`;
  Deno.writeTextFileSync(`${scratch.path}/file`, "");
  const ended = await runToEnd(scratch, [...FREE_PORTS, "-o", output]);
  assertEquals(ended, {
    code: 1,
    stdout: "",
    stderr: `Error: Cannot write to the output directory ${output}: ` +
      "a file is in the way: choose another with --output\n",
  });
});

Deno.test({
  name: "relayd refuses an output that nobody can write to",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using scratch = new Scratch();
    const { code, stderr } = await runToEnd(scratch, [
      ...FREE_PORTS,
      "--output=/proc/traces",
    ]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^Error: Cannot write to the output directory \/proc\/traces: .+: choose another with --output\n$/,
    );
  },
});

Deno.test({
  name: "relayd refuses an output that Deno will not let it write to later",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using scratch = new Scratch();
    const { code, stderr } = await runToEnd(scratch, [
      ...FREE_PORTS,
      "--output=/dev/shm",
    ]);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      "Error: Cannot write to the output directory /dev/shm: Deno keeps " +
        "programs out of /dev, /proc and /sys: choose another with --output\n",
    );
  },
});

Deno.test("relayd refuses a process id file without a directory", async () => {
  using scratch = new Scratch();
  const { code, stderr } = await runToEnd(scratch, [
    ...FREE_PORTS,
    "--pid-file=no/pid",
  ]);
  assertEquals(code, 1);
  assertEquals(
    stderr,
    `Error: Cannot write the process id file ${
      Deno.realPathSync(scratch.path)
    }/no/pid: No such file or directory\n`,
  );
});

unixTest("relayd refuses a health socket with a file in the way", async () => {
  using scratch = new Scratch();
  const path = `${scratch.path}/health`;
  Deno.writeTextFileSync(path, "precious");
  const { code, stderr } = await runToEnd(scratch, [...FREE_PORTS]);
  assertEquals(code, 1);
  assertEquals(
    stderr,
    `Error: Cannot make the health socket ${path}: a file is in the way: ` +
      "choose another path with LTTNG_RELAYD_HEALTH\n",
  );
  assertEquals(Deno.readTextFileSync(path), "precious");
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  unixTest(
    `relayd serves until ${signal} and leaves nothing behind`,
    async () => {
      using scratch = new Scratch();
      await using relayd = await ServingRelayd.start(scratch, [
        ...FREE_PORTS,
        "--pid-file=pid",
      ]);
      // The port and process id files come before the lines on the log.
      const pid = Number(Deno.readTextFileSync(`${scratch.path}/pid`));
      const ports = ["control", "data", "live"].map((role) =>
        scratch.port(role)
      );
      for (const port of ports) assert(await accepts(port));
      Deno.kill(pid, signal);
      assertEquals(await relayd.ended(), 0);
      const [control, data, live] = ports;
      assertEquals(relayd.lines, [
        `Control connections: 127.0.0.1:${control}`,
        `Trace data: 127.0.0.1:${data}`,
        `Live viewers: 127.0.0.1:${live}`,
        `Output directory: ${scratch.path}/lttng-traces, grouped by host`,
        `Stopping: ${signal}`,
        "Stopped",
      ]);
      for (const port of ports) assertEquals(await accepts(port), false);
      const left = [...Deno.readDirSync(`${scratch.path}/run/relayd`)];
      assertEquals(left, []);
      assertEquals(scratch.exists("pid"), false);
      assertEquals(scratch.exists("health"), false);
      assertEquals([...Deno.readDirSync(`${scratch.path}/lttng-traces`)], []);
    },
  );
}

unixTest("relayd warns where anyone may reach it", async () => {
  using scratch = new Scratch();
  await using relayd = await ServingRelayd.start(scratch, [
    ...FREE_PORTS,
    "--data-port=tcp://0.0.0.0:0",
    "--control-port=tcp6://[::]:0",
  ]);
  const [control, data] = [scratch.port("control"), scratch.port("data")];
  await until("the warning", () => relayd.lines.length >= 5);
  assertEquals(
    relayd.lines[4],
    "Warning: No authentication and no encryption: " +
      `whoever reaches [::]:${control} or 0.0.0.0:${data} can use it`,
  );
  assertEquals(await relayd.end(), 0);
});

unixTest("relayd --json writes every log line as JSON", async () => {
  using scratch = new Scratch();
  await using relayd = await ServingRelayd.start(scratch, [
    ...FREE_PORTS,
    "--json",
    "-v",
    "ignored",
  ]);
  assertEquals(await relayd.end(), 0);
  const records = relayd.lines.map((line) => JSON.parse(line));
  assert(records.length >= 7, relayd.lines.join("\n"));
  for (const { time, level, message } of records) {
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert(["debug", "info", "warning"].includes(level), level);
    assertEquals(typeof message, "string");
  }
  const { port, role } = records.find(({ role }) => role === "data");
  assertEquals([role, typeof port], ["data", "number"]);
});

unixTest(
  "relayd reads its configuration file and warns of a bad key",
  async () => {
    using scratch = new Scratch();
    const output = `${scratch.path}/elsewhere`;
    scratch.configure(
      `[relayd]\noutput = ${output}\ncolour = blue\ngroup-output-by-session = yes\n`,
    );
    await using relayd = await ServingRelayd.start(scratch, [...FREE_PORTS]);
    assertEquals(
      relayd.lines[0],
      `Warning: Ignored unknown key: colour in ${scratch.path}/.lttng/lttng.conf, line 3`,
    );
    assertEquals(
      relayd.lines.at(-1),
      `Output directory: ${output}, grouped by session`,
    );
    assertEquals(await relayd.end(), 0);
  },
);

for (const option of ["--background", "--daemonize"]) {
  unixTest(`relayd ${option} returns when all ports accept`, async () => {
    using scratch = new Scratch();
    const ended = await runToEnd(scratch, [
      ...FREE_PORTS,
      option,
      "--pid-file=pid",
    ]);
    const pid = Number(Deno.readTextFileSync(`${scratch.path}/pid`));
    const ports = ["control", "data", "live"].map((role) => scratch.port(role));
    const accepting = await Promise.all(ports.map(accepts));
    Deno.kill(pid, "SIGTERM");
    await until("the daemon's end", () => !scratch.exists("pid"));
    assertEquals(accepting, [true, true, true]);
    for (const port of ports) assertEquals(await accepts(port), false);
    assertEquals(ended.code, 0);
    assertEquals(ended.stdout, "");
    assertEquals(ended.stderr.split("\n").slice(3), [
      `Output directory: ${scratch.path}/lttng-traces, grouped by host`,
      `In the background: process ${pid}`,
      "",
    ]);
  });
}

for (const background of [[], ["--daemonize", "--pid-file=pid"]]) {
  const name = ["relayd --sig-parent", ...background.slice(0, 1)].join(" ");
  unixTest(`${name} tells its parent when it serves`, async () => {
    using scratch = new Scratch();
    let told = false;
    function onSignal() {
      told = true;
    }
    Deno.addSignalListener("SIGUSR1", onSignal);
    const args = [...FREE_PORTS, "--sig-parent", ...background];
    try {
      if (background.length === 0) {
        await using relayd = await ServingRelayd.start(scratch, args);
        await until("the signal", () => told);
        assertEquals(await relayd.end(), 0);
      } else {
        assertEquals((await runToEnd(scratch, args)).code, 0);
        const pid = Number(Deno.readTextFileSync(`${scratch.path}/pid`));
        Deno.kill(pid, "SIGTERM");
        await until("the daemon's end", () => !scratch.exists("pid"));
        await until("the signal", () => told);
      }
    } finally {
      Deno.removeSignalListener("SIGUSR1", onSignal);
    }
  });
}

unixTest("relayd answers a health check: all is well", async () => {
  using scratch = new Scratch();
  await using relayd = await ServingRelayd.start(scratch, [...FREE_PORTS]);
  const path = `${scratch.path}/health`;
  assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o660);
  // A client that says nothing does not keep others waiting.
  using _silent = await Deno.connect({ transport: "unix", path });
  using client = await Deno.connect({ transport: "unix", path });
  await client.write(new Uint8Array(4));
  const reply = await Array.fromAsync(client.readable);
  assertEquals(reply.flatMap((bytes) => [...bytes]), Array(8).fill(0));
  assertEquals(await relayd.end(), 0);
});

unixTest("relayd replaces the socket of a daemon that was killed", async () => {
  using scratch = new Scratch();
  {
    await using killed = await ServingRelayd.start(scratch, [...FREE_PORTS]);
    await killed.end("SIGKILL");
  }
  assertEquals(scratch.exists("health"), true);
  await using relayd = await ServingRelayd.start(scratch, [...FREE_PORTS]);
  assertEquals(await relayd.end(), 0);
});

unixTest("relayd ends at a second signal, at once", async () => {
  using scratch = new Scratch();
  await using relayd = await startStuck(scratch);
  const before = Date.now();
  relayd.signal("SIGTERM");
  await until(
    "the first signal",
    () => relayd.lines.includes("Stopping: SIGTERM"),
  );
  assertEquals(await relayd.end("SIGINT"), 1);
  assert(Date.now() - before < 4_000);
  assertEquals(
    relayd.lines.at(-1),
    "Error: Second signal: SIGINT: ended with connections open",
  );
  assertEquals(scratch.exists("pid"), false);
});

unixTest(
  "relayd ends 5 s after a signal even when a peer does not",
  async () => {
    using scratch = new Scratch();
    await using relayd = await startStuck(scratch);
    assertEquals(await relayd.end(), 1);
    assertEquals(
      relayd.lines.at(-1),
      "Error: Not closed within 5 s: ended with connections open",
    );
    assertEquals(scratch.exists("pid"), false);
  },
);

unixTest(
  "relayd ends at its first error with LTTNG_ABORT_ON_ERROR",
  async () => {
    using scratch = new Scratch();
    const { code, stderr } = await runToEnd(
      scratch,
      [...FREE_PORTS, "-w", "/no/such/directory"],
      { environment: { LTTNG_ABORT_ON_ERROR: "1" } },
    );
    assertEquals(code, 134);
    assertEquals(
      stderr,
      "Error: Cannot work in the directory /no/such/directory: No such file or directory\n",
    );
  },
);

unixTest("relayd logs a fault of its own and goes on serving", async () => {
  using scratch = new Scratch();
  await using relayd = await ServingRelayd.start(scratch, [...FREE_PORTS], {
    script: "tests/cli/support/faulty_relayd.ts",
  });
  await until("both faults", () => relayd.lines.length >= 6);
  assertEquals(relayd.lines.slice(4), [
    "Error: Internal error: promise\\x0abroken",
    "Error: Internal error: timer broken",
  ]);
  assert(await accepts(scratch.port("control")));
  assertEquals(await relayd.end(), 0);
});

function startStuck(scratch: Scratch): Promise<ServingRelayd> {
  return ServingRelayd.start(scratch, [...FREE_PORTS, "--pid-file=pid"], {
    script: "tests/cli/support/stuck_relayd.ts",
  });
}
