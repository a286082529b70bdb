import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  explain,
  explainNoMount,
  findMount,
  KernelTracingError,
  readFile,
  Tracefs,
  writeFile,
} from "../../lib/kernel/tracefs.ts";
import { tracefsTest } from "./support/tracefs.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

test("findMount() takes the first tracefs of /proc/mounts", () => {
  const mounts = `proc /proc proc rw 0 0
none /sys/kernel/my\\040tracing tracefs rw 0 0
tracefs /sys/kernel/debug/tracing tracefs rw 0 0
`;
  assertEquals(findMount(mounts), "/sys/kernel/my tracing");
  assertEquals(findMount("proc /proc proc rw 0 0\n"), undefined);
});

test("explain() says that Deno wants every permission", () => {
  assertMatch(
    explain(new Deno.errors.NotCapable("x"), "/sys/kernel/tracing"),
    /^Cannot trace the kernel: \/sys\/kernel\/tracing: .*--allow-all$/,
  );
});

test("explain() says that a kernel lacks a feature", () => {
  assertMatch(
    explain(new Deno.errors.NotFound("x"), "/t/buffer_subbuf_size_kb"),
    /there is no such file: this kernel, or its configuration, does not have/,
  );
});

test("explain() says that tracefs is mounted read-only", () => {
  const error = Object.assign(new Error("x"), { code: "EROFS" });
  assertMatch(explain(error, "/t"), /mounted read-only, as in a container/);
});

const HERE = { uid: 0, lockdown: "none", isContainer: false };

test("explain() says who may trace, and how others can", () => {
  const denied = new Deno.errors.PermissionDenied("x");
  function reason(surroundings: Partial<typeof HERE>): string {
    return explain(denied, "/t", () => ({ ...HERE, ...surroundings }));
  }
  assertMatch(reason({ uid: 1000 }), /only root may use it: .* gid=/);
  assertMatch(reason({ isContainer: true }), /root of a container may not/);
  assertMatch(
    reason({ uid: 1000, lockdown: "confidentiality" }),
    /locked down for confidentiality.* lockdown=integrity/,
  );
  assertMatch(reason({}), /the kernel refuses it \(EPERM\)/);
});

test("explainNoMount() says how to get a tracefs", () => {
  const explained = (here: Partial<typeof HERE>, hasPlace = true) =>
    explainNoMount({ ...HERE, ...here }, hasPlace);
  const command = "mount -t tracefs tracefs /sys/kernel/tracing";
  assertMatch(explained({}), new RegExp(`not mounted: run "${command}"`));
  assertMatch(explained({ uid: 5 }), new RegExp(`as root, run "${command}"`));
  assertMatch(explained({ isContainer: true }), /this is a container: give it/);
  assertMatch(explained({}, false), /this kernel has no place for it/);
});

/** Runs `act` on a directory that looks like tracefs. */
async function withDirectory(
  act: (path: string) => void | Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await act(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("Tracefs.open() refuses a directory that is no tracefs", async () => {
  await withDirectory((path) => {
    assertThrows(() => Tracefs.open(path), KernelTracingError, "no such file");
  });
});

Deno.test("writeFile() makes no file that is not there", async () => {
  await withDirectory((path) => {
    assertThrows(
      () => writeFile(`${path}/new_feature`, "1"),
      KernelTracingError,
      "does not have the feature",
    );
    assertEquals([...Deno.readDirSync(path)], []);
  });
});

Deno.test("writeFile() begins a file anew, or adds to it", async () => {
  await withDirectory((path) => {
    const file = `${path}/set_event_pid`;
    Deno.writeTextFileSync(file, "123456\n");
    writeFile(file, "1\n");
    writeFile(file, "2\n", { append: true });
    assertEquals(readFile(file), "1\n2\n");
  });
});

tracefsTest("readFile() reads files whole that answer one read only", () => {
  const text = readFile(`${Tracefs.find()}/events/header_page`);
  assertMatch(text, /timestamp[\s\S]*commit[\s\S]*data/);
});
