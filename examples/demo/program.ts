/**
 * The demo that needs no rights: a relay daemon, a web server and its clients
 * that are traced, their trace streamed over TCP, and what arrived.
 */

import {
  createLog,
  defineEvent,
  enumeration,
  type Relay,
  RelaySink,
  startRelay,
  string,
  Tracer,
  u16,
  u32,
  u64,
  u8,
} from "../../mod.ts";

const LOOPBACK = "127.0.0.1";
const CLIENTS = 4;
const REQUESTS_A_CLIENT = 250;
const PAGES = ["/", "/status", "/missing", "/report"];

const method = enumeration(u8, { GET: 0, POST: 1 });
const requestBegin = defineEvent("http:request_begin", {
  id: u32,
  method,
  path: string,
}, { logLevel: "info" });
const requestEnd = defineEvent("http:request_end", {
  id: u32,
  status: u16,
  bytes: u64,
}, { logLevel: "info" });
const clientDone = defineEvent("http:client_done", { requests: u32 });

/** Traces the program; returns the exit status. */
export async function programDemo(): Promise<number> {
  const directory = await Deno.makeTempDir({ prefix: "lttng-demo-" });
  const relay = startDaemon(directory);
  const { control, data } = relay.addresses;
  console.log(`Relay daemon: control ${control.port}, data ${data.port}`);

  const sink = await RelaySink.open({
    hostname: LOOPBACK,
    controlPort: control.port,
    dataPort: data.port,
    session: { name: "demo", hostname: "localhost" },
    pathname: "typescript",
  });
  const tracer = new Tracer({ sink, name: "demo", streams: 2 });
  await workload(tracer);
  const report = await tracer.stop();
  for (const error of report.errors) console.error(error);
  await relay.shutdown();

  const trace = `${directory}/${sink.outputPath}`;
  console.log(`\nWhat arrived in ${trace}:`);
  printTree(trace, "  ");
  console.log(
    `\n${report.events} events in ${report.packets} packets, ` +
      `${report.discarded} discarded.`,
  );
  console.log(
    `Read them with one of:\n\n` +
      `  deno run --allow-read cli.ts view ${trace}\n` +
      `  babeltrace2 ${trace}\n`,
  );
  return report.errorCount > 0 || report.discarded > 0 ? 1 : 0;
}

function startDaemon(output: string): Relay {
  const anyPort = { hostname: LOOPBACK, port: 0 };
  return startRelay({
    control: anyPort,
    data: anyPort,
    live: anyPort,
    output,
    groupOutputBy: "host",
    allowClear: true,
    filePoolSize: 512,
    log: createLog({
      level: "info",
      json: false,
      write: (line) => console.log(`relayd: ${line}`),
      now: Date.now,
    }),
  });
}

/** A web server and its clients; stream 0 has its events, stream 1 theirs. */
async function workload(tracer: Tracer): Promise<void> {
  let lastId = 0;
  const server = Deno.serve(
    { hostname: LOOPBACK, port: 0, onListen: () => {} },
    async (request) => {
      const id = ++lastId;
      const path = new URL(request.url).pathname;
      const method = request.method === "POST" ? "POST" : "GET";
      tracer.stream(0).record(requestBegin, { id, method, path });
      await request.text();
      const status = path === "/missing" ? 404 : 200;
      const body = path === "/report" ? "line\n".repeat(1000) : path;
      tracer.stream(0).record(requestEnd, { id, status, bytes: body.length });
      return new Response(body, { status });
    },
  );
  await Promise.all(
    Array.from({ length: CLIENTS }, () => client(tracer, server.addr.port)),
  );
  await server.shutdown();
}

async function client(tracer: Tracer, port: number): Promise<void> {
  for (let request = 0; request < REQUESTS_A_CLIENT; request++) {
    const page = PAGES[request % PAGES.length];
    const response = await fetch(`http://${LOOPBACK}:${port}${page}`, {
      method: request % 10 === 0 ? "POST" : "GET",
    });
    await response.body?.cancel();
  }
  tracer.stream(1).record(clientDone, { requests: REQUESTS_A_CLIENT });
}

function printTree(directory: string, indent: string): void {
  const entries = [...Deno.readDirSync(directory)].sort((a, b) =>
    a.name < b.name ? -1 : 1
  );
  for (const { name, isDirectory } of entries) {
    const path = `${directory}/${name}`;
    if (isDirectory) {
      console.log(`${indent}${name}/`);
      printTree(path, `${indent}  `);
    } else {
      console.log(`${indent}${name}  ${Deno.statSync(path).size} bytes`);
    }
  }
}
