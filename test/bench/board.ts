/**
 * `npm run bench:board [sites] [page]`: the station's board before 300 simulated sites of 4 cameras, through the station's own nginx and
 * Mosquitto. How long after opening the first screen is whole (asked: 5 s), how long until a change is seen (1 s), the size of the page,
 * and what it costs the computer at which it stands open. Exit 1 where a bound is missed.
 */
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { stateMessage } from "../../agent/core/message.ts";
import { addPerson } from "../../deploy/station/deeds.ts";
import { startServices } from "../../deploy/station/services.ts";
import { figure, sleep } from "../lib/agent.ts";
import { logIn, startBrowser } from "../lib/browser.ts";
import { repository } from "../lib/cameras.ts";
import { type Mouth, makeStation, servePage, speakAt } from "../lib/station.ts";
import { cameraDraft, cameraIds, siteDrafts } from "./site.ts";

const camerasEach = 4;
const opens = 5;
const changes = 20;
const idleMs = 30_000;
const most = { wholeMs: 5_000, changeMs: 1_000, gzippedBytes: 250 * 1024 };
const commune = "xa-lon";
const built = process.argv[3] ?? join(repository, "dist/board/index.html");
const screen = { width: 1920, height: 1080 };

const say = (text: string) => void process.stdout.write(`${text}\n`);
const addressOf = (site: string) => ({ commune, site });

const untilGood = (page: Page, count: number): Promise<void> =>
  page.locator('[data-count="good"] strong', { hasText: new RegExp(`^${count}$`) }).waitFor({ timeout: 120_000 });

/** How long the page's own thread has worked, in milliseconds: what remains of the wait where other programs take the processors. */
async function watchBusy(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN) * 1_000;
  };
}

type Opened = { readonly page: Page; readonly wholeMs: number; readonly busyMs: number; readonly busy: () => Promise<number> };

/** From the empty window to the whole first screen; typing the password costs a program nothing. */
async function open(newPage: () => Promise<Page>, url: string, login: { user: string; password: string }, all: number): Promise<Opened> {
  const page = await newPage();
  const busy = await watchBusy(page);
  const openedAt = performance.now();
  await logIn(page, url, login);
  await untilGood(page, all);
  const wholeMs = performance.now() - openedAt;
  return { page, wholeMs, busyMs: await busy(), busy };
}

async function changeOnce(page: Page, mouth: Mouth, site: string, all: number): Promise<number> {
  const saidAt = performance.now();
  void mouth.say(cameraDraft(addressOf(site), "cam-1", true));
  await untilGood(page, all - 1);
  const seenMs = performance.now() - saidAt;
  void mouth.say(cameraDraft(addressOf(site), "cam-1"));
  await untilGood(page, all);
  return seenMs;
}

/** The district's power goes: every box is lost within a moment, and all of them are one line. */
async function darken(page: Page, mouth: Mouth, sites: readonly string[], all: number): Promise<readonly [number, number]> {
  const sayAll = (state: "lost" | "online") =>
    Promise.all(sites.map((site) => mouth.say(stateMessage(addressOf(site), state, "boot", 1, Date.now()))));
  const darkAt = performance.now();
  await sayAll("lost");
  await page.locator("[data-task]", { hasText: `${sites.length} đầu ghi cùng mất liên lạc` }).waitFor({ timeout: 120_000 });
  const lightAt = performance.now();
  await sayAll("online");
  await untilGood(page, all);
  return [lightAt - darkAt, performance.now() - lightAt];
}

async function main(): Promise<number> {
  const sites = Array.from({ length: Number(process.argv[2] ?? 300) }, (_, i) => `vi-tri-${i + 1}`);
  const ids = cameraIds(camerasEach);
  const all = sites.length * camerasEach;
  const gzippedBytes = gzipSync(readFileSync(built), { level: 9 }).length;
  const station = await makeStation(commune);
  const services = await startServices(station.place);
  const { name: user, password } = await addPerson(station.place, { name: "truc-ban", role: "officer", sites: [], groups: [] });
  const url = servePage(station, built);
  const mouth = await speakAt(station);
  const drafts = sites.flatMap((site) => siteDrafts(addressOf(site), ids));
  for (let i = 0; i < drafts.length; i += 100) await Promise.all(drafts.slice(i, i + 100).map(mouth.say));
  // Each in its own second of the minute, as boxes do.
  let turn = 0;
  const renewing = setInterval(() => {
    for (const site of sites.filter((_, i) => i % 60 === turn % 60))
      void mouth.say(stateMessage(addressOf(site), "online", "boot", 1, Date.now()));
    turn += 1;
  }, 1_000);
  say(`${sites.length} sites, ${all} cameras, ${drafts.length} retained messages; load ${loadavg()[0]?.toFixed(2)}`);
  const browser = await startBrowser(station.place);
  const newPage = () => browser.newPage({ viewport: screen });
  const opened: Opened[] = [];
  for (let i = 0; i < opens; i += 1) {
    opened.push(await open(newPage, url, { user, password }, all));
    if (i < opens - 1) await opened.at(-1)?.page.close();
  }
  const last = opened.at(-1);
  if (last === undefined) throw new Error("nothing was opened");
  await sleep(3_000);
  const before = await last.busy();
  await sleep(idleMs);
  const idle = ((await last.busy()) - before) / idleMs;
  const changeMs: number[] = [];
  for (let i = 0; i < changes; i += 1) changeMs.push(await changeOnce(last.page, mouth, sites[i % sites.length] ?? "", all));
  const [darkMs, lightMs] = await darken(last.page, mouth, sites, all);
  say(`figure: all boxes lost at once are one line after ${darkMs.toFixed(0)} ms, and all there again after ${lightMs.toFixed(0)} ms`);
  say(`figure: the page gzipped: ${(gzippedBytes / 1024).toFixed(0)} KiB`);
  const wholeMs = opened.map((one) => one.wholeMs);
  say(figure("first screen whole after opening", wholeMs, "ms"));
  say(
    figure(
      "of which the page itself was at work",
      opened.map((one) => one.busyMs),
      "ms",
    ),
  );
  say(`figure: an open page keeps a processor busy for ${(idle * 100).toFixed(1)} %`);
  say(figure("a change is visible after", changeMs, "ms"));
  say(`load at the end ${loadavg()[0]?.toFixed(2)}`);
  clearInterval(renewing);
  await browser.close();
  await mouth.end();
  await services.stop();
  return Math.max(...wholeMs) <= most.wholeMs && Math.max(...changeMs) <= most.changeMs && gzippedBytes <= most.gzippedBytes ? 0 : 1;
}

process.exitCode = await main();
