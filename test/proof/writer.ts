/** A box in small, for a power cut: commits events and flushes a growing file as fast as the disk lets it, and says after each what is safe. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../agent/store/store.ts";
import { makeFootage } from "../../hal/footage.ts";

const [folder = ""] = process.argv.slice(2);
const store = openStore(join(folder, "state"));
const footage = makeFootage(join(folder, "footage"));
store.begin({ bootId: "b", wallMs: Date.now(), monoMs: 0, clock: "synced", version: "test", above: 0 });
await footage.prepare("cho");
const part = join(folder, "footage/cho/1-1.mkv.part");
for (let i = 0; ; i += 1) {
  const moment = { at: Date.now(), monoMs: i, clock: "synced" } as const;
  store.commit([{ put: "event", moment, type: "camera.changed", level: "info", data: { number: i } }]);
  appendFileSync(part, Buffer.alloc(10_000, i));
  const synced = await footage.sync("cho", 1, 1, true);
  process.stdout.write(`${JSON.stringify({ g: store.journal.lastG(), bytes: synced?.bytes ?? 0 })}\n`);
}
