/** What the sheet of a commune says beside its figures: what is missing, what it is compared with. Pure. */
import { type Period, periodBefore } from "../../../../agent/core/period.ts";
import { countText } from "../../../../agent/core/print.ts";
import type { SheetFacts } from "../../../../agent/core/sheet.ts";
import { comparisonOf } from "../../../../agent/core/sheetblock.ts";
import { dateTime } from "../../../../agent/core/time.ts";
import type { WallMs } from "../../../../agent/core/types.ts";
import { fill, type Language } from "../../../../agent/core/words.ts";
import { type CommuneReport, communeReportOf, type Missing } from "./commune.ts";
import type { Retained } from "./told.ts";
import { reportsWords } from "./words.ts";

/** What an officer adds by hand; it stays in the browser. */
export type Printed = { readonly unit: string; readonly recipients: string };

export type CommuneSheet = { readonly made: CommuneReport; readonly facts: SheetFacts };

export function communeSheetOf(retained: Retained, period: Period, nowAt: WallMs, language: Language, printed: Printed): CommuneSheet {
  const made = communeReportOf(retained, period, nowAt);
  const before = periodBefore(period);
  const earlier = before === null ? null : communeReportOf(retained, before, nowAt);
  const recipients = printed.recipients.split(";").map((text) => text.trim());
  return {
    made,
    facts: {
      ...{ language, site: null, takenAt: nowAt, version: made.versions.join(", "), rule: null, dutyPhone: null, keepRule: "" },
      ...{ unit: printed.unit.trim() === "" ? null : printed.unit.trim(), recipients: recipients.filter((text) => text !== "") },
      ...{ pictures: null, missing: missingTexts(made, language), comparison: comparisonOf(made, earlier), extractions: made.extractions },
    },
  };
}

export function missingTexts({ missing, report }: CommuneReport, language: Language): readonly string[] {
  const words = reportsWords(language).missing;
  return report.cameras.length === 0 ? [words.none] : missing.map((one) => missingText(one, language));
}

/** Named are so many cameras; the rest is counted. */
const mostNames = 5;

function missingText(missing: Missing, language: Language): string {
  const words = reportsWords(language).missing;
  const { site } = missing;
  if (missing.kind === "site") return fill(words.site, { site });
  if (missing.kind === "faults") return fill(words.faults, { site, count: countText(missing.count, language) });
  const count = countText(missing.cameras.length, language);
  if (missing.kind === "end") return fill(words.end, { site, count, until: dateTime(missing.untilAt) });
  const months = missing.months.map((month) => fill(words.month, { month: `${month.slice(5)}/${month.slice(0, 4)}` })).join(", ");
  const rest = missing.cameras.length - mostNames;
  const more = rest > 0 ? [fill(words.more, { count: countText(rest, language) })] : [];
  return fill(words.months, { site, count, months, cameras: [...missing.cameras.slice(0, mostNames), ...more].join(", ") });
}
