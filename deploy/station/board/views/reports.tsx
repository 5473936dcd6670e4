/** The reports' screen within the board. */
import { useMemo, useState } from "preact/hooks";
import type { Retained } from "../model/kept.ts";
import { readPrinted, writePrinted } from "../preferences.ts";
import type { Printed } from "../reports/facts.ts";
import { Reports } from "../reports/reports.tsx";
import type { Want } from "./days.ts";
import type { View } from "./view.ts";

type ScreenProps = {
  readonly view: View;
  readonly retained: Retained;
  readonly want: Want;
  /** The station's name, until somebody writes another one. */
  readonly unit: string;
};

const minuteMs = 60_000;

export function ReportsScreen({ view, retained, want, unit }: ScreenProps) {
  const [printed, setPrinted] = useState(() => readPrinted(unit));
  const months = useMemo(() => [...retained.keys()].filter((topic) => topic.includes("/month/")).length, [retained]);
  // A sheet that moved with every word of a camera could not be read, and adding up a commune takes its time.
  const values = useMemo(
    () => new Map([...retained].map(([topic, { value }]) => [topic, value])),
    [months, Math.floor(view.nowAt / minuteMs)],
  );
  const keep = (next: Printed) => {
    writePrinted(next);
    setPrinted(next);
  };
  return <Reports retained={values} now={view.nowAt} language={view.language} {...{ want, printed, months }} onPrinted={keep} />;
}
