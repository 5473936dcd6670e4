/** The start guard, with databases that a real Mosquitto wrote and a power cut could have left. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { damageOf, guardDatabase } from "../../deploy/station/guard.ts";
import { startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";

let good = "";
let folder = "";
const database = () => join(folder, "mosquitto.db");
beforeAll(async () => {
  const broker = await startMosquitto();
  for (let i = 0; i < 40; i += 1)
    execFileSync("mosquitto_pub", ["-p", String(broker.port), "-q", "1", "-r", "-t", `a/${i}`, "-m", "x".repeat(300)]);
  execFileSync("mosquitto_sub", ["-p", String(broker.port), "-i", "box", "-c", "-q", "1", "-t", "a/#", "-C", "1"]);
  await broker.stop();
  good = broker.database;
});
beforeEach(() => {
  folder = tempFolder("guard");
  copyFileSync(good, database());
});

function overwrite(at: number, bytes: Buffer): void {
  const whole = readFileSync(database());
  bytes.copy(whole, at);
  writeFileSync(database(), whole);
}

test("a good one stays, byte by byte, and costs a start of the broker some seconds at most", async () => {
  const began = performance.now();
  const before = readFileSync(database());
  expect(before.length).toBeGreaterThan(12_000);
  expect(await guardDatabase(database())).toEqual({ kind: "good" });
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(readFileSync(database())).toEqual(before);
  expect(readdirSync(folder)).toEqual(["mosquitto.db"]);
});

test("none is good too: the broker begins one", async () => {
  expect(await guardDatabase(join(folder, "none.db"))).toEqual({ kind: "good" });
});

test.each<[string, (size: number) => void]>([
  ["nothing but zeros", (size) => overwrite(0, Buffer.alloc(size))],
  ["empty", () => truncateSync(database(), 0)],
  ["cut off within a chunk", (size) => truncateSync(database(), size - 5)],
  ["half of it there", (size) => truncateSync(database(), Math.floor(size / 2))],
  ["a page of zeros inside", () => overwrite(4_096, Buffer.alloc(4_096))],
  ["zeros at its end", (size) => overwrite(8_192, Buffer.alloc(size - 8_192))],
  ["something else", (size) => overwrite(0, Buffer.from("x".repeat(size)))],
])("%s: set aside, and the broker starts without it", async (_, damage) => {
  damage(statSync(database()).size);
  const guarded = await guardDatabase(database());
  expect(guarded.kind).toBe("set-aside");
  expect(existsSync(database())).toBe(false);
  if (guarded.kind === "set-aside") expect(existsSync(guarded.as)).toBe(true);
});

test("Mosquitto itself starts with half a database, without a word: chunks must be followed", () => {
  truncateSync(database(), Math.floor(statSync(database()).size / 2));
  expect(damageOf(database())).toMatch(/ends/);
});

test("what Mosquitto does not start with is set aside, also where its chunks look right", async () => {
  overwrite(22, Buffer.from([99]));
  expect(damageOf(database())).toBeNull();
  expect(await guardDatabase(database())).toMatchObject({ kind: "set-aside", why: "Mosquitto does not start with it" });
});

test("what keeps Mosquitto from starting for another reason is not the database's fault", async () => {
  expect(await guardDatabase(database(), "/bin/false")).toEqual({ kind: "good" });
  expect(existsSync(database())).toBe(true);
});

test("the newest two that were set aside are kept", async () => {
  for (const day of [1, 2, 3]) {
    writeFileSync(database(), "damaged");
    await guardDatabase(database(), undefined, new Date(Date.UTC(2026, 10, day)));
  }
  expect(readdirSync(folder)).toEqual(["mosquitto.db.broken-20261102T000000Z", "mosquitto.db.broken-20261103T000000Z"]);
});
