/**
 * A database whose bytes the disk has changed: at its next start the agent goes on with it or sets it aside and builds another, records on,
 * and has every file of footage in its index again; the ledger adds up. The whole agent, on a scripted clock.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReads } from "../../agent/store/store.ts";
import { lawsOf } from "../lib/laws.ts";
import { memoryFolder } from "../lib/temp.ts";
import { makeVillage } from "../lib/world.ts";
import { fuzz } from "./budget.ts";

const folder = memoryFolder("fuzz-database");
const state = join(folder, "state");
const kept = join(folder, "kept");
const minute = 60_000;
const names = ["cho", "truong"] as const;
const village = makeVillage({
  ...{ folder, startAt: Date.parse("2026-11-23T17:00:00Z") },
  cameras: names.map((id) => `id: ${id}, url: "rtsp://${id}/"`),
});
type File = typeof village.disk.files extends ReadonlyMap<string, infer F> ? F : never;
const files = village.disk.files as Map<string, File>;
let footage: [string, File][] = [];

/** A quarter of an hour with troubles, kept as two pictures: with the newest rows in the log beside the database, and closed in order. */
beforeAll(async () => {
  await village.boot();
  for (const name of names) {
    await village.pass(2 * minute);
    village.scene.trouble.set(name, "silent");
    await village.pass(minute);
    village.scene.trouble.delete(name);
  }
  await village.pass(2 * minute);
  village.cut();
  await village.pass(5 * minute);
  await village.boot();
  await village.pass(4 * minute);
  footage = [...files].map(([path, file]) => [path, { ...file }]);
  cpSync(state, join(kept, "running"), { recursive: true });
  village.cut();
  cpSync(state, join(kept, "closed"), { recursive: true });
  expect(readdirSync(join(kept, "running"))).toContain("matghi.db-wal");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const deed = fc.record({
  file: fc.constantFrom("matghi.db", "matghi.db", "matghi.db-wal", "matghi.db-shm"),
  what: fc.constantFrom("flip", "flip", "flip", "zero", "garbage", "cut", "swap", "remove"),
  ...{ at: place, other: place, length: fc.integer({ min: 1, max: 600 }) },
});
const pageBytes = 4096;

type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

function damage({ file, what, at, other, length }: Deed): void {
  const path = join(state, file);
  if (!existsSync(path)) return;
  const bytes = readFileSync(path);
  const byte = Math.floor(at * bytes.length);
  const pageAt = (share: number) => Math.floor((share * bytes.length) / pageBytes) * pageBytes;
  if (what === "remove") {
    rmSync(path);
    return;
  }
  if (what === "flip") bytes[byte] = (bytes[byte] ?? 0) ^ (1 << (length & 7));
  if (what === "zero") bytes.subarray(pageAt(at), pageAt(at) + pageBytes).fill(0);
  if (what === "garbage") for (let i = byte; i < Math.min(byte + length, bytes.length); i += 1) bytes[i] = (i * 2_654_435_761) >>> 24;
  if (what === "swap") bytes.copy(bytes, pageAt(at), pageAt(other), pageAt(other) + pageBytes);
  writeFileSync(path, what === "cut" ? bytes.subarray(0, byte) : bytes);
}

test("bits flipped, pages lost, files cut", async () => {
  const drawn = fc.record({ from: fc.constantFrom("running", "closed"), deeds: fc.array(deed, { minLength: 1, maxLength: 4 }) });
  // The newest rows are gone, the run among them that wrote the newest files: its number must not come again.
  const known = [
    { from: "running" as const, deeds: [{ file: "matghi.db-wal" as const, what: "flip" as const, at: 0, other: 0, length: 7 }] },
    { from: "running" as const, deeds: [{ file: "matghi.db" as const, what: "remove" as const, at: 0, other: 0, length: 1 }] },
  ];
  const law = async ({ from, deeds }: typeof drawn extends fc.Arbitrary<infer T> ? T : never) => {
    // A beat of the case before may still be on its way on a loaded machine.
    rmSync(state, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    cpSync(join(kept, from), state, { recursive: true });
    files.clear();
    for (const [path, file] of footage) files.set(path, { ...file });
    for (const one of deeds) damage(one);
    await village.boot();
    // Past the last beat: one that is on its way to the disk would land in the next case's state.
    await village.pass(3 * minute + 2_000);
    const log = village.log();
    village.cut();
    const reads = openReads(state);
    expect(reads, "a database that opens").not.toBeNull();
    reads?.close();
    const broken = village.ask((asking) => lawsOf(asking, { names, files: [...files.keys()], mayForget: true }));
    expect(broken, log.slice(-2_000)).toEqual([]);
  };
  await fuzz("database with flipped bits", drawn, law, known);
});
