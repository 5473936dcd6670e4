/** The builds that are broken on purpose still fit the code: a break that no longer finds its place proves nothing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../lib/cameras.ts";
import { breaks, edited } from "./broken.ts";

test.each(breaks)("$what", ({ edits }) => {
  for (const edit of edits) {
    const built = readFileSync(join(repository, "dist", edit.file), "utf8");
    expect(edited(built, edit)).not.toBe(built);
  }
});
