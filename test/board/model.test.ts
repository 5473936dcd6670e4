/** What the station's board makes of retained messages: tables of cases, no browser. */
import { describe, expect, test } from "vitest";
import {
  alarmText,
  communeOf,
  communeTeller,
  contactOf,
  countsOf,
  groupsOf,
  type Standing,
} from "../../deploy/station/board/model/commune.ts";
import { dayAt, dayPieces, gapsOver, piecesOf, sumsOf } from "../../deploy/station/board/model/day.ts";
import { readHouseholds } from "../../deploy/station/board/model/households.ts";
import { isOutdated, type Kept, keptOf, type Retained } from "../../deploy/station/board/model/kept.ts";
import { exportLine, findingOf, findingText, othersOf } from "../../deploy/station/board/model/question.ts";
import { holdAgainBody, holdsOf, noteBody, noteOf, notes } from "../../deploy/station/board/model/station.ts";
import { tasksOf } from "../../deploy/station/board/model/todo.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** 17:00 in Vietnam. */
const nowAt = Date.parse("2026-11-25T10:00:00Z");
const iso = (at: number) => new Date(at).toISOString();

/** Retained messages, said when their own minute says (minutes ago; null: not known). */
type Message = readonly [topic: string, value: unknown, minutesAgo?: number | null];
function station(...messages: readonly Message[]): Retained {
  return new Map(
    messages.map(([topic, value, ago = 0]): [string, Kept] => [topic, { value, saidAt: ago === null ? null : nowAt - ago * minute }]),
  );
}

type CameraSetup = {
  id: string;
  name?: string;
  group?: string;
  household?: string;
  priority?: boolean;
  kind?: number;
  manual?: object | null;
};
const birth = (cameras: readonly CameraSetup[], more: object = {}) => ({
  ...{ name: "Thôn", keep: { minMs: 7 * day, maxMs: 30 * day }, ...more },
  cameras: cameras.map((camera) => ({ kind: 2, priority: false, group: "QL1A", household: null, manual: null, ...camera })),
});
const online = { state: "online", at: iso(nowAt), boot: "b", conn: 1 };
const recording = { state: "recording", why: null, since: iso(nowAt - 5 * day), recorded24h: 1, daysKept: 20, picture: null };
const down = (why: string, since = nowAt - 10 * minute) => ({ ...recording, state: "not-recording", why, since: iso(since) });
const site = (
  id: string,
  cameras: Readonly<Record<string, object>>,
  setups: readonly CameraSetup[] = Object.keys(cameras).map((camera) => ({ id: camera })),
) =>
  [
    [`from/${id}/birth`, birth(setups), null] as const,
    [`from/${id}/state`, online] as const,
    ...Object.entries(cameras).map(([camera, value]) => [`from/${id}/camera/${camera}`, value] as const),
  ] as const;

describe("when a message was said", () => {
  const arrival = { topic: "from/a/state", text: `{"state":"online"}`, isRetained: true, expiresInSeconds: 60, arrivedAt: nowAt };
  test.each([
    ["of 180 s 60 are left", {}, nowAt - 2 * minute],
    ["it comes live", { isRetained: false, expiresInSeconds: 180 }, nowAt],
    ["it holds for ever", { topic: "from/a/birth", expiresInSeconds: null }, null],
    ["its topic is none of ours", { topic: "to/a/officer/hold/1" }, null],
  ])("%s", (_, change, saidAt) => {
    expect(keptOf({ ...arrival, ...change })?.kept).toEqual({ value: { state: "online" }, saidAt });
  });
  test("what is empty takes back, what is no JSON or too long is left alone", () => {
    expect(keptOf({ ...arrival, text: "" })).toEqual({ kept: null });
    expect(keptOf({ ...arrival, text: "{" })).toBeNull();
    expect(keptOf({ ...arrival, text: `"${"x".repeat(70_000)}"` })).toBeNull();
  });
});

test.each([
  ["of the connection before", { state: "lost", boot: "b", conn: 1 }, true],
  ["of this connection", { state: "lost", boot: "b", conn: 2 }, false],
  ["of another boot", { state: "lost", boot: "c", conn: 1 }, false],
  ["a newer word", { state: "online", boot: "b", conn: 1 }, false],
])("a *lost* %s", (_, value, expected) => {
  const before: Kept = { value: { state: "online", boot: "b", conn: 2 }, saidAt: nowAt };
  expect(isOutdated(before, { value, saidAt: nowAt })).toBe(expected);
  expect(isOutdated(undefined, { value, saidAt: nowAt })).toBe(false);
});

describe("is a site there", () => {
  const of = (...messages: readonly Message[]) =>
    contactOf(new Map([...station(...messages)].map(([topic, kept]) => [topic.replace("from/a/", ""), kept])), nowAt, null);
  test.each([
    ["said a minute ago", of(["from/a/state", online, 1]), { kind: "heard", heardAt: nowAt - minute }],
    ["said three minutes ago", of(["from/a/state", online, 3]), { kind: "silent", sinceAt: nowAt - 3 * minute, isExact: true }],
    [
      "the broker lost it a minute ago, 45 s after its last word",
      of(["from/a/state", { state: "lost" }, 1]),
      { kind: "silent", sinceAt: nowAt - minute - 45_000, isExact: true },
    ],
    ["it said goodbye", of(["from/a/state", { state: "leaving" }, 2]), { kind: "stopped", sinceAt: nowAt - 2 * minute }],
    [
      "it was lost before this page was opened: the last trace of it",
      of(
        ["from/a/state", { state: "lost", at: iso(nowAt - 9 * day) }, null],
        ["from/a/day/2026-11-25/c", { until: iso(nowAt - 2 * hour) }, null],
      ),
      { kind: "silent", sinceAt: nowAt - 2 * hour, isExact: false },
    ],
    [
      "a trace in the future is none",
      of(["from/a/birth", {}, null], ["from/a/health", { at: iso(nowAt + day) }, null]),
      { kind: "silent", sinceAt: null, isExact: false },
    ],
  ])("%s", (_, contact, expected) => {
    expect(contact).toEqual(expected);
  });
  test.each([
    ["what this browser remembers is a trace", null, 2, 2],
    ["a newer trace is better than what this browser remembers", 1, 2, 1],
    ["what this browser remembers is better than an older trace", 3, 2, 2],
  ])("%s", (_, traceHours, rememberedHours, sinceHours) => {
    const traces = traceHours === null ? [] : ([["day/2026-11-25/c", { until: iso(nowAt - traceHours * hour) }, null]] as const);
    const expected = { kind: "silent", sinceAt: nowAt - sinceHours * hour, isExact: false };
    expect(contactOf(station(...traces), nowAt, nowAt - rememberedHours * hour)).toEqual(expected);
  });
});

describe("how a camera stands", () => {
  const standing = (value: object | null, setup: Partial<CameraSetup> = {}, stateAgo = 0): Standing | undefined => {
    const all = station(
      ["from/a/birth", birth([{ id: "c", ...setup }]), null],
      ["from/a/state", online, stateAgo],
      ...(value === null ? [] : [["from/a/camera/c", value] as const]),
    );
    return communeOf(all, nowAt).cameras[0]?.standing;
  };
  test.each<[string, Standing | undefined, Standing]>([
    ["it records", standing(recording), "good"],
    ["it records badly", standing({ ...recording, state: "degraded" }), "picture"],
    ["its picture is suspect", standing({ ...recording, picture: { value: "dark" } }), "picture"],
    ["its picture is good", standing({ ...recording, picture: { value: "ok" } }), "good"],
    ["it does not answer", standing(down("silent")), "dead"],
    ["it refuses the password", standing(down("refused-password")), "connected"],
    ["the disk is full", standing(down("disk-full")), "connected"],
    ["its site is silent: nobody can vouch for it", standing(recording, {}, 4), "unknown"],
    ["nothing was said of it", standing(null), "unknown"],
    ["it is looked at by hand", standing(null, { kind: 1, manual: { checked: "2026-01-10T00:00:00.000Z", keepsMs: 7 * day } }), "manual"],
    ["a household's camera that the box reaches", standing(recording, { kind: 1 }), "good"],
  ])("%s", (_, found, expected) => {
    expect(found).toBe(expected);
  });

  test("counts: pictures that nobody looks at are counted apart, and so are cameras checked by hand", () => {
    const all = station(
      ...site("a", { c1: recording, c2: { ...recording, picture: { value: "ok" } }, c3: down("silent"), c4: down("no-video") }, [
        ...["c1", "c2", "c3", "c4"].map((id) => ({ id })),
        { id: "hand", kind: 1, manual: { checked: iso(nowAt), keepsMs: day } },
      ]),
      ...site("b", { c5: recording }).map(([topic, value]) => [topic, value, topic.endsWith("state") ? 9 : null] as const),
    );
    expect(countsOf(communeOf(all, nowAt).cameras)).toEqual({
      good: 2,
      picture: 0,
      connected: 1,
      dead: 1,
      unknown: 1,
      manual: 1,
      all: 5,
      unchecked: 1,
    });
  });

  test("groups keep the commune's spelling and order; accents composed in two ways are one", () => {
    const cameras = ["Quốc lộ 1A", "Chợ", "Quốc lộ 1A".normalize("NFD")].map((group, i) => ({ id: `c${i}`, group }));
    const { cameras: found } = communeOf(station(["from/a/birth", birth([...cameras, { id: "z", group: "" }]), null]), nowAt);
    expect(groupsOf(found).map(({ name, cameras: members }) => [name, members.length])).toEqual([
      ["Quốc lộ 1A", 2],
      ["Chợ", 1],
      [null, 1],
    ]);
  });

  test.each([
    null,
    7,
    "x",
    [],
    { cameras: 5 },
    { cameras: [null, 3, { id: 4 }, {}] },
    { name: {}, cameras: [{ id: "c", name: ["x"], group: 3 }] },
  ])("whatever a birth is, nothing breaks: %j", (value) => {
    const all = station(
      ["from/a/birth", value, null],
      ["from/a/camera/x", value],
      ["from/a/alarm/x", value],
      ["from/a/day/2026-11-25/c", value],
      ["from/a/state", value],
      ["station/note/a/c", value],
    );
    expect(() => tasksOf(communeOf(all, nowAt))).not.toThrow();
    expect(noteOf(all, "a/c", null)).toBeNull();
  });
});

test("who may not read a box's birth still has names and groups of the cameras that are shown", () => {
  const camera = { ...recording, name: "Cổng chợ", group: "Thôn Đông", kind: 2, priority: true, household: "ho-07" };
  const { cameras } = communeOf(station(["from/a/state", online], ["from/a/camera/c", camera]), nowAt);
  expect(cameras).toMatchObject([{ id: "c", name: "Cổng chợ", group: "Thôn Đông", isPriority: true, household: "ho-07" }]);
});

test("without a birth a camera stays when its own message has run out, as long as its days stand", () => {
  const days = ["2026-11-24", "2026-11-25"].map((name) => [`from/a/day/${name}/d`, dayMessage(name, []), null] as const);
  const { cameras } = communeOf(station(["from/a/state", online], ["from/a/camera/c", recording], ...days), nowAt);
  expect(cameras.map(({ id, standing }) => [id, standing])).toEqual([
    ["c", "good"],
    ["d", "unknown"],
  ]);
});

describe("a commune that is told again and again", () => {
  const heardAt = (all: Retained, at: number) =>
    new Map([...all].map(([topic, kept]) => [topic, kept.saidAt === null ? kept : { ...kept, saidAt: at }]));
  const first = station(...site("a", { c: recording }), ...site("b", { c: recording }));

  test("is at any time what a fresh telling says: of time that passes, of words that come, of a clock that goes back", () => {
    const tell = communeTeller();
    const memory = new Map([["b", nowAt - day]]);
    const changed = new Map(first).set("from/a/camera/c", { value: down("silent"), saidAt: nowAt });
    const without = new Map([...changed].filter(([topic]) => !topic.startsWith("from/b/state")));
    const steps = [0, 1, 179, 180, 181, 899, 900, 901, 2_000, -5].flatMap((seconds) =>
      [first, changed, without].map((all) => [seconds, all] as const),
    );
    for (const [seconds, all] of steps) {
      const at = nowAt + seconds * 1_000;
      expect(tell(all, at, memory), `${seconds} s`).toEqual(communeOf(all, at, memory));
    }
  });

  test("keeps what has not changed as the same object", () => {
    const tell = communeTeller();
    const before = tell(first, nowAt, new Map());
    expect(tell(new Map(first), nowAt + 1_000, new Map())).toBe(before);
    const after = tell(new Map(first).set("from/a/camera/c", { value: down("silent"), saidAt: nowAt }), nowAt + 1_000, new Map());
    expect(after.sites.map((one, i) => one === before.sites[i])).toEqual([false, true]);
    expect(tell(heardAt(first, nowAt + minute), nowAt + minute, new Map()).sites[1]?.contact).toEqual({
      kind: "heard",
      heardAt: nowAt + minute,
    });
  });
});

describe("what to do", () => {
  const alarm = (camera: string | null, text: string, since = nowAt - hour, level = "broken") => ({
    level,
    camera,
    text,
    since: iso(since),
  });
  const silentSite = (id: string, minutesAgo: number) =>
    [
      [`from/${id}/birth`, birth([{ id: "c" }]), null],
      [`from/${id}/state`, online, minutesAgo],
    ] as const;
  const kinds = (all: Retained) => tasksOf(communeOf(all, nowAt)).map(({ kind, key }) => `${kind}: ${key}`);

  test("sites lost within a minute of each other are one line; one that fell silent later is its own", () => {
    const all = station(...silentSite("a", 30), ...silentSite("b", 29.5), ...silentSite("d", 29), ...silentSite("e", 10));
    expect(kinds(all)).toEqual(["area: area a", "silent: silent e"]);
    expect(tasksOf(communeOf(all, nowAt))[0]?.cameras).toHaveLength(3);
  });
  test("sites of which only a last trace is known are no outage of an area: nobody knows that they fell silent together", () => {
    const all = station(["from/a/birth", birth([{ id: "c" }]), null], ["from/b/birth", birth([{ id: "c" }]), null]);
    const memory = new Map(["a", "b"].map((id) => [id, nowAt - hour]));
    expect(tasksOf(communeOf(all, nowAt, memory)).map(({ key }) => key)).toEqual(["silent a", "silent b"]);
  });
  test.each([
    ["in the reader's language", { en: "C does not record" }, "C does not record"],
    ["in the box's own, where it tells no other yet", undefined, "C không ghi"],
    ["in the box's own, where the other is no sentence", { en: 7 }, "C không ghi"],
  ])("an alarm is read %s", (_, texts, expected) => {
    const all = station(...silentSite("a", 0), ["from/a/alarm/camera/c", { ...alarm("c", "C không ghi"), texts }, 0]);
    const [told] = communeOf(all, nowAt).sites.flatMap(({ alarms }) => alarms);
    expect(told === undefined ? [] : [alarmText(told, "en"), alarmText(told, "vi")]).toEqual([expected, "C không ghi"]);
  });

  test("a silent site's cameras and old alarms are no faults of their own", () => {
    const all = station(
      ...silentSite("a", 30),
      ["from/a/alarm/camera/c", alarm("c", "C không ghi"), null],
      ["from/a/camera/c", down("silent"), 12],
    );
    expect(kinds(all)).toEqual(["silent: silent a"]);
  });
  test.each([
    ["fell silent", silentSite("a", 30), "spent: silent a"],
    ["switched itself off in order", [silentSite("a", 30)[0], ["from/a/state", { state: "leaving" }, 30]], "spent: stopped a"],
  ] as const)("a site that ran on its battery before it %s is said to have: its alarm outlives it", (_, messages, expected) => {
    const power = ["from/a/alarm/power", alarm(null, "mất điện", nowAt - hour), null] as const;
    expect(kinds(station(...messages, power))).toEqual([expected]);
  });
  test("a site that said goodbye on mains was stopped by somebody", () => {
    expect(kinds(station(["from/a/birth", birth([{ id: "c" }]), null], ["from/a/state", { state: "leaving" }, 30]))).toEqual([
      "stopped: stopped a",
    ]);
  });
  test("a full disk is one fault with its cameras under it", () => {
    const all = station(
      ...site("a", { c1: down("disk-full"), c2: down("disk-full"), c3: down("refused-password") }),
      ["from/a/alarm/disk", alarm(null, "Ổ cứng đầy")],
      ...["c1", "c2", "c3"].map((id) => [`from/a/alarm/camera/${id}`, alarm(id, id)] as const),
    );
    expect(kinds(all)).toEqual(["alarm: disk a ", "alarm: camera a c3"]);
    expect(tasksOf(communeOf(all, nowAt))[0]?.cameras.map(({ id }) => id)).toEqual(["c1", "c2"]);
  });
  test("two cameras of one household that fell silent together are one line", () => {
    const setups = ["c1", "c2", "c3"].map((id) => ({ id, household: id === "c3" ? "ho-02" : "ho-01" }));
    const all = station(
      ...site("a", { c1: down("silent"), c2: down("silent"), c3: down("silent") }, setups),
      ["from/a/alarm/camera/c1", alarm("c1", "c1", nowAt - hour)],
      ["from/a/alarm/camera/c2", alarm("c2", "c2", nowAt - hour + 30_000)],
      ["from/a/alarm/camera/c3", alarm("c3", "c3", nowAt - hour)],
    );
    expect(kinds(all).sort()).toEqual(["alarm: camera a c3", "household: household a ho-01"]);
  });
  test("worst first: a box, a key area's camera, others, what is only to be watched", () => {
    const all = station(
      ...site("a", { c1: down("no-video"), c2: down("no-video") }, [{ id: "c1" }, { id: "c2", priority: true }]),
      ["from/a/alarm/clock", alarm(null, "đồng hồ", nowAt - 9 * hour, "attention")],
      ["from/a/alarm/camera/c1", alarm("c1", "c1", nowAt - 8 * hour)],
      ["from/a/alarm/camera/c2", alarm("c2", "c2", nowAt - hour)],
      ["from/a/alarm/power", alarm(null, "mất điện", nowAt - minute)],
    );
    expect(kinds(all)).toEqual(["alarm: power a ", "alarm: camera a c2", "alarm: camera a c1", "alarm: clock a "]);
  });
  test("notes are from the closed list only", () => {
    for (const code of notes)
      expect(noteOf(station(["station/note/a/c", noteBody(code, null, nowAt), null]), "a/c", null)?.code).toBe(code);
    expect(noteOf(station(["station/note/a/c", { note: "gọi anh Tư 0912" }, null]), "a/c", null)).toBeNull();
    expect(noteOf(station(["station/note/a/c", noteBody("date-set", "2026-11-30", nowAt), null]), "a/c", null)?.date).toBe("2026-11-30");
  });
  test.each([
    ["put down during the fault", hour, "told-technician"],
    ["put down as it began, by a clock that is behind", -10 * minute, "told-technician"],
    ["of a fault before it", -20 * minute, null],
  ])("a note %s", (_, afterMs, code) => {
    const sinceAt = nowAt - 2 * hour;
    const all = station(["station/note/a/c", noteBody("told-technician", null, sinceAt + afterMs), null]);
    expect(noteOf(all, "a/c", sinceAt)?.code ?? null).toBe(code);
  });
});

/** A day as a box tells it: recorded but for the gaps, up to `until`. */
function dayMessage(
  name: string,
  gaps: readonly (readonly [from: string, to: string | null, cause: string])[],
  until?: string,
  change: object = {},
) {
  const [fromAt, toAt] = [Date.parse(`${name}T00:00:00+07:00`), Date.parse(`${name}T00:00:00+07:00`) + day];
  const at = (clock: string) => Date.parse(`${name}T${clock}:00+07:00`);
  const untilAt = until === undefined ? toAt : at(until);
  const minutes = Array.from({ length: 24 }, (_, i) => {
    const from = fromAt + i * hour;
    const to = Math.min(from + hour, untilAt);
    const lost = gaps.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(to, b === null ? untilAt : at(b)) - Math.max(from, at(a))), 0);
    return Math.max(0, to - from - lost) / minute;
  });
  return {
    ...{ day: name, until: iso(untilAt), dueMs: untilAt - fromAt, recordedMs: minutes.reduce((a, b) => a + b, 0) * minute, unknownMs: 0 },
    ...{ recordedMinutesByHour: minutes, gapsLeftOut: 0 },
    gaps: gaps.map(([from, to, cause], id) => ({
      id,
      from: iso(at(from)),
      to: to === null ? null : iso(at(to)),
      cause,
      sure: "inferred",
      evidence: ["port-silent"],
    })),
    ...change,
  };
}

describe("a day as a strip", () => {
  const camera = { site: "a", id: "c" };
  const kindsOf = (message: object, vouched: Parameters<typeof dayPieces>[1] = null) => {
    const told = dayAt(station(["from/a/day/2026-11-25/c", message, null]), camera, "2026-11-25");
    if (told === null) return null;
    return dayPieces(told, vouched).map(
      (piece) =>
        `${piece.kind === "gap" ? piece.cause : piece.kind} ${(piece.fromAt - told.fromAt) / hour}–${(piece.toAt - told.fromAt) / hour}`,
    );
  };
  const heard = { untilAt: nowAt, state: "recording", sinceAt: nowAt - day } as const;
  test.each([
    ["a whole day", kindsOf(dayMessage("2026-11-25", [])), ["footage 0–24"]],
    [
      "a gap over an hour's edge",
      kindsOf(dayMessage("2026-11-25", [["05:30", "06:30", "camera"]])),
      ["footage 0–5.5", "camera 5.5–6.5", "footage 6.5–24"],
    ],
    ["told up to 16:30, the camera records", kindsOf(dayMessage("2026-11-25", [], "16:30"), heard), ["footage 0–17", "untold 17–24"]],
    ["told up to 16:30, the site is silent", kindsOf(dayMessage("2026-11-25", [], "16:30")), ["footage 0–16.5", "untold 16.5–24"]],
    [
      "a gap that lasts goes on while the camera says so",
      kindsOf(dayMessage("2026-11-25", [["16:00", null, "house-power"]], "16:30"), { ...heard, state: "not-recording" }),
      ["footage 0–16", "house-power 16–17", "untold 17–24"],
    ],
    [
      "half an hour of which nothing is listed",
      kindsOf({ ...dayMessage("2026-11-25", []), recordedMinutesByHour: [30, ...Array.from({ length: 23 }, () => 60)] }),
      ["some 0–1", "footage 1–24"],
    ],
    [
      "hours that nobody knows",
      kindsOf({ ...dayMessage("2026-11-25", []), recordedMinutesByHour: [0, ...Array.from({ length: 23 }, () => 60)], unknownMs: hour }),
      ["unknown 0–1", "footage 1–24"],
    ],
    [
      "before hand-over",
      kindsOf({ ...dayMessage("2026-11-25", []), recordedMinutesByHour: [0, ...Array.from({ length: 23 }, () => 60)] }),
      ["undue 0–1", "footage 1–24"],
    ],
    ["nonsense", kindsOf({ day: "2026-13-45" }), null],
  ])("%s", (_, found, expected) => {
    expect(found).toEqual(expected);
  });
  test("a gap that goes over midnight is one, the newest first; another cause begins another", () => {
    const all = station(
      [
        "from/a/day/2026-11-24/c",
        dayMessage("2026-11-24", [
          ["02:00", "03:00", "disk"],
          ["23:00", null, "camera"],
        ]),
        null,
      ],
      [
        "from/a/day/2026-11-25/c",
        dayMessage(
          "2026-11-25",
          [
            ["00:00", "01:00", "camera"],
            ["05:00", null, "house-power"],
          ],
          "06:00",
        ),
        null,
      ],
      ["from/a/day/2026-11-26/c", dayMessage("2026-11-26", [["00:00", null, "weak-link"]], "02:00"), null],
    );
    const over = gapsOver(["2026-11-26", "2026-11-25", "2026-11-24"].map((date) => dayAt(all, camera, date)));
    const told = over.map(({ cause, fromAt, toAt, isOpen }) => `${cause} ${(toAt - fromAt) / hour} h${isOpen ? " on" : ""}`);
    expect(told).toEqual(["weak-link 24 h on", "house-power 19 h on", "camera 2 h", "disk 1 h"]);
  });
  test("pieces of two days cover the asked stretch whole, whatever is missing", () => {
    const asked = { fromAt: nowAt - day, toAt: nowAt };
    for (const all of [
      station(),
      station(["from/a/day/2026-11-25/c", dayMessage("2026-11-25", [["01:00", "01:10", "disk"]], "12:00"), null]),
    ]) {
      const pieces = piecesOf(all, camera, asked, heard);
      expect(pieces[0]?.fromAt).toBe(asked.fromAt);
      for (const [i, piece] of pieces.entries()) expect(piece.toAt).toBe(pieces[i + 1]?.fromAt ?? asked.toAt);
      const { footageMs, unknownMs, untoldMs, undueMs, lost } = sumsOf(pieces);
      expect(footageMs + unknownMs + untoldMs + undueMs + lost.reduce((sum, [, ms]) => sum + ms, 0)).toBe(day);
    }
  });
});

describe("is there footage", () => {
  const at = (clock: string) => Date.parse(`2026-11-25T${clock}:00+07:00`);
  const asked = (from: string, to: string) => ({ fromAt: at(from), toAt: at(to) });
  type Change = {
    stateAgo?: number;
    cameraAgo?: number | "gone";
    keepMaxMs?: number;
    daysKept?: number | null;
    held?: readonly object[];
    heldLeftOut?: number;
    more?: readonly Message[];
  };
  const found = (span: { fromAt: number; toAt: number }, message: object | null, change: Change = {}) => {
    const { cameraAgo = 0, daysKept = 20 } = change;
    const keep = change.keepMaxMs === undefined ? {} : { keep: { minMs: 0, maxMs: change.keepMaxMs } };
    const all = station(
      ["from/a/birth", birth([{ id: "c" }, { id: "d", name: "Cổng chợ" }], keep), null],
      ["from/a/state", online, change.stateAgo ?? 0],
      ...(cameraAgo === "gone"
        ? []
        : [
            [
              "from/a/camera/c",
              { ...recording, daysKept, held: change.held ?? [], heldLeftOut: change.heldLeftOut ?? 0 },
              cameraAgo,
            ] as const,
          ]),
      ...(message === null ? [] : [["from/a/day/2026-11-25/c", message, null] as const]),
      ["from/a/day/2026-11-25/d", dayMessage("2026-11-25", []), null],
      ...(change.more ?? []),
    );
    const commune = communeOf(all, nowAt);
    const [only] = commune.sites;
    const camera = only?.cameras[0];
    if (only === undefined || camera === undefined) throw new Error("no camera");
    const finding = findingOf(all, only, camera, span, nowAt);
    return { finding, others: othersOf(all, commune, finding, nowAt) };
  };
  const whole = dayMessage("2026-11-25", []);
  const span = (from: string, to: string) => ({ from: iso(at(from)), to: iso(at(to)) });
  const erased = (from: string, to: string) => ({ ...whole, deleted: [{ from: iso(at(from)), to: iso(at(to)), why: "by hand" }] });
  const before = { fromAt: at("05:00") - day, toAt: at("06:00") - day };
  const dayBefore: readonly Message[] = [["from/a/day/2026-11-24/c", dayMessage("2026-11-24", []), null]];
  const hold = (from: string, to: string): Message => [
    "to/a/officer/hold/q1",
    { camera: "c", from: iso(at(from)), to: iso(at(to)), request: "CV 1", officer: "CB-07" },
    null,
  ];
  test.each([
    ["the whole stretch", found(asked("05:00", "06:00"), dayMessage("2026-11-25", [])), "yes", null],
    ["a hole in it", found(asked("05:00", "06:00"), dayMessage("2026-11-25", [["05:10", "05:20", "camera"]])), "partial", null],
    ["nothing but a hole", found(asked("05:00", "06:00"), dayMessage("2026-11-25", [["04:00", "07:00", "house-power"]])), "no", null],
    ["deleted since", found(asked("05:00", "06:00"), dayMessage("2026-11-25", []), { daysKept: 0.1 }), "no", null],
    [
      "deleted or not, nobody can tell at the edge",
      found(asked("05:00", "05:10"), dayMessage("2026-11-25", []), { daysKept: 11.9 / 24 }),
      "unknown",
      null,
    ],
    [
      "deleted or not: half an hour before what is told may be no more than rounding and the message's age",
      found(asked("04:30", "04:31"), whole, { daysKept: 0.5 }),
      "unknown",
      null,
    ],
    ["how far back it reaches is not said: the last day is there", found(asked("05:00", "06:00"), whole, { daysKept: null }), "yes", null],
    [
      "how far back it reaches is not said: what is older nobody knows",
      found(before, null, { daysKept: null, more: dayBefore }),
      "unknown",
      null,
    ],
    [
      "deleted, were it not held",
      found(asked("05:00", "06:00"), whole, { daysKept: 0.1, more: [hold("04:00", "07:00")] }),
      "unknown",
      null,
    ],
    [
      "deleted, and only a part of it is held",
      found(asked("05:00", "06:00"), whole, { daysKept: 0.1, more: [hold("05:50", "07:00")] }),
      "unknown",
      null,
    ],
    [
      "deleted, and another stretch is held",
      found(asked("05:00", "06:00"), whole, { daysKept: 0.1, more: [hold("07:00", "08:00")] }),
      "no",
      null,
    ],
    [
      "deleted, and the hold was refused",
      found(asked("05:00", "06:00"), whole, {
        daysKept: 0.1,
        more: [hold("04:00", "07:00"), ["from/a/result/q1", { ok: false, reason: "too-long" }]],
      }),
      "no",
      null,
    ],
    [
      "over age, and the box says that it holds it",
      found(asked("05:00", "06:00"), whole, { daysKept: 0.1, held: [{ from: iso(at("04:00")), to: iso(at("07:00")) }] }),
      "yes",
      null,
    ],
    [
      "over age, and the box holds a part of it",
      found(asked("05:00", "06:00"), whole, { daysKept: 0.1, held: [{ from: iso(at("05:30")), to: iso(at("07:00")) }] }),
      "partial",
      null,
    ],
    [
      "over age, of a silent box whose camera's message has run out: it may be held",
      found(asked("05:00", "06:00"), whole, { stateAgo: 20, cameraAgo: "gone", keepMaxMs: 4 * hour }),
      "unknown",
      "silent",
    ],
    [
      "over age, of a box that is heard whose camera's message has run out",
      found(asked("05:00", "06:00"), whole, { cameraAgo: "gone", keepMaxMs: 4 * hour }),
      "unknown",
      null,
    ],
    [
      "older than what was kept when the box was heard last: it may have been off and rotated nothing",
      found(asked("05:00", "06:00"), whole, { stateAgo: 8 * 60, cameraAgo: 8 * 60, daysKept: 0.3 }),
      "unknown",
      "silent",
    ],
    [
      "over age, and newer than the last that is told of more holds than had room",
      found(asked("05:00", "06:00"), whole, { daysKept: 0.1, held: [span("03:00", "04:00")], heldLeftOut: 1 }),
      "unknown",
      null,
    ],
    [
      "over age, and older than the last that is told of more holds than had room",
      found(asked("01:00", "02:00"), whole, { daysKept: 0.1, held: [span("03:00", "04:00")], heldLeftOut: 1 }),
      "no",
      null,
    ],
    [
      "later than the last that is told of more deletions than had room",
      found(asked("05:00", "06:00"), { ...erased("03:00", "04:00"), deletedLeftOut: 1 }),
      "unknown",
      null,
    ],
    [
      "before the last that is told of more deletions than had room",
      found(asked("01:00", "02:00"), { ...erased("03:00", "04:00"), deletedLeftOut: 1 }),
      "yes",
      null,
    ],
    ["deleted by hand, though younger than what is kept", found(asked("05:00", "06:00"), erased("04:00", "07:00")), "no", null],
    ["deleted by hand in part", found(asked("05:00", "06:00"), erased("05:30", "07:00")), "partial", null],
    [
      "deleted by hand out of what is held",
      found(asked("05:00", "06:00"), erased("04:00", "07:00"), { daysKept: 0.1, held: [{ from: iso(at("04:00")), to: iso(at("07:00")) }] }),
      "no",
      null,
    ],
    ["older than anything is kept", found({ fromAt: nowAt - 31 * day, toAt: nowAt - 30.5 * day }, null), "unknown", "no-day"],
    [
      "it was there when the site was heard last",
      found(asked("05:00", "06:00"), dayMessage("2026-11-25", []), { stateAgo: 25 }),
      "yes",
      "silent",
    ],
    ["the station has no such day", found(asked("05:00", "06:00"), null), "unknown", "no-day"],
    [
      "the site fell silent before it",
      found(asked("16:50", "16:55"), dayMessage("2026-11-25", [], "16:30"), { stateAgo: 25 }),
      "unknown",
      "silent",
    ],
    ["it is not over", found(asked("16:50", "18:00"), dayMessage("2026-11-25", [], "16:55")), "unknown", "future"],
  ])("%s", (_, { finding }, answer, doubt) => {
    expect([finding.answer, finding.doubt?.kind ?? null]).toEqual([answer, doubt]);
  });
  test.each([
    ["held over age", found(asked("05:00", "06:00"), whole, { daysKept: 0.1, held: [span("04:00", "07:00")] }), { kind: "held" }],
    [
      "held by two holds that adjoin",
      found(asked("05:00", "06:00"), whole, { held: [span("04:00", "05:30"), span("05:30", "07:00")] }),
      { kind: "held" },
    ],
    [
      "a part of it is held, the other goes by its own age",
      found(asked("05:00", "06:00"), whole, { held: [span("04:00", "05:30")] }),
      { kind: "age", untilAt: at("05:30") + 30 * day },
    ],
    ["nothing of it is there", found(asked("05:00", "06:00"), whole, { daysKept: 0.1 }), { kind: "unknown" }],
    ["nobody knows whether it is there", found(asked("05:00", "06:00"), null), { kind: "age", untilAt: at("05:00") + 30 * day }],
  ])("how long it stays: %s", (_, { finding }, stay) => {
    expect(finding.stay).toEqual(stay);
  });
  test("it says why, who else has it, until when, and the line to run", () => {
    const { finding, others } = found(asked("05:00", "06:00"), dayMessage("2026-11-25", [["05:10", "05:20", "camera"]]));
    expect(findingText(finding, "vi")).toBe("Có 50 phút trong 1 giờ; phần không có: camera hỏng, không phản hồi – suy ra (10 phút).");
    expect(others.map(({ camera, answer }) => [camera.name, answer])).toEqual([["Cổng chợ", "yes"]]);
    expect(finding.stay).toEqual({ kind: "age", untilAt: at("05:00") + 30 * day });
    expect(exportLine(finding, `CV 12"; rm -rf $HOME`, { request: "SỐ", agency: "CQ", officer: "CB", purpose: "MĐ" })).toBe(
      'sudo matghi export --camera c --from 2026-11-25T05:00:00 --to 2026-11-25T06:00:00 --request "CV 12; rm -rf HOME" --agency "CQ" --officer "CB" --purpose "MĐ"',
    );
  });
});

describe("what officers write", () => {
  test("a request is asked again as it was", () => {
    const body = { camera: "c", from: iso(nowAt - hour), to: iso(nowAt), request: "CV 1", officer: "CB-07" };
    const [hold] = holdsOf(station(["to/a/officer/hold/q1", body, null]));
    expect(hold === undefined ? null : holdAgainBody(hold)).toEqual(body);
    const [torn] = holdsOf(station(["to/a/officer/hold/q2", { ...body, to: "x" }, null]));
    expect(torn === undefined ? null : holdAgainBody(torn)).toBeNull();
  });
  test("a request waits until its box has answered", () => {
    const request = [
      "to/a/officer/hold/q1",
      { camera: "c", from: iso(nowAt - hour), to: iso(nowAt), request: "CV 1", officer: "CB-07" },
      null,
    ] as const;
    const state = (...more: readonly Message[]) => holdsOf(station(request, ...more))[0]?.state;
    expect(state()).toEqual({ kind: "waiting" });
    expect(state(["from/b/result/q1", { ok: true, hold: 1, bytes: 1 }])).toEqual({ kind: "waiting" });
    expect(state(["from/a/result/q1", { ok: true, hold: 3, bytes: 400 }])).toEqual({ kind: "granted", hold: 3, bytes: 400 });
    expect(state(["from/a/result/q1", { ok: false, reason: "too-long" }])).toEqual({ kind: "refused", reason: "too-long" });
  });
  test.each([
    ["ho-01,Nguyễn Văn A\nho-02,B", 2, 0],
    ['\uFEFFmã;tên\r\nho-01;"Ông ""Tư"""\r\n', 1, 0],
    ["ho-01\tA", 1, 0],
    ["", 0, 0],
    ["<script>,x\nho 1,y\nho-1,", 0, 2],
  ])("households from %j", (text, size, skipped) => {
    const read = readHouseholds(text);
    expect([read.households.size, read.skipped]).toEqual([size, skipped]);
  });
});
