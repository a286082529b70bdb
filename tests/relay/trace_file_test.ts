/** Files that gather small writes and share few descriptors. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  HERE,
  joinPath,
  ownName,
  pathComponent,
  type RelativePath,
} from "../../lib/base/path.ts";
import { Store } from "../../lib/relay/store.ts";
import type { TraceFile } from "../../lib/relay/trace_file.ts";
import { filesBelow } from "./support/files.ts";

class Directory implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "store-" });
  readonly store: Store;
  readonly #files: TraceFile[] = [];

  constructor(filePoolSize = 8) {
    this.store = new Store(this.path, filePoolSize);
  }

  create(name: string, where?: () => RelativePath): TraceFile {
    const path = joinPath(pathComponent(name, "It"));
    const file = this.store.createFile(where ?? (() => path));
    this.#files.push(file);
    return file;
  }

  read(path: string): Uint8Array {
    return Deno.readFileSync(`${this.path}/${path}`);
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) {
      try {
        file.close();
      } catch {
        // Some tests break their files.
      }
    }
    Deno.removeSync(this.path, { recursive: true });
  }
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

Deno.test("TraceFile gathers small writes until it is flushed", () => {
  using directory = new Directory();
  const file = directory.create("a");
  file.append(bytes(1, 2));
  file.append(bytes(3));
  assertEquals(directory.read("a").length, 0);
  assertEquals(file.size, 3);
  file.flush();
  assertEquals(directory.read("a"), bytes(1, 2, 3));
});

Deno.test("TraceFile keeps the order of small and large writes", () => {
  using directory = new Directory();
  const file = directory.create("a");
  const large = new Uint8Array(100_000).fill(7);
  file.append(bytes(1));
  file.append(large);
  file.append(bytes(2));
  file.close();
  const stored = directory.read("a");
  assertEquals(stored.length, 100_002);
  assertEquals([stored[0], stored[1], stored.at(-2), stored.at(-1)], [
    ...[1, 7, 7, 2],
  ]);
});

Deno.test("TraceFile writes what does not fit its gather buffer", () => {
  using directory = new Directory();
  const file = directory.create("a");
  const piece = new Uint8Array(30_000);
  for (let at = 1; at <= 10; at++) file.append(piece.fill(at));
  file.close();
  const stored = directory.read("a");
  assertEquals(stored.length, 300_000);
  for (let at = 0; at < 10; at++) assertEquals(stored[at * 30_000], at + 1);
});

Deno.test("TraceFile empties a file that is there already", () => {
  using directory = new Directory();
  Deno.writeTextFileSync(`${directory.path}/a`, "old");
  directory.create("a").close();
  assertEquals(directory.read("a").length, 0);
});

Deno.test("TraceFile turns many zeros into a hole", () => {
  using directory = new Directory();
  const file = directory.create("a");
  file.append(bytes(1));
  file.appendZeros(0);
  file.appendZeros(3);
  file.appendZeros(64 * 1024 * 1024);
  file.append(bytes(2));
  file.close();
  const info = Deno.statSync(`${directory.path}/a`);
  assertEquals(info.size, 64 * 1024 * 1024 + 5);
  if (info.blocks !== null) assert(info.blocks < 1000, `${info.blocks} blocks`);
  const stored = directory.read("a");
  assertEquals([stored[0], stored[1], stored.at(-2), stored.at(-1)], [
    ...[1, 0, 0, 2],
  ]);
});

Deno.test("TraceFile holds at most as many descriptors as the pool has", () => {
  using directory = new Directory(2);
  const files = Array.from(
    { length: 20 },
    (_, at) => directory.create(`${at}`),
  );
  for (let round = 0; round < 3; round++) {
    for (const [at, file] of files.entries()) {
      file.append(bytes(at));
      file.flush();
    }
    if (Deno.build.os === "linux") {
      const open = [...Deno.readDirSync("/proc/self/fd")].filter((entry) => {
        try {
          return Deno.readLinkSync(`/proc/self/fd/${entry.name}`)
            .startsWith(`${directory.path}/`);
        } catch {
          return false;
        }
      });
      assert(open.length <= 2, `${open.length} descriptors`);
    }
  }
  for (const [at, file] of files.entries()) {
    file.close();
    assertEquals(directory.read(`${at}`), bytes(at, at, at));
  }
});

Deno.test("TraceFile follows its directory through a rename while parked", () => {
  using directory = new Directory(2);
  let home = joinPath(ownName("before"));
  directory.store.makeDirectory(home);
  const file = directory.create("x", () => joinPath(home, ownName("a")));
  file.append(bytes(1));
  file.flush();
  file.park();
  const after = joinPath(ownName("after"));
  directory.store.rename(home, after);
  home = after;
  file.append(bytes(2));
  file.close();
  assertEquals(filesBelow(directory.path), ["after/a"]);
  assertEquals(directory.read("after/a"), bytes(1, 2));
});

Deno.test("TraceFile follows its directory through a rename while open", () => {
  using directory = new Directory();
  const home = joinPath(ownName("before"));
  directory.store.makeDirectory(home);
  const file = directory.create("x", () => joinPath(home, ownName("a")));
  file.append(bytes(1));
  directory.store.rename(home, joinPath(ownName("after")));
  file.append(bytes(2));
  file.close();
  assertEquals(directory.read("after/a"), bytes(1, 2));
});

Deno.test("TraceFile.truncate() cuts what was gathered and what was written", () => {
  using directory = new Directory();
  const file = directory.create("a");
  file.append(bytes(1, 2, 3));
  file.truncate(1);
  file.append(bytes(9));
  file.close();
  assertEquals(directory.read("a"), bytes(1, 9));
});

Deno.test("TraceFile.discardAfter() throws away what was gathered", () => {
  using directory = new Directory();
  const file = directory.create("a");
  file.append(bytes(1, 2));
  file.flush();
  file.append(bytes(3));
  file.discardAfter(1);
  assertEquals(file.size, 1);
  file.close();
  assertEquals(directory.read("a"), bytes(1));
});

for (const [pool, size] of [[8, 5], [2, 5], [2, 3_000_000]] as const) {
  Deno.test(`TraceFile.moveTail() moves ${size} bytes with a pool of ${pool}`, () => {
    using directory = new Directory(pool);
    const from = directory.create("from");
    from.append(bytes(1, 2, 3));
    from.append(new Uint8Array(size).fill(9));
    const to = directory.create("to");
    directory.create("other").append(bytes(0));
    from.moveTail(3, to);
    from.append(bytes(4));
    to.append(bytes(5));
    from.close();
    to.close();
    assertEquals(directory.read("from"), bytes(1, 2, 3, 4));
    const moved = directory.read("to");
    assertEquals(moved.length, size + 1);
    assert(moved.subarray(0, size).every((byte) => byte === 9));
    assertEquals(moved.at(-1), 5);
  });
}

Deno.test("TraceFile.close() says that the file was removed under it", () => {
  using directory = new Directory();
  const file = directory.create("a");
  Deno.removeSync(`${directory.path}/a`);
  file.append(bytes(1));
  assertThrows(() => file.close(), Deno.errors.NotFound, "was removed");
});

Deno.test("TraceFile cannot be created where its directory is missing", () => {
  using directory = new Directory();
  const where = () => joinPath(ownName("missing"), ownName("a"));
  assertThrows(() => directory.create("x", where), Deno.errors.NotFound);
});

Deno.test("Store makes directories and files private to user and group", () => {
  if (Deno.build.os === "windows") return;
  using directory = new Directory();
  directory.store.makeDirectory(joinPath(ownName("d")));
  directory.create("f");
  const mode = (name: string) =>
    Deno.statSync(`${directory.path}/${name}`).mode! & 0o777;
  assertEquals(mode("d") & 0o007, 0);
  assertEquals(mode("f") & 0o117, 0);
  assertEquals(mode("d") & 0o700, 0o700);
  assertEquals(mode("f") & 0o600, 0o600);
});

Deno.test("Store removes a missing file and keeps a full directory", () => {
  using directory = new Directory();
  const { store } = directory;
  store.removeFile(joinPath(ownName("nothing")));
  const full = joinPath(ownName("full"));
  store.makeDirectory(joinPath(full, ownName("x")));
  store.removeEmptyDirectory(full);
  assertEquals(store.exists(full), true);
  store.removeEmptyDirectory(joinPath(full, ownName("x")));
  store.removeEmptyDirectory(full);
  store.removeEmptyDirectory(full);
  assertEquals(store.exists(full), false);
});

Deno.test("Store.moveEntries() moves what is named and there", () => {
  using directory = new Directory();
  const { store } = directory;
  const to = joinPath(ownName("to"));
  store.makeDirectory(to);
  store.makeDirectory(joinPath(ownName("ust"), ownName("uid")));
  store.makeDirectory(joinPath(ownName("kernel")));
  store.moveEntries(HERE, to, [ownName("ust"), ownName("missing")]);
  assertEquals(filesBelow(directory.path), ["kernel/", "to/ust/uid/"]);
});
