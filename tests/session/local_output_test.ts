import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../lib/base/clock.ts";
import { LocalOutput } from "../../lib/session/local_output.ts";

const permissions: Deno.PermissionOptions = { read: true, write: true };

function test(
  name: string,
  fn: (output: LocalOutput, path: string) => Promise<void>,
): void {
  Deno.test({
    name,
    permissions,
    async fn() {
      const path = await Deno.makeTempDir();
      const output = new LocalOutput({
        path,
        domain: "kernel",
        clock: systemClock,
        asOwner: (use) => use(),
        hasIndex: true,
      });
      try {
        await fn(output, path);
      } finally {
        await output.close();
        await Deno.remove(path, { recursive: true });
      }
    },
  });
}

function write(output: LocalOutput, text: string): Promise<void> {
  return output.writeMetadata(new TextEncoder().encode(text));
}

function replace(output: LocalOutput, text: string): Promise<void> {
  return output.replaceMetadata(new TextEncoder().encode(text));
}

function metadataIn(directory: string): string {
  return Deno.readTextFileSync(`${directory}/kernel/metadata`);
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).toSorted();
}

test(
  "LocalOutput.replaceMetadata() leaves the new, which goes on to grow",
  async (output, path) => {
    await write(output, "old and long;");
    await replace(output, "new;");
    assertEquals(metadataIn(path), "new;");
    await write(output, "more;");
    assertEquals(metadataIn(path), "new;more;");
    assertEquals(namesIn(`${path}/kernel`), ["metadata"]);
  },
);

test(
  "LocalOutput.replaceMetadata() leaves a reader the old file, whole",
  async (output, path) => {
    await write(output, "old;");
    using reader = Deno.openSync(`${path}/kernel/metadata`);
    await replace(output, "new and longer;");
    const bytes = new Uint8Array(64);
    const size = reader.readSync(bytes) ?? 0;
    assertEquals(new TextDecoder().decode(bytes.subarray(0, size)), "old;");
  },
);

test(
  "LocalOutput.replaceMetadata() changes the current chunk and the next",
  async (output, path) => {
    await write(output, "old;");
    const first = await output.rotate();
    await replace(output, "new;");
    await write(output, "more;");
    const second = await output.rotate();
    const third = await output.archive();
    const texts = [first, second, third].map(({ path }) => metadataIn(path));
    assertEquals(texts, ["old;", "new;more;", "new;more;"]);
    assertEquals(namesIn(path), ["archives"]);
  },
);

test(
  "LocalOutput.replaceMetadata() leaves the old whole where the new cannot be written",
  async (output, path) => {
    await write(output, "old;");
    const inTheWay = `${path}/kernel/.metadata.new`;
    Deno.mkdirSync(inTheWay);
    await assertRejects(
      () => replace(output, "new;"),
      Error,
      `Cannot write ${path}/kernel/metadata anew: `,
    );
    await write(output, "more;");
    assertEquals(metadataIn(path), "old;more;");
    const { path: archive } = await output.rotate();
    assertEquals(metadataIn(archive), "old;more;");
    await replace(output, "new;");
    const last = await output.archive();
    assertEquals(metadataIn(last.path), "new;");
  },
);

test(
  "LocalOutput.replaceMetadata() leaves the old whole where the name cannot change",
  async (output, path) => {
    await write(output, "old;");
    const { path: archive } = await output.rotate();
    assertEquals(metadataIn(archive), "old;");
    const [chunk = ""] = namesIn(path).filter((name) => name !== "archives");
    const metadata = `${path}/${chunk}/kernel/metadata`;
    Deno.renameSync(metadata, `${metadata}.aside`);
    Deno.mkdirSync(metadata);
    await assertRejects(() => replace(output, "new;"), Error, "anew: ");
    assertEquals(namesIn(`${path}/${chunk}/kernel`), [
      "metadata",
      "metadata.aside",
    ]);
    await write(output, "more;");
    assertEquals(Deno.readTextFileSync(`${metadata}.aside`), "old;more;");
  },
);
