/** The receipt for a file that somebody hands in: what it is, by its hash, on paper. Pure. */
import { escaped } from "./markup.ts";
import type { Entry, Intake } from "./register.ts";
import { vietnamTime } from "./time.ts";
import { type Language, wordsIn } from "./words.ts";

export type ReceiptFacts = { readonly unit: string | null; readonly site: string };

export function receiptHtml({ id, at, request, officer }: Entry, intake: Intake, { unit, site }: ReceiptFacts, language: Language): string {
  const words = wordsIn(language).receipt;
  const facts: readonly (readonly [string, string])[] = [
    [words.number, String(id)],
    [words.at, vietnamTime(at)],
    [words.site, site],
    [words.request, request],
    [words.source, intake.source],
    [words.device, intake.device ?? words.blank],
    [words.clock, intake.clockError],
    [words.file, intake.file],
    [words.bytes, String(intake.bytes)],
    [words.sha256, intake.sha256],
    [words.officer, officer],
  ];
  const row = ([name, text]: readonly [string, string]) => `<tr><th>${escaped(name)}</th><td>${escaped(text)}</td></tr>`;
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${words.title} – ${intake.file}`)}</title>
<style>${style}</style>
${unit === null ? "" : `<p class="unit">${escaped(unit)}</p>`}
<h1>${escaped(words.title)}</h1>
<table>${facts.map(row).join("\n")}</table>
<p class="note">${escaped(words.note)}</p>
<div class="hands">${words.signatures.map((who) => `<div>${escaped(who)}</div>`).join("")}</div>
</html>
`;
}

const style = `
body{font:15px/1.45 "Times New Roman",Tinos,serif;max-width:190mm;margin:8mm auto;padding:0 4mm;color:#000;background:#fff}
h1{font-size:20px;text-align:center}table{border-collapse:collapse;width:100%}
th,td{border:1px solid #888;padding:4px 6px;text-align:left;vertical-align:top}th{width:38%;font-weight:normal}td{overflow-wrap:anywhere}
.unit{font-weight:bold}.note{font-style:italic}
.hands{display:flex;justify-content:space-between;margin-top:2em;height:32mm;text-align:center;break-inside:avoid}.hands div{flex:1}
@page{size:A4;margin:14mm}@media print{body{margin:0;padding:0}}`;
