/** The reports' screen within the board. */
import { useMemo, useState } from "preact/hooks";
import type { Retained } from "../model/kept.ts";
import { readPrinted, writePrinted } from "../preferences.ts";
import type { Printed } from "../reports/facts.ts";
import { Reports } from "../reports/reports.tsx";
import type { View } from "./view.ts";

type ScreenProps = {
  readonly view: View;
  readonly retained: Retained;
  readonly want: (filters: readonly string[]) => () => void;
  /** The station's name, until somebody writes another one. */
  readonly unit: string;
};

export function ReportsScreen({ view, retained, want, unit }: ScreenProps) {
  const [printed, setPrinted] = useState(() => readPrinted(unit));
  const values = useMemo(() => new Map([...retained].map(([topic, { value }]) => [topic, value])), [retained]);
  const keep = (next: Printed) => {
    writePrinted(next);
    setPrinted(next);
  };
  return <Reports retained={values} now={view.nowAt} language={view.language} {...{ want, printed }} onPrinted={keep} />;
}
