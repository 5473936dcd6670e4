/** `PHIEU-TRICH-XUAT.html`: every fact for the record, on paper. Never called the record itself. Pure. */

import type { Manifest, ManifestCamera, ManifestSegment } from "./manifest.ts";
import { escaped } from "./markup.ts";
import { numberText } from "./print.ts";
import { vietnamTime } from "./time.ts";
import type { Cause } from "./types.ts";
import { bytesText, evidenceText, fill, type Language, lengthText, offsetText, wordOf, wordsIn } from "./words.ts";

const timeText = (utc: string) => vietnamTime(Date.parse(utc));

/** `sums`: SHA-256 of the list of hashes cannot stand in a file that the list names; the key's fingerprint does. */
export function slipHtml(manifest: Manifest, unit: string | null, language: Language): string {
  const words = wordsIn(language).handover;
  const { request, device, site, boxClock } = manifest;
  const facts: readonly (readonly [string, string])[] = [
    [words.facts.paper, request.paper],
    [words.facts.agency, request.agency],
    [words.facts.officer, request.officer],
    [words.facts.purpose, request.purpose],
    [words.facts.case, request.case === null ? words.blank : wordOf(words.cases, request.case)],
    [words.facts.witness, request.witness ?? words.blank],
    ...(request.hold === null ? [] : [[words.facts.hold, String(request.hold)] as const]),
    [words.facts.asked, `${timeText(manifest.asked.from)} – ${timeText(manifest.asked.to)}`],
    [words.facts.site, `${site.name} (${site.commune}/${site.id})`],
    [words.facts.device, deviceText(device)],
    [words.facts.account, request.account],
    [words.facts.madeAt, timeText(manifest.madeAt)],
    [words.facts.boxClock, boxClockText(boxClock, language)],
    ...(boxClock.steps.length === 0 ? [] : [[words.facts.steps, stepsText(boxClock.steps, language)] as const]),
    [words.facts.key, manifest.key.fingerprint],
    [words.facts.medium, words.blank],
    [words.facts.seal, words.blank],
  ];
  const row = ([name, text]: readonly [string, string]) => `<tr><th>${escaped(name)}</th><td>${escaped(text)}</td></tr>`;
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(words.title)} – ${escaped(site.name)}</title>
<style>${style}</style>
${unit === null ? "" : `<p class="unit">${escaped(unit)}</p>`}
<h1>${escaped(words.title)}</h1>
<table class="facts">${facts.map(row).join("\n")}</table>
${manifest.cameras.map((camera) => cameraHtml(camera, language)).join("\n")}
<p class="note">${escaped(words.notRecord)}</p>
<div class="hands">${words.signatures.map((who) => `<div>${escaped(who)}</div>`).join("")}</div>
</html>
`;
}

function boxClockText({ trust, errorMs }: Manifest["boxClock"], language: Language): string {
  const { trusts, within } = wordsIn(language).handover;
  const text = wordOf(trusts, trust);
  return errorMs === null ? text : fill(within, { text, ms: errorMs });
}

function stepsText(steps: Manifest["boxClock"]["steps"], language: Language): string {
  const words = wordsIn(language).handover;
  const step = ({ at, stepMs }: Manifest["boxClock"]["steps"][number]) =>
    fill(stepMs > 0 ? words.stepForward : words.stepBack, { at: timeText(at), length: offsetText(stepMs, language) });
  return `${steps.map(step).join("; ")}. ${words.redated}`;
}

const deviceText = ({ model, os, node, ffmpeg, ...rest }: Manifest["device"]): string =>
  [model, os, node && `Node ${node}`, ffmpeg && `ffmpeg ${ffmpeg}`, ...Object.values(rest)].filter((text) => text !== undefined).join("; ");

const style = `
body{font:15px/1.45 "Times New Roman",Tinos,serif;max-width:190mm;margin:8mm auto;padding:0 4mm;color:#000;background:#fff}
h1{font-size:20px;text-align:center}h2{font-size:17px;margin:1.2em 0 .3em;break-after:avoid}h3{font-size:15px;margin:.8em 0 .2em;break-after:avoid}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:2px 6px;text-align:left;vertical-align:top}
.facts th{width:38%;font-weight:normal}td{overflow-wrap:anywhere}.files td:nth-child(n+2):nth-child(-n+4){overflow-wrap:normal}.hash{font:11px/1.3 monospace}
tr{break-inside:avoid}.unit{font-weight:bold}.note{font-style:italic}.bad{font-weight:bold}
.hands{display:flex;justify-content:space-between;margin-top:2em;height:32mm;text-align:center;break-inside:avoid}.hands div{flex:1}
@media (max-width:600px){.files thead{display:none}.files td{display:block;border-width:0 1px}.files tr{display:block;border-top:1px solid #888;border-bottom:1px solid #888}}
@page{size:A4;margin:14mm}@media print{body{margin:0;padding:0}}`;

function cameraHtml(camera: ManifestCamera, language: Language): string {
  const words = wordsIn(language).handover;
  const { about } = words;
  const known: readonly (readonly [string, string | null])[] = [
    [about.make, [camera.make, camera.model].filter((text) => text !== null).join(" ") || null],
    [about.serial, camera.serial],
    [about.mac, camera.mac],
    [about.address, camera.address],
    [about.clock, clockText(camera.clock.nowOffsetMs, language)],
  ];
  const lines = known.flatMap(([name, text]) => (text === null ? [] : [`${name}: ${text}`]));
  const length = (ms: number) => lengthText(ms, language);
  return `<h2>${escaped(fill(words.camera, { id: camera.id, name: camera.name }))}</h2>
<p>${escaped(lines.join(" · "))}</p>
<p>${escaped(fill(words.recorded, { recorded: length(camera.recordedMs), due: length(camera.dueMs) }))}</p>
<h3>${escaped(words.gaps)}</h3>
${camera.missing.length === 0 ? `<p>${escaped(words.noGaps)}</p>` : `<ul>${camera.missing.map((missing) => `<li>${escaped(missingText(missing, language))}</li>`).join("")}</ul>`}
<h3>${escaped(words.files)}</h3>
<table class="files"><thead><tr>${Object.values(words.columns)
    .map((name) => `<th>${escaped(name)}</th>`)
    .join("")}</tr></thead><tbody>${camera.segments.map((segment) => fileRow(segment, language)).join("\n")}</tbody></table>
${camera.views.length === 0 ? "" : `<h3>${escaped(words.views)}</h3><ul>${camera.views.map(({ file, from, to, codec }) => `<li>${escaped(`${file}: ${timeText(from)} – ${timeText(to)}${codec === "hevc" ? ` (${words.h265})` : ""}`)}</li>`).join("")}</ul>`}`;
}

/** Whole seconds are told by cameras: less than this is right. */
const rightWithinMs = 2_000;

function clockText(offsetMs: number | null, language: Language): string {
  const words = wordsIn(language).handover;
  if (offsetMs === null) return words.clockUnknown;
  if (Math.abs(offsetMs) < rightWithinMs) return words.clockRight;
  return fill(offsetMs > 0 ? words.clockFast : words.clockSlow, { length: offsetText(offsetMs, language) });
}

/** One stretch without footage, and why, in a line. */
export function missingText(missing: ManifestCamera["missing"][number], language: Language): string {
  const words = wordsIn(language);
  const span = `${timeText(missing.from)} – ${timeText(missing.to)}`;
  if (missing.kind !== "gap") return `${span}: ${words.kinds[missing.kind]}: ${wordOf(words.whys, missing.why)}`;
  const because = missing.evidence.map((code) => evidenceText(code, language)).join("; ");
  const sure = missing.sure === "inferred" ? ` (${words.inferred})` : "";
  return `${span}: ${words.causes[missing.cause as Cause] ?? missing.cause}${sure}${because === "" ? "" : ` – ${because}`}`;
}

function fileRow({ file, from, to, bytes, sha256, matches, stream }: ManifestSegment, language: Language): string {
  const { handover: words, streams } = wordsIn(language);
  const name = stream === "main" ? file : `${file} (${streams[stream]})`;
  const size = bytes < 10_000_000 ? `${numberText(bytes, 0, language)} byte` : bytesText(bytes, language);
  const bad = matches ? "" : ` <span class="bad">${escaped(words.altered)}</span>`;
  return `<tr><td>${escaped(name)}</td><td>${timeText(from)}</td><td>${timeText(to)}</td><td>${escaped(size)}</td><td class="hash">${sha256}${bad}</td></tr>`;
}
