/** The monthly sheet as one page that prints on A4 and reads on a phone; nothing in it is fetched from anywhere. Pure. */
import { escaped } from "./markup.ts";
import type { Report } from "./report.ts";
import { type SheetFacts, type SheetTable, sheetOf } from "./sheet.ts";

export function sheetHtml(report: Report, facts: SheetFacts): string {
  const { title, head, figures, sentence, tables, foot } = sheetOf(report, facts);
  return `<!doctype html>
<html lang="${facts.language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${title} – ${facts.site}`)}</title>
<style>${style}</style>
<h1>${escaped(title)}</h1>
${head.map((line) => `<p class="head">${escaped(line.trim())}</p>`).join("\n")}
<section>${figures.map(lineHtml).join("\n")}</section>
<p class="sentence">${escaped(sentence)}</p>
${tables.map(tableHtml).join("\n")}
${foot.map((line) => `<p class="foot">${escaped(line)}</p>`).join("\n")}
</html>
`;
}

/** Lines that are indented in plain text are so here. */
const lineHtml = (line: string): string => `<p${line.startsWith(" ") ? ' class="under"' : ""}>${escaped(line.trim())}</p>`;

function tableHtml({ title, rows, toTheRight }: SheetTable): string {
  const cell = (tag: "th" | "td") => (text: string, column: number) =>
    `<${tag}${toTheRight.includes(column) ? ' class="right"' : ""}>${escaped(text)}</${tag}>`;
  const [head = [], ...body] = rows;
  const row = (cells: readonly string[]) => `<tr>${cells.map(cell("td")).join("")}</tr>`;
  return `<h2>${escaped(title)}</h2>
<div class="wide"><table><thead><tr>${head.map(cell("th")).join("")}</tr></thead><tbody>${body.map(row).join("\n")}</tbody></table></div>`;
}

const style = `
body{font:15px/1.45 "Times New Roman",Tinos,serif;max-width:267mm;margin:8mm auto;padding:0 4mm;color:#000;background:#fff}
h1{font-size:20px;text-align:center}h2{font-size:16px;margin:1.2em 0 .3em;break-after:avoid}
p{margin:.15em 0}.under{padding-left:1.6em}.sentence{margin:1em 0;font-style:italic}.foot{font-size:13px;margin-top:.6em}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{border:1px solid #666;padding:2px 6px;text-align:left;vertical-align:top}.right{text-align:right}
tr{break-inside:avoid}thead{display:table-header-group}
@page{size:A4 landscape;margin:12mm}@media print{body{margin:0;padding:0}.wide{overflow:visible}}`;
