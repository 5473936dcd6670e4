/** The report as one page that prints on A4 and reads on a phone; nothing in it is fetched from anywhere. Pure. */
import { escaped } from "./markup.ts";
import type { Report } from "./report.ts";
import { type Sheet, type SheetFacts, sheetOf } from "./sheet.ts";
import type { Section } from "./sheetblock.ts";
import type { SheetTable } from "./sheettables.ts";

export function sheetHtml(report: Report, facts: SheetFacts): string {
  const sheet = sheetOf(report, facts);
  return `<!doctype html>
<html lang="${facts.language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped([sheet.title, ...(facts.site === null ? [] : [facts.site])].join(" – "))}</title>
<style>${pageStyle}${sheetStyle}</style>
${sheetBody(sheet)}
</html>
`;
}

/** The sheet within a page, also for the clipboard: nothing of it needs a style to be understood. */
export function sheetBody({ title, head, figures, sections, foot }: Sheet): string {
  return `<article class="sheet">
<h1>${escaped(title)}</h1>
${head.map((line) => `<p class="head">${escaped(line.trim())}</p>`).join("\n")}
<section class="figures">${figures.map(lineHtml).join("\n")}</section>
${sections.map(sectionHtml).join("\n")}
${foot.map((line) => `<p class="foot">${escaped(line)}</p>`).join("\n")}
</article>`;
}

/** Lines that are indented in plain text are so here. */
const lineHtml = (line: string): string => `<p${isUnder(line) ? ' class="under"' : ""}>${escaped(line.trim())}</p>`;
export const isUnder = (line: string): boolean => line.startsWith(" ");

const sectionHtml = ({ heading, lines, tables }: Section): string => `<h2>${escaped(heading)}</h2>
${lines.map((line) => `<p class="text">- ${escaped(line)}</p>`).join("\n")}
${tables.map(tableHtml).join("\n")}`;

/** Word takes its borders from the attribute. */
function tableHtml({ title, rows, toTheRight, note }: SheetTable): string {
  const cell = (tag: "th" | "td") => (text: string, column: number) =>
    `<${tag}${toTheRight.includes(column) ? ' class="right" align="right"' : ""}>${escaped(text)}</${tag}>`;
  const [head = [], ...body] = rows;
  const row = (cells: readonly string[]) => `<tr>${cells.map(cell("td")).join("")}</tr>`;
  const table = `<div class="wide"><table border="1" cellspacing="0"><thead><tr>${head.map(cell("th")).join("")}</tr></thead><tbody>${body.map(row).join("\n")}</tbody></table></div>`;
  return `<h3>${escaped(title)}</h3>
${body.length === 0 ? "" : table}${note === undefined ? "" : `<p>${escaped(note)}</p>`}`;
}

const pageStyle = `
body{max-width:267mm;margin:8mm auto;padding:0 4mm;background:#fff}
@media print{body{margin:0;padding:0;max-width:none}}`;

/** The sheet's own look, on the screen and on paper; whoever shows it gives the page around it. */
export const sheetStyle = `
@page{size:A4 landscape;margin:10mm}
.sheet{font:15px/1.4 "Times New Roman",Tinos,serif;color:#000;background:#fff}
.sheet h1{font-size:20px;text-align:center;margin:0 0 .4em}.sheet h2{font-size:16px;margin:1em 0 .2em;break-after:avoid}
.sheet h3{font-size:15px;margin:.8em 0 .2em;break-after:avoid}
.sheet .figures p{break-inside:avoid}.sheet .figures p:has(+ .under){break-after:avoid}
.sheet p{margin:.15em 0}.sheet .under{padding-left:1.6em}.sheet .foot{font-size:12px;margin-top:.6em;white-space:pre-line}
.sheet .wide{overflow-x:auto}.sheet table{border-collapse:collapse;width:100%;font-size:13px;line-height:1.25}
.sheet th,.sheet td{border:1px solid #666;padding:1px 5px;text-align:left;vertical-align:top}.sheet .right{text-align:right}
.sheet tr{break-inside:avoid}.sheet thead{display:table-header-group}
@media screen and (max-width:48rem){.sheet table{min-width:46rem}}
@media print{.sheet{font-size:11.5px;line-height:1.15}.sheet h1{font-size:14px;margin:0 0 .1em}.sheet h2{font-size:12px;margin:.35em 0 .05em}
.sheet h3{font-size:11.5px;margin:.3em 0 .05em}.sheet p{margin:0}.sheet .figures{columns:2;column-gap:8mm}
.sheet table{font-size:10px;line-height:1.1}.sheet th,.sheet td{padding:0 3px}
.sheet .foot{font-size:8.5px;line-height:1.1;margin-top:.2em}.sheet .wide{overflow:visible}}`;
