/** The reports' screen of the real board, in Debian's chromium, fed by a real Mosquitto: on the screen, on paper, in the clipboard, in Excel. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dayOf, monthOf, type Period, parsePeriod, periodBefore } from "../../agent/core/period.ts";
import type { CameraLedger } from "../../agent/core/report.ts";
import { sheetOf } from "../../agent/core/sheet.ts";
import { sheetBody } from "../../agent/core/sheetpage.ts";
import type { Cause } from "../../agent/core/types.ts";
import { communeSheetOf } from "../../deploy/station/board/reports/facts.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeLedger, type Stretch, toldOf } from "../lib/told.ts";

const hourMs = 3_600_000;
const officer = { user: "truc-ban", password: "sau-muoi-chin" };
/** Pictures stay here, as artefacts of the build. */
const shots = join(import.meta.dirname, "../../.cache/board");
const nowAt = Date.now();
const thisMonth = periodOf(monthOf(nowAt));
const lastMonth = periodBefore(thisMonth) ?? thisMonth;
const monthBefore = periodBefore(lastMonth) ?? thisMonth;
const startAt = monthBefore.span.fromAt;
const hostile = '<img src=x onerror="document.title=1">';

function periodOf(name: string): Period {
  const period = parsePeriod(name, nowAt);
  if (period === null) throw new Error(name);
  return period;
}

const causesInTurn: readonly Cause[] = ["house-power", "weak-link", "house-network", "camera", "box-power", "unknown"];

/** A camera that is interrupted every `everyHours` for a while; each tenth one dies in the last month. */
function cameraOf(i: number): CameraLedger {
  const everyHours = 30 + ((i * 37) % 200);
  const loss = (n: number): Stretch => ({
    ms: (20 + ((i + n) % 9) * 15) * 60_000,
    kind: "gap",
    cause: causesInTurn[(i + (n % 2)) % 6] ?? "camera",
    fault: null,
  });
  const stretches = Array.from({ length: 60 }, (_, n) => [
    { ms: everyHours * hourMs, kind: "footage", cause: "camera" } as const,
    loss(n),
  ]).flat();
  const isDead = i % 10 === 3;
  const deadAt = lastMonth.span.toAt - (4 + i) * 8 * hourMs;
  const life = isDead
    ? [
        { ms: deadAt - startAt, kind: "footage", cause: "camera" } as const,
        { ms: 400 * 24 * hourMs, kind: "gap", cause: "camera", fault: null } as const,
      ]
    : stretches;
  const group = ["Quốc lộ 1A", "Dọc Tỉnh lộ 628", "Thôn An Đại", "Khu vực chợ Tre", "Đường trục chính xã", "Thôn Phú Sơn"][i % 6] ?? null;
  const name = i === 3 ? hostile : `Ngã ba chợ Tre, nhìn về Quốc lộ 1A số ${i + 1}`;
  const more = { priority: i % 7 === 0, household: `ho-${String(Math.floor(i / 2)).padStart(2, "0")}`, keepDays: 30 };
  return makeLedger({ id: `cam-${String(i + 1).padStart(2, "0")}`, name, group, ...more }, { fromAt: startAt, toAt: nowAt }, life);
}

/** So many cameras at sites of ten. */
function villageOf(count: number): Map<string, unknown> {
  const sites: Record<string, CameraLedger[]> = {};
  for (let i = 0; i < count; i += 1) {
    const site = `diem-${Math.floor(i / 10) + 1}`;
    sites[site] = [...(sites[site] ?? []), cameraOf(i)];
  }
  return toldOf(sites, nowAt, { tngt: { yes: 2, partial: 1 }, "trom-cap": { yes: 1, no: 1 } });
}

const sizes = [15, 26, 70] as const;
const villages = new Map(sizes.map((count) => [count, villageOf(count)]));
const communeOf = (count: number) => `xa-${count}`;

let broker: Mosquitto;
let browser: Browser;

beforeAll(async () => {
  const outDir = tempFolder("board");
  await build({ configFile: join(import.meta.dirname, "../../deploy/station/board/vite.config.ts"), build: { outDir } });
  broker = await startMosquitto({
    board: { page: join(outDir, "index.html"), config: { commune: communeOf(26) }, officer },
    lines: ["allow_anonymous true"],
  });
  const client = await connectAsync(broker.url);
  const sent = [...villages].flatMap(([count, told]) =>
    [...told].map(([topic, body]) =>
      client.publishAsync(`matghi/v1/${communeOf(count)}/${topic}`, JSON.stringify(body), { qos: 1, retain: true }),
    ),
  );
  await Promise.all(sent);
  await client.endAsync();
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
  mkdirSync(shots, { recursive: true });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await broker?.stop();
});

/** The reports' screen with the month before chosen. */
async function open(count: number, width = 1280): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    locale: "vi-VN",
    timezoneId: "Asia/Ho_Chi_Minh",
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${broker.board}?commune=${communeOf(count)}#/reports`);
  await page.fill("input[autocomplete=username]", officer.user);
  await page.fill("input[type=password]", officer.password);
  await page.click("button[type=submit]");
  await page.waitForSelector(".chooser");
  await page.fill(".chooser .long input", "Công an xã Nghĩa Phương");
  await choose(page, lastMonth);
  await page.waitForSelector(".sheet");
  return page;
}

async function choose(page: Page, { name }: Period): Promise<void> {
  const [year = "", month = ""] = name.split("-");
  await page.selectOption(".chooser label:nth-of-type(3) select", year);
  await page.selectOption(".chooser label:nth-of-type(2) select", String(Number(month)));
}

const plain = (text: string) => text.replace(/\s+/g, " ").trim();

/** Pages of A4, as the browser prints them. */
async function pagesOf(page: Page, count: number): Promise<number> {
  const pdf = await page.pdf({ path: join(shots, `reports-${count}.pdf`), preferCSSPageSize: true });
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  process.stdout.write(`report of ${count} cameras: ${pages} pages of A4\n`);
  expect(pages).toBeGreaterThan(0);
  return pages;
}

const texts = (page: Page) =>
  page.$$eval(".sheet p, .sheet h1, .sheet h2, .sheet h3, .sheet td, .sheet th", (nodes) => nodes.map((node) => node.textContent ?? ""));
// The time at which figures were taken is each one's own.
const same = (lines: readonly string[]) => lines.map(plain).filter((text) => !text.startsWith("Số liệu lấy lúc"));

test("26 cameras: the screen says what the core writes, cell by cell; a name is text; phone, English, three pages", async () => {
  const page = await open(26, 360);
  const wider = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
  expect(wider, "nothing but the tables moves sideways").toBeLessThanOrEqual(0);
  await page.screenshot({ path: join(shots, "reports-360.png"), fullPage: true });
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.screenshot({ path: join(shots, "reports-1280.png"), fullPage: true });
  const shown = await texts(page);
  expect(shown.length).toBeGreaterThan(300);
  expect(shown.some((text) => text.includes(hostile))).toBe(true);
  expect(await page.title()).not.toBe("1");
  expect(await pagesOf(page, 26)).toBeLessThanOrEqual(3);
  await page.click("nav button[lang=en]");
  expect(await page.textContent(".sheet h1")).toBe("STATE OF THE SECURITY CAMERA SYSTEM");

  const printed = { unit: "Công an xã Nghĩa Phương", recipients: "" };
  const { made, facts } = communeSheetOf(villages.get(26) ?? new Map(), lastMonth, nowAt, "vi", printed);
  expect(made).toMatchObject({ missing: [], extractions: { tngt: { yes: 6 } } });
  const other = await browser.newPage();
  await other.setContent(sheetBody(sheetOf(made.report, facts)));
  expect(same(shown)).toEqual(same(await texts(other)));
  await other.close();
  await page.context().close();
});

test("15 cameras: two pages; tables for Word, a list for Excel; a span of days, and what cannot be compared", async () => {
  const page = await open(15);
  expect(await pagesOf(page, 15)).toBeLessThanOrEqual(2);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.click(".deeds button:nth-of-type(2)");
  await page.getByText("Đã chép").waitFor();
  const html = await page.evaluate<string>(
    "navigator.clipboard.read().then(([item]) => item.getType('text/html')).then((blob) => blob.text())",
  );
  expect(html).toContain("PHIẾU TÌNH TRẠNG HOẠT ĐỘNG HỆ THỐNG CAMERA AN NINH");
  expect(html.match(/<table/g)?.length).toBeGreaterThanOrEqual(5);
  expect(html).not.toContain("<img");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(".deeds button:nth-of-type(3)")]);
  expect(file.suggestedFilename()).toBe(`bao-cao-camera-${lastMonth.name}.csv`);
  const body = readFileSync(await file.path());
  expect([...body.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  expect(body.toString("utf8").match(/^"camera";/gm)).toHaveLength(15);

  await page.selectOption(".chooser label:nth-of-type(1) select", "span");
  const from = dayOf(lastMonth.span.fromAt + 9 * 24 * hourMs);
  await page.fill(".chooser input[type=date] >> nth=0", from);
  await page.fill(".chooser input[type=date] >> nth=1", dayOf(lastMonth.span.toAt - 1));
  const [year, month, day] = from.split("-");
  await page.getByText(`Kỳ: từ ${day}/${month}/${year} đến`).waitFor();
  await page.fill(".chooser input[type=date] >> nth=1", "");
  await page.getByText("đề nghị chọn lại").waitFor();
  await page.selectOption(".chooser label:nth-of-type(1) select", "month");
  await choose(page, monthBefore);
  await page.getByText("Không so sánh với kỳ trước").waitFor();
  await page.context().close();
});

test("70 cameras: five pages at most", async () => {
  const page = await open(70);
  expect(await pagesOf(page, 70)).toBeLessThanOrEqual(5);
  await page.context().close();
});
