/**
 * Gauges of UPS boards on I²C, read with Debian's `i2ctransfer` (i2c-tools): MAX17040, 41 and 43 tell a battery's charge, an INA219 its
 * voltage and which way the current flows. They say nonsense now and then (reference: edge.md §4 row 4): what cannot be, or does not agree
 * with the readings around it, is unknown.
 */
import { execFile } from "node:child_process";
import type { PowerValue, Probe, Reading } from "./ports.ts";

export const gauges = ["max17040", "max17041", "max17043", "ina219"] as const;
export type GaugeName = (typeof gauges)[number];
export type GaugeOptions = {
  readonly gauge: GaugeName;
  readonly bus: number;
  /** Percent of charge below which the battery is low. */
  readonly lowBelow: number;
};

const debianTool = "/usr/sbin/i2ctransfer";
const toolMs = 700;
const deadlineMs = 800;
/** So many readings in a row must agree. */
const agreeing = 3;

/** A battery as its gauge tells of it. `charge` in percent; `isDraining` null: this gauge does not tell. */
type Gauged = { readonly volts: number; readonly charge: number; readonly isDraining: boolean | null };
/** Differences between two readings a second apart that are still one battery's. */
const jumps = { volts: 0.4, charge: 5 } as const;

/** A gauge that tells the current's way is a sense of its own; the others need `mains`, a sense of mains, and say when its battery is low. */
export function makeGauge(options: GaugeOptions, mains: Probe<PowerValue> | null, tool = debianTool): Probe<PowerValue> {
  let last: readonly Gauged[] = [];
  return {
    driver: mains === null ? options.gauge : `${mains.driver}+${options.gauge}`,
    read: async (signal) => {
      if (signal.aborted) return unknown("stopped");
      const [base, asked] = await Promise.all([
        mains?.read(signal) ?? null,
        Promise.race([ask(options, tool, signal), late(options.gauge)]),
      ]);
      if (signal.aborted) return unknown("stopped");
      const isCredible = typeof asked !== "string" && last.every((before) => agree(before, asked));
      last = typeof asked === "string" ? [] : [...(isCredible ? last : []), asked].slice(-agreeing);
      const problem = typeof asked === "string" ? asked : last.length < agreeing ? `${options.gauge} unsteady` : null;
      return problem === null && typeof asked !== "string" ? join(options, base, asked) : without(base, problem ?? "");
    },
  };
}

/** Programs may be slow to start on a loaded box: nobody waits for them. */
const late = (gauge: GaugeName) => new Promise<string>((resolve) => setTimeout(resolve, deadlineMs, `${gauge} late`).unref());

const unknown = (...evidence: readonly string[]): Reading<PowerValue> => ({ value: "unknown", evidence });

/** Without its gauge the sense of mains still knows about mains. */
const without = (base: Reading<PowerValue> | null, problem: string): Reading<PowerValue> =>
  base === null ? unknown(problem) : { value: base.value, evidence: [...base.evidence, problem] };

/** A charge that is reckoned from the voltage has no jumps of its own. */
const agree = (a: Gauged, b: Gauged) =>
  Math.abs(a.volts - b.volts) <= jumps.volts && (a.isDraining !== null || Math.abs(a.charge - b.charge) <= jumps.charge);

function join({ lowBelow }: GaugeOptions, base: Reading<PowerValue> | null, { volts, charge, isDraining }: Gauged): Reading<PowerValue> {
  const evidence = [...(base?.evidence ?? []), `battery ${volts.toFixed(2)} V`, `charge ${Math.round(charge)}`];
  const felt = base?.value ?? (isDraining === null ? "unknown" : isDraining ? "battery" : "mains");
  return { value: felt === "battery" && charge < lowBelow ? "low" : felt, evidence };
}

async function ask(options: GaugeOptions, tool: string, signal: AbortSignal): Promise<Gauged | string> {
  const [first, second] = options.gauge === "ina219" ? [ina.bus, ina.shunt] : [max.cell, max.charge];
  const address = options.gauge === "ina219" ? ina.address : max.address;
  const words = [];
  for (const register of [first, second]) {
    const word = await readWord(tool, options.bus, address, register, signal);
    if (typeof word === "string") return `${options.gauge} ${word}`;
    words.push(word);
  }
  const [one = 0, two = 0] = words;
  const gauged = options.gauge === "ina219" ? ofIna(one, two) : ofMax(one, two, options.gauge === "max17041" ? 2 : 1);
  return gauged ?? `${options.gauge} impossible 0x${one.toString(16)} 0x${two.toString(16)}`;
}

/** MAX17040/41/43 data sheet: VCELL in the upper twelve bits, 1.25 mV a step and cell; SOC in 1/256 percent. */
const max = { address: 0x36, cell: 0x02, charge: 0x04 } as const;
/** A lithium cell outside of these is none. */
const cellVolts = { least: 2.5, empty: 3.2, full: 4.15, most: 4.5 } as const;

function ofMax(cell: number, soc: number, cells: number): Gauged | null {
  const perCell = (cell >> 4) * 0.00125;
  const charge = soc / 256;
  const isPossible = perCell >= cellVolts.least && perCell <= cellVolts.most && charge <= 110;
  return isPossible ? { volts: perCell * cells, charge: Math.min(100, charge), isDraining: null } : null;
}

/** INA219 data sheet: bus voltage in the upper 13 bits, 4 mV a step, bit 0 overflow; shunt voltage signed, 10 µV a step. */
const ina = { address: 0x42, bus: 0x02, shunt: 0x01 } as const;
/** Over the boards' shunts of 0.01 to 0.1 Ω: less is a battery at rest, while mains feeds the box. */
const drainMicrovolts = 1_000;

/** Of the kinds that are charged highest (LiHV). */
const fullCellVolts = 4.35;

function ofIna(bus: number, shunt: number): Gauged | null {
  const volts = (bus >> 3) * 0.004;
  // By a full cell, not by the most that could be one: four nearly empty cells are not three overcharged ones.
  const cells = Math.ceil(volts / fullCellVolts);
  if ((bus & 1) !== 0 || cells < 1 || cells > 4 || volts / cells < cellVolts.least) return null;
  const microvolts = (shunt > 0x7fff ? shunt - 0x10000 : shunt) * 10;
  const charge = ((volts / cells - cellVolts.empty) / (cellVolts.full - cellVolts.empty)) * 100;
  return { volts, charge: Math.max(0, Math.min(100, charge)), isDraining: microvolts < -drainMicrovolts };
}

/** A register of two bytes, the higher one first; or why it cannot be read. */
function readWord(tool: string, bus: number, address: number, register: number, signal: AbortSignal): Promise<number | string> {
  const hex = (value: number) => `0x${value.toString(16).padStart(2, "0")}`;
  const args = ["-y", String(bus), `w1@${hex(address)}`, hex(register), "r2"];
  return new Promise((resolve) => {
    execFile(tool, args, { timeout: toolMs / 2, killSignal: "SIGKILL", maxBuffer: 4_096, signal }, (error, stdout, stderr) => {
      const [, high, low] = /^0x([0-9a-f]{2}) 0x([0-9a-f]{2})$/.exec(stdout.trim()) ?? [];
      if (error === null && high !== undefined && low !== undefined) return resolve(Number.parseInt(high + low, 16));
      const { code } = error ?? {};
      resolve(
        error?.killed === true ? "late" : code === "ENOENT" ? "no-tool" : (stderr.trim().split("\n")[0] ?? "").slice(0, 60) || "unreadable",
      );
    });
  });
}
