/** What a benchmark found, with its unit, and the bound that the project holds itself to. */
export type Figure = { readonly name: string; readonly unit: string; readonly values: readonly number[]; readonly most: number | null };
export type Told = {
  readonly name: string;
  readonly unit: string;
  readonly runs: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly most: number | null;
  readonly holds: boolean | null;
};

/**
 * The median of an even number of runs is the larger of both in the middle: never better than what was measured. A run that gave no number
 * holds no bound.
 */
export function tell({ name, unit, values, most }: Figure): Told {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (place: number) => sorted[place] ?? Number.NaN;
  const median = at(Math.floor(sorted.length / 2));
  const holds = most === null ? null : values.every(Number.isFinite) && median <= most;
  return { name, unit, runs: sorted.length, median, min: at(0), max: at(sorted.length - 1), most, holds };
}

export const rounded = (value: number): string =>
  Number.isNaN(value) ? "–" : Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);

/** Cells of a table: what, median with bound, min–max, runs. */
export function rowOf({ name, unit, runs, median, min, max, most, holds }: Told): readonly string[] {
  const bound = most === null ? "" : ` (≤ ${most}${holds === false ? ", NOT HELD" : ""})`;
  return [name, `${rounded(median)} ${unit}${bound}`, `${rounded(min)}–${rounded(max)}`, String(runs)];
}
