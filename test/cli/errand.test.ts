/** `matghi errand` as sshd runs it, without an sshd: what is refused before anything is made. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { errandText, mostRefusals } from "../../agent/core/errand.ts";
import { readAudit } from "../../agent/store/audit.ts";
import { openStore } from "../../agent/store/store.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

let [folder, config, state] = ["", "", ""];
beforeEach(() => {
  folder = tempFolder("errand");
  config = writeSite({ folder, cameras: ['id: cho, url: "rtsp://127.0.0.1:9/"'] });
  state = join(folder, "state");
  openStore(state).close();
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
