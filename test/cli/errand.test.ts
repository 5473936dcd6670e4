/** `matghi errand` as sshd runs it, without an sshd: what is refused before anything is made. */
import { mkdirSync, readdirSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { errandText, mostRefusals } from "../../agent/core/errand.ts";
import { segmentPath } from "../../agent/core/path.ts";
import { shelfOf } from "../../agent/errands.ts";
import { readAudit } from "../../agent/store/audit.ts";
import { openStore } from "../../agent/store/store.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { deadPid, markOf } from "../lib/mark.ts";
import { tempFolder } from "../lib/temp.ts";

const beganAt = Date.parse("2026-11-24T03:00:00Z");
const closed = {
  ...{ camera: "cho", number: 0, startAt: beganAt, endAt: beganAt + 60_000, bytes: 1_000, sha256: "a".repeat(64) },
  ...({ stream: "main", clock: "synced", torn: false, namedMs: 0 } as const),
};
let [folder, config, state] = ["", "", ""];
beforeEach(() => {
  folder = tempFolder("errand");
  config = writeSite({ folder, cameras: ['id: cho, url: "rtsp://127.0.0.1:9/"'] });
  state = join(folder, "state");
  const store = openStore(state);
  const { run } = store.begin({ bootId: "b1", wallMs: beganAt, monoMs: 0, clock: "synced", version: "test", above: 0 });
  store.commit([
    { put: "clock-step", at: beganAt, offsetMs: 0, clock: "synced" },
    { put: "segment", segment: { ...closed, run } },
    { put: "page", camera: "cho", sinceAt: beganAt, coveredAt: closed.endAt },
    { put: "run-ended", run, end: "stopped", at: closed.endAt },
  ]);
  store.close();
});

const asking = (said: string, key = "nguyen-van-a") => matghi(["errand", "--key", key, "--config", config], { SSH_ORIGINAL_COMMAND: said });
const list = errandText({ verb: "list", site: "an-dai-2", id: "0123456789abcdef" });

test("what a key may not ask stands in the audit, each key's so often a day and no more, and the chain stays whole", async () => {
  expect((await asking("rm -rf /\nid")).code).toBe(2);
  expect((await asking(list)).code).toBe(2);
  expect((await asking("", "tran-thi-b")).code).toBe(2);
  const told = () => readAudit(state).map(({ what, data }) => [what, data.key, data.asked, data.n]);
  expect(told()).toEqual([
    ["errand.refused", "nguyen-van-a", "rm -rf / id", 1],
    ["errand.refused", "nguyen-van-a", list, 2],
    ["errand.refused", "tran-thi-b", "", 1],
  ]);
  for (let i = 2; i < mostRefusals + 3; i += 1) expect((await asking(`id ${i}`)).code).toBe(2);
  expect(told().filter(([, key]) => key === "nguyen-van-a")).toHaveLength(mostRefusals);
  expect((await matghi(["audit", "--check", "--config", config])).code).toBe(0);
  expect((await matghi(["audit", "--config", config])).stdout).toContain("khóa hỏi việc không được phép, đã từ chối");
  expect(readdirSync(state)).not.toContain("errands");
}, 30_000);

describe("room", () => {
  const facts = { site: "an-dai-1", id: "0123456789abcdef", camera: "cho", request: "CV 12", officer: "A" };
  const span = { from: "2026-11-24T10:00:00+07:00", to: "2026-11-24T10:01:00+07:00" };
  const look = errandText({ verb: "look", ...facts, ...span });
  const fetch = errandText({ verb: "export", ...facts, ...span, agency: "CA", purpose: "x" });
  /** Another key's errand, which will take more than is free. */
  function claimAll(pid: number): void {
    const { bavail, bsize } = statfsSync(state);
    const shelf = shelfOf(state, "tran-thi-b");
    mkdirSync(shelf, { recursive: true });
    writeFileSync(join(shelf, "fedcba9876543210.busy"), `${markOf(pid)} ${bavail * bsize + 100_000_000_000}`);
  }

  test.each([
    ["look", look],
    ["export", fetch],
  ])(
    "that another errand will still take is not there for %s, which is refused before anything is read, made or written down",
    async (_, said) => {
      claimAll(process.pid);
      const answer = await asking(said);
      expect([answer.code, answer.stdout]).toEqual([1, ""]);
      expect(answer.stderr).toMatch(/lacks .* of room/);
      expect(readAudit(state)).toEqual([]);
      expect(readdirSync(shelfOf(state, "nguyen-van-a")), "no copy that anybody could delete").toEqual([]);
    },
  );

  test("that a dead one would have taken is", async () => {
    claimAll(deadPid);
    const { stderr } = await asking(fetch);
    expect(stderr).not.toMatch(/of room/);
  });
});

test("of a copy is written down what its files show, beyond what was asked for: deleted by hand, that goes with it", async () => {
  const file = join(folder, "footage", segmentPath({ ...closed, run: 1 }));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.alloc(closed.bytes));
  const [id, at] = ["0123456789abcdef", (ms: number) => new Date(beganAt + ms).toISOString()];
  const fetch = {
    verb: "export",
    site: "an-dai-1",
    id,
    camera: "cho",
    request: "CV 12",
    officer: "A",
    agency: "CA",
    purpose: "x",
  } as const;
  await asking(errandText({ ...fetch, from: at(20_000), to: at(30_000) }));
  const shelf = shelfOf(state, "nguyen-van-a");
  expect(readdirSync(shelf).sort()).toEqual([id, `${id}.about`]);
  const store = openStore(state);
  store.commit([
    { put: "doom", segments: store.segments(1).map((row) => row.id), why: "age", at: beganAt },
    { put: "forget", segments: store.segments(1).map((row) => row.id) },
  ]);
  store.close();
  const deleting = (from: number, to: number) =>
    matghi([
      ...["delete", "--config", config, "--camera", "cho", "--from", at(from), "--to", at(to)],
      ...["--reason", "x", "--officer", "A", "--yes"],
    ]);
  expect((await deleting(60_000, 70_000)).code, "beside it").toBe(3);
  expect((await deleting(50_000, 60_000)).code).toBe(0);
  expect(readdirSync(shelf)).toEqual([]);
});
