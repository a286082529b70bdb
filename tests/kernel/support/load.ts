/** Work for the kernel: what tests trace. */

import { run } from "../../support/process.ts";

/** Files, processes, pipes, signals and sleeps, some `rounds` times. */
export async function makeLoad(rounds: number): Promise<void> {
  const script = `
trap : USR1
for round in $(seq ${rounds}); do
  ls -lR /usr/include >/dev/null
  cat /usr/include/*.h | wc -c >/dev/null
  dd if=/dev/zero of="$0" bs=64k count=16 conv=fsync 2>/dev/null
  kill -USR1 $$
  sleep 0.05
done
`;
  const file = await Deno.makeTempFile();
  try {
    const { code, stderr } = await run({
      command: ["/bin/bash", "-c", script, file],
    });
    if (code !== 0) throw new Error(`The load failed: ${stderr}`);
  } finally {
    await Deno.remove(file);
  }
}
