/** The station's board in Debian's chromium, through the station's own nginx and Mosquitto: four real agents, and a site whose hours passed on a virtual clock. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clearMessage, type Draft, stateMessage } from "../../agent/core/message.ts";
import { vietnamTime } from "../../agent/core/time.ts";
import { wordsIn } from "../../agent/core/words.ts";
import { boardWords } from "../../deploy/station/board/words.ts";
import { asPerson, asSite, connectAs, type Talker, type Way } from "../../deploy/station/client.ts";
import { type Admitted, addPerson } from "../../deploy/station/deeds.ts";
import { runningPid } from "../../deploy/station/keep.ts";
import { filesOf } from "../../deploy/station/place.ts";
import { type Services, startServices } from "../../deploy/station/services.ts";
import { type Agent, sleep, startAgent, until, writeSecret, writeSite } from "../lib/agent.ts";
import { logIn, startBrowser } from "../lib/browser.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { historyOf } from "../lib/history.ts";
import { enlist, type Mouth, makeStation, type Station, servePage, speakAt } from "../lib/station.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage } from "../lib/world.ts";

const vi = boardWords("vi");
const commune = "nghia-phuong";
const hostile = `<img src=x onerror="window.hacked=1">Ngã ba`;
const built = join(repository, "dist/board/index.html");
const pictures = join(repository, ".cache/board");
const minute = 60_000;
const hour = 60 * minute;
/** The village's hours end a moment ago. */
const villageFrom = Date.now() - 4 * hour;
/** Cameras that record: two of the first site, three of the recorder, one of each other, two of the village. */
const good = "9";

let [station, services, mouth, cameras, browser, page] = [] as unknown as [Station, Services, Mouth, Cameras, Browser, Page];
let [officer, url] = [{ name: "", password: "" } as Pick<Admitted, "name" | "password">, ""];
let agents: Readonly<Record<string, Agent>> = {};
let boxes: Readonly<Record<string, ReturnType<typeof enlist>>> = {};
let history: readonly Draft[] = [];
let renewing: ReturnType<typeof setInterval> | undefined;
const village = { commune, site: "nang-tay-3" };
/** Everything that the page has asked of anybody. */
const asked: string[] = [];
const errors: string[] = [];

const login = ({ name, password }: Pick<Admitted, "name" | "password">) => ({ user: name, password });

beforeAll(async () => {
  execFileSync("npm", ["run", "--silent", "build:board"], { cwd: repository });
  mkdirSync(pictures, { recursive: true });
  [station, cameras] = await Promise.all([makeStation(commune), startCameras({ count: 2, seconds: 600 })]);
  services = await startServices(station.place);
  url = servePage(station);
  startAgents();
  officer = await addPerson(station.place, { name: "truc-ban", role: "officer", sites: [], groups: [] });
  mouth = await speakAt(station);
  history = await liveADay();
  await tellHistory();
  renewing = setInterval(() => void mouth.say(stateMessage(village, "online", "boot", 1, Date.now())), minute);
  browser = await startBrowser(station.place);
  page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
});
afterAll(async () => {
  clearInterval(renewing);
  await browser?.close();
  await Promise.all(Object.values(agents).map((agent) => agent.stop()));
  await mouth?.end();
  await Promise.all([services?.stop(), cameras?.stop()]);
});

async function tellHistory(): Promise<void> {
  for (const draft of history) await mouth.say(draft);
}

/** Four boxes: a site with whatever may be wrong, a recorder that serves three hamlets, and two small ones. */
function startAgents(): void {
  const one = (id: string, group: string) => `id: ${id}, name: Camera ${id}, group: ${group}, url: "${cameras.url("sub1")}"`;
  const sites: Readonly<Record<string, readonly [name: string, entries: readonly string[], more?: readonly string[]]>> = {
    "an-dai-1": ["Thôn An Đại 1", realCameras(), ["households: [{ id: ho-07 }, { id: ho-09 }]"]],
    "dau-thu": ["Đầu thu trụ sở", [one("cho-1", "Thôn Chợ"), one("dinh-3", "Thôn Đình"), one("cau-1", "Thôn Cầu")]],
    "nang-tay-2": ["Thôn Năng Tây 2", [one("nang-tay", "Thôn Năng Tây 2")]],
    "phu-son": ["Thôn Phú Sơn", [one("phu-son", "Thôn Phú Sơn")]],
  };
  boxes = Object.fromEntries(Object.keys(sites).map((id) => [id, enlist(station, id)]));
  agents = Object.fromEntries(
    Object.entries(sites).map(([id, [name, entries, more = []]]) => {
      const folder = tempFolder("board-site");
      const cert = boxes[id] ?? { cert: "", key: "" };
      const files = [writeSecret(folder, "site.crt", cert.cert), writeSecret(folder, "site.key", cert.key)];
      const way = `url: "mqtts://127.0.0.1:${station.register().ports.mqtts}", ca: ${filesOf(station.place).ca}, cert: ${files[0]}, key: ${files[1]}`;
      return [id, startAgent(writeSite({ folder, id, name, cameras: entries, station: way, more }))];
    }),
  );
}

/** Two cameras that work, one with a hostile name; one that nobody answers for; one looked at by hand. */
const realCameras = (): readonly string[] => [
  `id: sub1, name: '${hostile}', group: Quốc lộ 1A, household: ho-07, priority: true, url: "${cameras.url("sub1")}"`,
  `id: sub2, name: Cổng chợ Tre, group: Quốc lộ 1A, url: "${cameras.url("sub2")}"`,
  `id: hong-1, name: Đường ra Nghĩa Trang, group: Thôn An Đại 1, household: ho-09, url: "rtsp://127.0.0.1:9/x"`,
  "id: ho-kd-12, name: Cửa hàng số 12, group: Thôn An Đại 1, kind: 1, manual: { checked: 2026-01-10, keeps: 7d }",
];

/** Four hours of another site: a power cut of the box, half an hour without one camera. */
async function liveADay(): Promise<readonly Draft[]> {
  const box = makeVillage({
    ...{ folder: tempFolder("board-village"), startAt: villageFrom },
    cameras: [
      `id: dinh-1, name: Đình làng, group: Thôn Năng Tây 3, url: "rtsp://dinh-1/"`,
      `id: dinh-2, name: Sau đình, group: Thôn Năng Tây 3, url: "rtsp://dinh-2/"`,
    ],
  });
  await box.boot();
  await box.pass(hour);
  box.cut();
  await box.pass(hour / 2);
  await box.boot();
  await box.pass(hour);
  box.scene.trouble.set("dinh-1", "silent");
  await box.pass(hour / 2);
  box.scene.trouble.delete("dinh-1");
  await box.pass(villageFrom + 4 * hour - box.now());
  const told = historyOf(box, village, "Thôn Năng Tây 3", villageFrom);
  await box.stop();
  return told;
}

async function enter(way: Way, ...subscriptions: readonly string[]): Promise<Talker> {
  const result = await connectAs(station.place, way, subscriptions);
  if (result.kind === "failed") throw new Error(result.detail);
  return result.talker;
}

const shot = (name: string) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
const shown = (text: string) => page.getByText(text, { exact: false }).first().waitFor({ timeout: 20_000 });
const goTo = (hash: string) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
const count = (name: string) => page.locator(`[data-count="${name}"] strong`).textContent();
const row = (camera: string) => page.locator(`[data-camera="${camera}"]`);

test("the page is one file of at most 250 KiB, and may speak to its own host only", () => {
  const html = readFileSync(built);
  const bytes = gzipSync(html, { level: 9 }).length;
  process.stdout.write(`figure: the board's page: ${(bytes / 1024).toFixed(0)} KiB gzipped\n`);
  expect(bytes).toBeLessThanOrEqual(250 * 1024);
  expect(html.toString()).toMatch(/default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; connect-src 'self'/);
  expect(html.toString()).not.toMatch(/<(script|link)[^>]+(src|href)="(?!data:)/);
});

test("a wrong password is told; the right one shows the commune", async () => {
  await logIn(page, url, { ...login(officer), password: "sai" });
  await shown(vi.login.refused);
  await shot("dang-nhap");
  await page.fill('input[type="password"]', officer.password);
  await page.click('button[type="submit"]');
  await shown("Công an xã Nghĩa Phương");
  await row("an-dai-1/sub1").waitFor();
  errors.length = 0;
});

describe("the first screen", () => {
  test("names are text, never markup", async () => {
    expect(await row("an-dai-1/sub1").locator(".name").textContent()).toBe(hostile);
    expect(await page.locator("#board img").count()).toBe(0);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
  });

  test("each camera's day is a strip that is told in words too", async () => {
    const strip = row("nang-tay-3/dinh-1").locator(".strip");
    await until("the day has come", 20_000, async () => (await strip.locator(".footage").count()) > 0);
    const label = (await strip.getAttribute("aria-label")) ?? "";
    expect(label).toContain(vi.strip.footage);
    expect(label).toContain(wordsIn("vi").causes.camera);
    expect(await strip.locator(".gap-camera b").textContent()).toBe(vi.letters.camera);
  });

  test("households' names come from a file and go nowhere", async () => {
    const before = asked.length;
    await page.setInputFiles('input[type="file"]', {
      name: "ho.csv",
      mimeType: "text/csv",
      buffer: Buffer.from("\uFEFFmã;tên\r\nho-07;Ông Tư <b>Chợ</b>\r\n"),
    });
    await shown("ho-07 – Ông Tư <b>Chợ</b>");
    expect(asked.slice(before)).toEqual([]);
  });
});

test("a camera's days stand as strips, its gaps with cause, certainty and evidence", async () => {
  await row("nang-tay-3/dinh-1").locator("a").click();
  await shown(vi.camera.calendar);
  await until("its days", 20_000, async () => (await page.locator(".calendar .strip .footage").count()) > 0);
  const gaps = await page.locator(".gaps").textContent();
  expect(gaps).toContain(wordsIn("vi").causes["box-power"]);
  expect(gaps).toContain(wordsIn("vi").causes.camera);
  expect(gaps).toContain(vi.camera.sures.inferred);
  expect(gaps).toContain(wordsIn("vi").evidence["no-clean-stop"]);
  await shot("camera-1920");
});

const local = (at: number) => {
  const [clock = "", day = ""] = vietnamTime(at).split(" ");
  return `${day.split("/").reverse().join("-")}T${clock.slice(0, 5)}`;
};
const ask = async (camera: string, fromAt: number, toAt: number) => {
  await goTo("#/ask");
  await page.locator(".ask select").selectOption(camera);
  await page.locator('input[type="datetime-local"]').first().fill(local(fromAt));
  await page.locator('input[type="datetime-local"]').last().fill(local(toAt));
  await page.locator('.ask form button[type="submit"]').click();
};

describe("is there footage", () => {
  const answer = (expected: string) =>
    until(`the answer ${expected}`, 20_000, () => page.locator(`[data-answer="${expected}"]`).isVisible());

  test.each([
    ["whole", 1.9 * hour, 2.3 * hour, "yes"],
    ["partly lost", 2.2 * hour, 2.8 * hour, "partial"],
    ["lost", 1.1 * hour, 1.4 * hour, "no"],
  ])("%s", async (_, from, to, expected) => {
    await ask("nang-tay-3/dinh-1", villageFrom + from, villageFrom + to);
    await answer(expected);
    await shot(`hoi-${expected}`);
  });

  test("the answer says why, who else has it, and the line to run", async () => {
    await ask("nang-tay-3/dinh-1", villageFrom + 2.6 * hour, villageFrom + 2.9 * hour);
    await answer("no");
    expect(await page.locator(".answer").textContent()).toContain(wordsIn("vi").causes.camera);
    expect(await page.locator(".answer ul").textContent()).toContain("Sau đình");
    await page.getByRole("button", { name: vi.ask.register }).click();
    await shown(vi.ask.registered);
    await ask("nang-tay-3/dinh-2", villageFrom + 2.6 * hour, villageFrom + 2.9 * hour);
    await answer("yes");
    expect(await page.locator("pre").textContent()).toMatch(/^sudo matghi export --camera dinh-2 --from \S+ --to \S+ --request "/);
  });

  test("what is asked the wrong way round is told", async () => {
    await ask("nang-tay-3/dinh-1", villageFrom + 2 * hour, villageFrom + hour);
    await shown(vi.ask.badTime);
  });
});

describe("a hamlet's own viewer", () => {
  let viewer: Admitted;
  beforeAll(async () => {
    await goTo("#/");
    await until("the recorder has told its groups", 60_000, () => row("dau-thu/cho-1").isVisible());
    viewer = await addPerson(station.place, { name: "thon-cho", role: "viewer", sites: [], groups: ["Thôn Chợ"] });
  });

  test("sees its own camera of the recorder and nothing of another hamlet", async () => {
    const own = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await logIn(own, url, login(viewer));
    await own.locator('[data-camera="dau-thu/cho-1"]').waitFor({ timeout: 30_000 });
    await own.locator(".state", { hasText: vi.standings.good }).waitFor({ timeout: 60_000 });
    expect(await own.locator("[data-camera]").count()).toBe(1);
    for (const other of ["dinh-3", "cau-1", "Thôn Đình", "An Đại", "Phú Sơn"])
      expect(await own.locator("body").textContent()).not.toContain(other);
    await own.screenshot({ path: join(pictures, "thon-cho.png"), fullPage: true });
    await own.close();
  });

  test("nor by subscribing by hand to everything", async () => {
    const talker = await enter(
      asPerson(station.register(), viewer.name, viewer.password),
      "#",
      `${station.root}/#`,
      `${station.root}/from/+/birth`,
    );
    await until("its own arrive", 20_000, () => talker.heard.some(({ topic }) => topic.endsWith("/camera/cho-1")));
    const foreign = talker.heard.filter(({ topic }) => topic !== `${station.root}/from/dau-thu/state` && !/^[^+]+\/cho-1$/.test(topic));
    expect(foreign.map(({ topic }) => topic)).toEqual([]);
    await talker.end();
  });

  test("and a box that writes another's words, or commands itself, is not heard", async () => {
    const box = enlist(station, "ke-la");
    const talker = await enter(asSite(station.register(), box.id, box));
    for (const topic of ["from/an-dai-1/state", "to/ke-la/ack", "to/ke-la/command/rebirth", "station/note/an-dai-1/sub1"])
      expect(await talker.say(`${station.root}/${topic}`, '{"state":"lost"}', true), topic).toBe("denied");
    await talker.end();
  });
});

describe("what to do", () => {
  test("counts what works, what does not, and what is looked at by hand apart", async () => {
    await goTo("#/");
    await until("the dead camera's alarm", 120_000, () => page.locator('[data-task="camera an-dai-1 hong-1"]').isVisible());
    await until("all that record are good", 30_000, async () => (await count("good")) === good);
    expect([await count("picture"), await count("connected"), await count("dead")].slice(0, 1)).toEqual([vi.counts.unchecked]);
    expect(Number(await count("connected")) + Number(await count("dead"))).toBe(1);
    await shown("kiểm tra tay: 1 (thống kê riêng)");
    await shot("tong-quan-1920");
  });

  test("a note is kept for the next shift, at another computer too", async () => {
    await page.locator('[data-task="camera an-dai-1 hong-1"] select').selectOption("told-household");
    const other = await browser.newPage();
    await logIn(other, url, login(officer));
    await until(
      "the note is there",
      20_000,
      async () => (await other.locator('[data-task="camera an-dai-1 hong-1"] select').inputValue()) === "told-household",
    );
    await other.close();
  });

  test("sites that fall silent together are one line, their cameras unknown and no faults", async () => {
    const area = ["cho-1", "cho-2", "cho-3"].map((site) => ({ commune, site }));
    for (const address of area) {
      const [birth] = history.map((draft) => ({ ...draft, topic: draft.topic.replace("nang-tay-3", address.site) }));
      if (birth !== undefined) await mouth.say({ ...birth, payload: birth.payload.replace("Thôn Năng Tây 3", `Vị trí ${address.site}`) });
      await mouth.say(stateMessage(address, "online", "boot", 1, Date.now()));
    }
    await until("they are there", 20_000, async () => (await row("cho-3/dinh-1").count()) === 1);
    const saidAt = performance.now();
    for (const address of area) await mouth.say(stateMessage(address, "lost", "boot", 1, Date.now()));
    const line = page.locator('[data-task="area cho-1"]');
    await line.waitFor({ timeout: 20_000 });
    process.stdout.write(
      `figure: a change is visible after ${(performance.now() - saidAt).toFixed(0)} ms (npm run bench:board bounds it)\n`,
    );
    expect(await line.textContent()).toContain("nghi mất điện hoặc mất mạng khu vực");
    const tasks = await page.locator("[data-task]").evaluateAll((found) => found.map((task) => task.getAttribute("data-task")));
    expect(tasks.filter((task) => task?.includes("cho-"))).toEqual(["area cho-1"]);
    expect(await row("cho-1/dinh-1").locator(".state").textContent()).toContain("mất liên lạc");
    await shot("mat-lien-lac-1920");
    for (const { site } of area)
      for (const name of ["birth", "state"]) await mouth.say(clearMessage(`${station.root}/from/${site}/${name}`));
    await until("they are gone", 20_000, async () => (await row("cho-3/dinh-1").count()) === 0);
  });
});

test("a stretch is held by the box, which answers", async () => {
  await ask("an-dai-1/sub2", Date.now() - minute, Date.now());
  await page.getByRole("button", { name: vi.ask.hold, exact: true }).click();
  await shown(vi.ask.holdMissing);
  await page.getByLabel(vi.ask.request).fill("CV 12/2026");
  await page.getByLabel(vi.ask.officer).fill("CB-07");
  await page.getByRole("button", { name: vi.ask.hold, exact: true }).click();
  await until("the box has answered", 20_000, () => page.locator('[data-hold="granted"]').isVisible());
  const held = await agents["an-dai-1"]?.ask<{ holds: { camera: string; request: string }[] }>("hold", "list");
  expect(held?.holds.map(({ camera, request }) => [camera, request])).toEqual([["sub2", "CV 12/2026"]]);
  await shot("giu-lai");
  await page.getByRole("button", { name: vi.ask.holdDone }).click();
  await until("it is put away", 10_000, async () => (await page.locator("[data-hold]").count()) === 0);
});

describe("for everybody", () => {
  test.each(["#/", "#/camera/nang-tay-3/dinh-1", "#/ask", "#/reports", "#/tv"])(
    "nothing is wider than a phone of 360 px: %s",
    async (hash) => {
      await page.setViewportSize({ width: 360, height: 740 });
      await goTo(hash);
      await sleep(500);
      await shot(`360-${hash.replace(/\W+/g, "-")}`);
      const wide = `[...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > 360).map((one) => one.outerHTML.slice(0, 80))`;
      const [width, beyond] = [await page.evaluate("document.documentElement.scrollWidth"), await page.evaluate(wide)];
      await page.setViewportSize({ width: 1920, height: 1080 });
      expect(width, JSON.stringify(beyond)).toBeLessThanOrEqual(360);
    },
  );

  test.each(["light", "dark"] as const)("text stands out, %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    for (const hash of ["#/", "#/camera/nang-tay-3/dinh-1", "#/ask", "#/tv"]) {
      await goTo(hash);
      await sleep(400);
      expect(await page.evaluate(poorContrast), hash).toEqual([]);
      await shot(`${colorScheme}-${hash.replace(/\W+/g, "-")}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
  });

  test("the keyboard reaches a camera and opens it", async () => {
    await goTo("#/");
    await row("an-dai-1/sub2").waitFor();
    for (let i = 0; i < 60; i += 1) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(`document.activeElement?.getAttribute("href")`)) === "#/camera/an-dai-1/sub2") break;
    }
    await page.keyboard.press("Enter");
    await shown(vi.camera.calendar);
  });

  test("English is whole", async () => {
    await goTo("#/");
    await page.getByRole("button", { name: "English" }).click();
    await shown(boardWords("en").todo.title);
    expect(await page.evaluate("document.documentElement.lang")).toBe("en");
    await shot("english");
    await page.getByRole("button", { name: "Tiếng Việt" }).click();
  });

  test("a broker that was killed and has lost everything: the last picture stays, with its age; then it is whole again", async () => {
    await goTo("#/");
    const { database, brokerProcess } = filesOf(station.place);
    const before = await page.locator("[data-camera]").count();
    // As each minute does.
    process.kill(runningPid(brokerProcess, "mosquitto") ?? 0, "SIGUSR1");
    const { size } = await until("it is saved", 10_000, () => statSync(database, { throwIfNoEntry: false }));
    await services.killBroker();
    await page.locator(".offline").waitFor({ timeout: 20_000 });
    expect(await page.locator("[data-camera]").count()).toBe(before);
    await shot("mat-ket-noi");
    writeFileSync(database, Buffer.alloc(size));
    expect(await services.startBroker()).toMatchObject({ kind: "set-aside" });
    const backAt = performance.now();
    // The site on the virtual clock has no box of its own that would tell it again.
    await tellHistory();
    const other = await browser.newPage();
    await logIn(other, url, login(officer));
    await other.locator('[data-count="good"] strong', { hasText: new RegExp(`^${good}$`) }).waitFor({ timeout: 120_000 });
    await other.locator('[data-task="camera an-dai-1 hong-1"]').waitFor({ timeout: 120_000 });
    process.stdout.write(
      `figure: the board is whole again ${((performance.now() - backAt) / 1_000).toFixed(1)} s after a broker that lost everything\n`,
    );
    await page.locator(".offline").waitFor({ state: "detached", timeout: 30_000 });
    await until("the open page says the same", 30_000, async () => (await count("good")) === good);
    await other.close();
  });

  test("the page has asked nobody but its own host, and nothing went wrong in it", () => {
    expect(asked.filter((address) => !address.startsWith(url))).toEqual([]);
    expect(errors.filter((text) => !/WebSocket|ERR_CONNECTION/.test(text))).toEqual([]);
  });
});

/** Texts of the page whose contrast to what lies behind them is under 4.5:1 (3:1 for large ones), as WCAG AA has it. */
const poorContrast = `(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || element === null || element.closest("script, option") !== null || element.getClientRects().length === 0) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parse(style.color)), light(behind(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (isLarge ? 3 : 4.5)) poor.push(node.data.trim().slice(0, 40) + " " + ratio.toFixed(2) + " " + style.color);
  }
  return poor;
})()`;
