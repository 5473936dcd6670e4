/** The report leaves the browser: onto paper, into the clipboard, as a file. */
import { sheetStyle } from "../../../../agent/core/sheetpage.ts";

/** On paper only the sheet stands, whatever the page looks like. */
const paper = `
@media print{:root{color-scheme:light}body{background:#fff}header,footer,.reports>:not(.sheet){display:none!important}
.page,main,.reports{display:block!important;margin:0!important;padding:0!important;max-width:none!important;border:0!important}
.reports .sheet{border:0;padding:0;max-width:none}}`;

/** The sheet's look, shared with `matghi report --format html`, as long as it is shown. Returns how to take it away. */
export function dress(): () => void {
  const style = new CSSStyleSheet();
  style.replaceSync(sheetStyle + paper);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== style);
  };
}

/** For Word, with a plain text for everything else. False where the browser does not let it. */
export async function copyRich(html: string, text: string): Promise<boolean> {
  const blob = (type: string, content: string) => new Blob([content], { type });
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/html": blob("text/html", html), "text/plain": blob("text/plain", text) })]);
    return true;
  } catch {
    return false;
  }
}

/** Hands the text over as a file, byte for byte. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
