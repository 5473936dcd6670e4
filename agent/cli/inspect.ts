/** `matghi inspect`: asks the disks themselves, which needs root, and writes down what they said for the agent, which is not. */
import { makeBox } from "../../hal/box.ts";
import { makeClock } from "../../hal/clock.ts";
import { makeDisks } from "../../hal/disks.ts";
import { makeInspections } from "../../hal/inspection.ts";
import { makeMachine } from "../../hal/machine.ts";
import type { DiskFacts, Inspection, Machine } from "../../hal/ports.ts";
import type { Settings } from "../config/schema.ts";
import { fill, wordsIn } from "../core/words.ts";
import { type Context, exit, Refusal, settingsOf } from "./context.ts";

export async function inspect(context: Context): Promise<number> {
  if (process.getuid?.() !== 0) throw new Refusal(exit.wrongUse, "only root may ask a disk about itself: sudo matghi inspect");
  const settings = settingsOf(context);
  const found = new Map<string, Seen>();
  for (const [holds, folder] of [["footage", settings.recording.folder] as const, ["state", settings.site.state] as const])
    for (const facts of await makeDisks().under(folder)) if (!found.has(facts.device)) found.set(facts.device, { facts, holds });
  const inspection = await look(makeMachine(), [...found.keys()]);
  await write(settings.inspection.path, inspection);
  context.out(context.json ? JSON.stringify(inspection) : textOf(settings, [...found.values()], inspection));
  return inspection.disks.some(({ smart }) => smart.kind === "told" && !smart.passed) ? exit.needsPerson : exit.fine;
}

type Seen = { readonly facts: DiskFacts; readonly holds: "footage" | "state" };

async function look(machine: Machine, devices: readonly string[]): Promise<Inspection> {
  const disks = await Promise.all(devices.map(async (device) => ({ device, smart: await machine.smart(`/dev/${device}`) })));
  const { monoMs } = makeClock({ driver: "none" });
  return { boot: makeBox().bootId(), monoMs: Math.round(monoMs()), disks, throttled: await machine.throttled() };
}

async function write(path: string, inspection: Inspection): Promise<void> {
  try {
    await makeInspections(path).write(inspection);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refusal(exit.needsPerson, `cannot write ${path} (${code ?? String(error)}): choose another inspection.path`);
  }
}

function textOf(settings: Settings, disks: readonly Seen[], inspection: Inspection): string {
  const words = wordsIn(settings.site.language).wear;
  const lines = disks.map(({ facts, holds }) => {
    const smart = inspection.disks.find(({ device }) => device === facts.device)?.smart;
    const told = smart?.kind === "told" ? smart : null;
    const worn = facts.wornPercent ?? told?.wornPercent ?? null;
    const more = [
      ...(told === null || told.badSectors === 0 ? [] : [fill(words.more.sectors, { count: told.badSectors })]),
      ...(worn === null ? [] : [fill(words.more.worn, { percent: worn })]),
      ...(facts.fileSystemErrors ? [fill(words.more.fileSystem, { count: facts.fileSystemErrors })] : []),
      ...(smart === undefined || smart.kind === "told" ? [] : [fill(words.why, { detail: smart.detail })]),
    ];
    const word =
      told === null
        ? words.smart[smart?.kind === "unsupported" ? "unsupported" : "unknown"]
        : words.smart[told.passed ? "good" : "failing"];
    return fill(words.line, {
      ...{ disk: fill(words.disk[holds], { device: facts.device }), smart: word },
      more: more.map((text) => `, ${text}`).join(""),
    });
  });
  const none = fill(words.none, { folder: settings.recording.folder });
  return [...(lines.length === 0 ? [none] : lines), fill(words.written, { file: settings.inspection.path })].join("\n");
}
