/** Which period a person has chosen. Pure. */
import { dayOf, type Period, parsePeriod } from "../../../../agent/core/period.ts";

export const kinds = ["month", "quarter", "half", "year", "span"] as const;
export type Kind = (typeof kinds)[number];

/** `part`: the month, quarter or half, from 1. `from` and `to`: days, as a date field gives them; empty until chosen. */
export type Choice = { readonly kind: Kind; readonly year: number; readonly part: number; readonly from: string; readonly to: string };

/** Months, quarters and halves of a year. */
export const partsOf: Readonly<Record<Exclude<Kind, "year" | "span">, number>> = { month: 12, quarter: 4, half: 2 };

/** The month that runs. */
export function firstChoice(nowAt: number): Choice {
  const today = dayOf(nowAt);
  return { kind: "month", year: Number(today.slice(0, 4)), part: Number(today.slice(5, 7)), from: `${today.slice(0, 8)}01`, to: today };
}

/** Another kind, at the same place of the year. */
export function withKind(choice: Choice, kind: Kind): Choice {
  if (choice.kind === kind || kind === "year" || kind === "span") return { ...choice, kind };
  const of = choice.kind === "year" || choice.kind === "span" ? null : partsOf[choice.kind];
  return { ...choice, kind, part: of === null ? 1 : Math.ceil((choice.part * partsOf[kind]) / of) };
}

/** Null: no period. Its name is one that `matghi report --period` takes. */
export function periodOf({ kind, year, part, from, to }: Choice): Period | null {
  const name = {
    month: `${year}-${String(part).padStart(2, "0")}`,
    quarter: `${year}-Q${part}`,
    half: `${year}-H${part}`,
    year: String(year),
    span: `${from}..${to}`,
  }[kind];
  return parsePeriod(name, 0);
}

/** The station keeps 26 months before the running one. */
export const yearsAt = (nowAt: number): readonly number[] => {
  const year = Number(dayOf(nowAt).slice(0, 4));
  return [year, year - 1, year - 2];
};
