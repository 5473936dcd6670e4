/** Power as the kernel tells it: /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power), and a Raspberry Pi's own alarm. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PowerValue, Probe, Reading } from "./ports.ts";

const deadlineMs = 900;
/** A battery that does not tell its own level is low at this charge, in percent (the kernel's usual "critical" is 5; a box needs time to close its files). */
const lowPercent = 10;

/** `root`: where sysfs is mounted. */
export function makeSupply(root = "/sys"): Probe<PowerValue> {
  let reading: Promise<Reading<PowerValue>> | null = null;
  return {
    driver: "sysfs",
    // A read that hangs in the kernel is not joined by others.
    read: (signal) => {
      if (signal.aborted) return Promise.resolve(unknown("stopped"));
      reading ??= look(root)
        .catch((error: NodeJS.ErrnoException) => unknown(`supply ${error.code ?? "unreadable"}`))
        .finally(() => {
          reading = null;
        });
      return within(reading);
    },
  };
}

const unknown = (...evidence: readonly string[]): Reading<PowerValue> => ({ value: "unknown", evidence });

async function within(reading: Promise<Reading<PowerValue>>): Promise<Reading<PowerValue>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reading<PowerValue>>((resolve) => {
    timer = setTimeout(() => resolve(unknown("supply late")), deadlineMs);
  });
  const first = await Promise.race([reading, late]);
  clearTimeout(timer);
  return first;
}

type Supply = { readonly name: string; readonly facts: ReadonlyMap<string, string> };

async function look(root: string): Promise<Reading<PowerValue>> {
  const supplies = await suppliesOf(root);
  const dip = (await isUnderVoltage(root)) ? ["under-voltage"] : [];
  const mains = supplies.filter(({ facts }) => facts.get("type") !== "Battery" && facts.has("online"));
  // A mouse's or a phone's battery says "Device"; it does not feed the box.
  const batteries = supplies.filter(({ facts }) => facts.get("type") === "Battery" && facts.get("scope") !== "Device");
  if (mains.length + batteries.length === 0) return { value: "unsupported", evidence: dip };
  const evidence = [...mains.map((one) => say(one, "online")), ...batteries.flatMap(sayBattery), ...dip];
  return { value: wordFor(mains, batteries), evidence };
}

/** Any feed that is on is mains. Only batteries: what they say of themselves. No battery and no feed on: it could not say so. */
function wordFor(mains: readonly Supply[], batteries: readonly Supply[]): PowerValue | "unknown" {
  if (mains.some(({ facts }) => facts.get("online") !== "0")) return "mains";
  const states = batteries.map(({ facts }) => facts.get("status"));
  if (mains.length === 0 && states.some((state) => state === "Charging" || state === "Full" || state === "Not charging")) return "mains";
  if (batteries.length === 0 || (mains.length === 0 && !states.includes("Discharging"))) return "unknown";
  return batteries.every(isLow) ? "low" : "battery";
}

function isLow({ facts }: Supply): boolean {
  const level = facts.get("capacity_level");
  if (level === "Critical" || level === "Low") return true;
  const percent = Number(facts.get("capacity") ?? Number.NaN);
  return percent >= 0 && percent <= lowPercent;
}

const say = ({ name, facts }: Supply, fact: string) => `${name} ${fact} ${facts.get(fact) ?? "?"}`;
const sayBattery = (one: Supply) => ["status", "capacity"].filter((fact) => one.facts.has(fact)).map((fact) => say(one, fact));

const asked = ["type", "scope", "online", "status", "capacity", "capacity_level"] as const;
/** More supplies than any box has. */
const mostSupplies = 16;

async function suppliesOf(root: string): Promise<readonly Supply[]> {
  const folder = join(root, "class/power_supply");
  const names = await readdir(folder).catch(noneThere);
  return Promise.all(
    [...names]
      .sort()
      .slice(0, mostSupplies)
      .map(async (name) => {
        const facts = await Promise.all(asked.map(async (fact) => [fact, await wordOf(join(folder, name, fact))] as const));
        return { name, facts: new Map(facts.filter((pair): pair is [(typeof asked)[number], string] => pair[1] !== null)) };
      }),
  );
}

function noneThere(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

/** A fact that the driver does not have, or does not tell now, is none. */
const wordOf = (path: string) =>
  readFile(path, "utf8").then(
    (text) => text.trim().slice(0, 40),
    () => null,
  );

/** The Raspberry Pi's firmware says that its feed dips (driver raspberrypi-hwmon). */
async function isUnderVoltage(root: string): Promise<boolean> {
  const folder = join(root, "class/hwmon");
  for (const name of await readdir(folder).catch(() => []))
    if ((await wordOf(join(folder, name, "name"))) === "rpi_volt") return (await wordOf(join(folder, name, "in0_lcrit_alarm"))) === "1";
  return false;
}
