import { assert, assertEquals, assertThrows } from "@std/assert";
import { asFileUser, lockFile } from "../../lib/os/file_access.ts";

const isLinux = Deno.build.os === "linux";
const isRoot = isLinux && Deno.uid() === 0;
/** Nobody in particular. */
const UID = 31_999;

function test(name: string, can: boolean, fn: () => Promise<void>): void {
  if (!can) console.log(`Skipped: ${name}: Linux, and perhaps root, only`);
  Deno.test({ name, ignore: !can, fn });
}

test("lockFile() gives a lock to one at a time", isLinux, async () => {
  const path = await Deno.makeTempFile();
  {
    using _held = lockFile(path);
    assertEquals(lockFile(path), undefined);
  }
  using again = lockFile(path);
  assert(again !== undefined);
  await Deno.remove(path);
});

test(
  "asFileUser() makes files that are the user's, and only where the user may",
  isRoot,
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/file`;
      const write = () => Deno.writeTextFileSync(path, "x");
      await Deno.chmod(directory, 0o755);
      assertThrows(
        () => asFileUser(UID, UID, write),
        Deno.errors.PermissionDenied,
      );
      await Deno.chown(directory, UID, UID);
      asFileUser(UID, UID, write);
      const { uid, gid } = await Deno.stat(path);
      assertEquals([uid, gid], [UID, UID]);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

test(
  "asFileUser() gives the rights back, whatever happens",
  isRoot,
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      assertThrows(() =>
        asFileUser(UID, UID, () => {
          throw new Error("Something else");
        })
      );
      await Deno.writeTextFile(`${directory}/file`, "x");
      assertEquals((await Deno.stat(`${directory}/file`)).uid, 0);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);
