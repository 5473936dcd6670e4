/** The suite of `Witness`, on the scripted and the real driver: a router that answers, one that is silent, and a question that cannot be put. */
import { getEventListeners } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scriptWitness } from "../../hal/script.ts";
import { makeWitness } from "../../hal/witness.ts";
import { makeNetwork, type Network } from "../lib/netns.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const folder = tempFolder("witness");
let house: Network;
beforeAll(() => {
  house = makeNetwork(9);
});
afterAll(() => house.remove());

describe.each(["real", "scripted"] as const)("the %s witness", (kind) => {
  let isHome = true;
  const make = () => (kind === "real" ? makeWitness() : scriptWitness((address) => (address.startsWith("-") ? null : isHome)));

  test("answers while the house has power and network, and is silent when it has not", async () => {
    const witness = make();
    expect(await witness.ask(house.address, 5_000, never)).toBe(true);
    isHome = false;
    house.vanish();
    expect(await witness.ask(house.address, 300, never)).toBe(false);
    isHome = true;
    house.appear();
    expect(await witness.ask(house.address, 5_000, never)).toBe(true);
  });

  test("says null where it could not be asked", async () => {
    const witness = make();
    expect(await witness.ask("-f", 1_000, never)).toBe(null);
    expect(await witness.ask(house.address, 1_000, AbortSignal.abort())).toBe(null);
  });
});

describe("ping", () => {
  const ping = (name: string, ...lines: string[]) => writeProgram(join(folder, name), lines);

  test("is given the address as an address only", async () => {
    const seen = join(folder, "seen");
    const witness = makeWitness(ping("args", `echo "$*" >> ${seen}`));
    for (const text of ["", "-f", "a b", "a;b", "$(x)", "x\n-f", "a".repeat(300)])
      expect(await witness.ask(text, 1_000, never), text).toBe(null);
    for (const text of ["192.168.1.1", "fe80::1%eth0", "router.nha-07.lan"]) expect(await witness.ask(text, 1_500, never), text).toBe(true);
    expect(readFileSync(seen, "utf8").split("\n")).toEqual([
      "-n -q -c 1 -W 1.5 -- 192.168.1.1",
      "-n -q -c 1 -W 1.5 -- fe80::1%eth0",
      "-n -q -c 1 -W 1.5 -- router.nha-07.lan",
      "",
    ]);
  });

  test.each([
    ["nobody answered", "exit 1", false],
    ["not permitted, or no route", "exit 2", null],
    ["killed", "kill -9 $$", null],
  ])("that ends with: %s", async (name, line, answer) => {
    expect(await makeWitness(ping(name.replaceAll(/\W/g, "-"), line)).ask("192.168.1.1", 1_000, never)).toBe(answer);
  });

  test("that is missing cannot ask, and leaves nothing on the signal", async () => {
    const { signal } = new AbortController();
    expect(await makeWitness("/no/such/ping").ask("192.168.1.1", 1_000, signal)).toBe(null);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  const hang = (pidFile: string) => makeWitness(ping("hang", `echo $$ > ${pidFile}`, "exec sleep 600"));
  const pidIn = (pidFile: string) => (existsSync(pidFile) ? readFileSync(pidFile, "utf8").trim() : "");
  const isGone = async (pid: string) => {
    for (let i = 0; i < 200 && existsSync(`/proc/${pid}`); i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    return pid !== "" && !existsSync(`/proc/${pid}`);
  };

  test("that hangs is ended by its deadline", async () => {
    const pidFile = join(folder, "late");
    expect(await hang(pidFile).ask("192.168.1.1", 1_000, never)).toBe(null);
    expect(await isGone(pidIn(pidFile))).toBe(true);
  });

  test("that hangs is ended with the signal", async () => {
    const pidFile = join(folder, "stopped");
    const stop = new AbortController();
    const asked = hang(pidFile).ask("192.168.1.1", 600_000, stop.signal);
    while (pidIn(pidFile) === "") await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await asked).toBe(null);
    expect(await isGone(pidIn(pidFile))).toBe(true);
  });
});
