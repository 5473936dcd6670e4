/** Whole agents on a virtual clock, over the end of a month: what they really publish, added up as the station does, is what each of them reports. */
import { expect, test } from "vitest";
import { parsePeriod } from "../../agent/core/period.ts";
import { type Report, type Row, reportJson, reportOf } from "../../agent/core/report.ts";
import { reportFacts } from "../../agent/facts.ts";
import { communeReportOf } from "../../deploy/station/board/reports/commune.ts";
import type { Message } from "../../hal/ports.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const startAt = Date.parse("2026-10-31T22:40:00+07:00");
const more = ['station: { url: "mqtt://127.0.0.1:1883" }'];

const siteOf = (name: string, cameras: readonly string[]): Village => makeVillage({ folder: tempFolder(name), startAt, cameras, more });

/** What stands at the station; every village of a test has the same id, and another name here. */
function retainedOf(said: readonly Message[], site: string, into: Map<string, unknown>): void {
  for (const { topic, payload, retain } of said) {
    const key = topic.replace(/^matghi\/v1\/nghia-phuong\/from\/[^/]+/, `from/${site}`);
    if (!retain) continue;
    if (payload === "") into.delete(key);
    else into.set(key, JSON.parse(payload));
  }
}

function reportOn(village: Village, name: string): Report {
  return village.ask((asking) => {
    const period = parsePeriod(name, asking.nowAt);
    if (period === null) throw new Error(name);
    return reportOf(period, reportFacts(asking, period.span), asking.nowAt);
  });
}

const keys = ["dueMs", "recordedMs", "unknownMs", "plannedMs", "reachableMs", "ratio", "gaps", "flaps", "longestGapMs", "byCause"] as const;
const figures = (row: Row) => Object.fromEntries(keys.map((key) => [key, row[key]]));

test("over midnight and the end of a month, the station's sums are the boxes' to the millisecond", async () => {
  // Losses begin and end at no round second, two of them over midnight, one of them over a power cut of the box.
  const hamlet = siteOf("hamlet", ['id: cho-1, group: Quốc lộ 1A, url: "rtsp://cho-1/"', 'id: cho-2, url: "rtsp://cho-2/"']);
  await hamlet.boot();
  await hamlet.pass(30 * minute + 7_300);
  hamlet.scene.trouble.set("cho-1", "silent");
  await hamlet.pass(4 * minute + 1_700);
  hamlet.scene.trouble.clear();
  await hamlet.pass(40 * minute);
  hamlet.cut();
  await hamlet.pass(10 * minute);
  await hamlet.boot();
  const hall = siteOf("hall", ['id: cho-1, group: Quốc lộ 1A, url: "rtsp://cho-1/"']);
  await hall.boot();
  await hall.pass(50 * minute);
  hall.scene.trouble.set("cho-1", "refused-password");
  for (const village of [hamlet, hall]) await village.pass(startAt + 120 * minute - village.now());
  hall.scene.trouble.clear();
  for (const village of [hamlet, hall]) await village.pass(startAt + 135 * minute - village.now());

  const retained = new Map<string, unknown>();
  for (const [site, village] of Object.entries({ hamlet, hall }))
    retainedOf(
      village.brokers.flatMap(({ messages }) => messages),
      site,
      retained,
    );
  // Each page was sent when its round came; the boxes are asked as of that moment.
  for (const name of ["2026-10", "2026-Q4", "2026-11", "2026-10-31..2026-11-01"]) {
    const { report, missing } = communeReportOf(
      retained,
      parsePeriod(name, hall.now()) ?? { name, span: { fromAt: 0, toAt: 0 } },
      hall.now(),
    );
    expect(missing, name).toEqual([]);
    const boxes = { hamlet: reportOn(hamlet, name), hall: reportOn(hall, name) };
    if (name === "2026-10") {
      for (const [site, box] of Object.entries(boxes))
        for (const row of box.cameras) {
          const told = report.cameras.find(({ camera }) => camera.id === `${site}/${row.camera.id}`);
          expect(told === undefined ? null : figures(told), `${site} ${row.camera.id}`).toEqual(figures(row));
        }
      const json = Object.values(boxes).map((box) => reportJson(box).total);
      for (const key of ["dueMs", "recordedMs", "unknownMs", "plannedMs", "gaps", "flaps"] as const)
        expect(report.total[key], key).toBe(json.reduce((sum, total) => sum + total[key], 0));
      expect(report.total.byCause["box-power"]?.ms, "the cut reaches into October").toBeGreaterThan(0);
    }
    expect(report.total.gaps, `${name}: a loss over midnight is one`).toBe(boxes.hamlet.total.gaps + boxes.hall.total.gaps);
    expect(
      report.faults.filter(({ durationMs }) => durationMs >= minute),
      name,
    ).toHaveLength([...boxes.hamlet.faults, ...boxes.hall.faults].filter(({ durationMs }) => durationMs >= minute).length);
    expect(report.groups.map(({ group, cameraCount }) => [group, cameraCount])).toEqual([
      ["Quốc lộ 1A", 2],
      [null, 1],
    ]);
  }
  await hamlet.stop();
  await hall.stop();
});
