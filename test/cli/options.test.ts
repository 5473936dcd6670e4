/** An option that is said twice: of two values one would be passed over in silence. */
import { expect, test } from "vitest";
import { matghi } from "../lib/agent.ts";

const stretch = ["--from", "08:00", "--to", "09:00"];

test.concurrent.each([
  ["status", ["--config", "/none/a.yaml", "status", "--config", "/none/b.yaml"], "/none/a.yaml", "--config", "matghi --help"],
  ["report", ["report", "--period", "2026-10", "--period", "2026-11"], "2026-10", "--period", "matghi report --help"],
  ["hold", ["hold", "add", "--camera", "cho", ...stretch, "--from", "07:00"], "08:00", "--from", "matghi hold add --help"],
  ["a default", ["look", "--every", "10s", "--every", "20s"], "10s", "--every", "matghi look --help"],
  ["no and yes", ["setup", "--no-station", "--station", "mqtts://tram"], "--no-station", "--station", "matghi setup --help"],
])("%s: refused with the option, what it said first and where the cure stands", async (_, args, first, option, help) => {
  const answer = await matghi(args);
  expect([answer.code, answer.stdout]).toEqual([2, ""]);
  expect(answer.stderr.trim().split("\n")).toHaveLength(1);
  expect(answer.stderr).toContain(`${first} was said before; say ${option} once.; see ${help}`);
});

test.concurrent("one that may come again still gathers its values", async () => {
  const answer = await matghi(["export", "--camera", "cho", "--camera", "nga-ba", "--config", "/none/site.yaml"]);
  expect(answer.stderr).not.toContain("was said before");
});
