/** The documents say what is there: commands, options, settings, files and symbols that they name exist. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { keysAt } from "../agent/config.ts";
import { troubles } from "../agent/core/status.ts";
import { exampleText, markers, settingsTable } from "../deploy/docs.ts";
import { matghi } from "./lib/agent.ts";
import { repository } from "./lib/cameras.ts";

const documents = [
  "README.md",
  "agent/README.md",
  "hal/README.md",
  "deploy/README.md",
  "deploy/station/board/README.md",
  "deploy/station/README.md",
  "test/README.md",
  "test/cameras/README.md",
  "CHANGELOG.md",
];
const textOf = (file: string) => readFileSync(join(repository, file), "utf8");
const spansOf = (file: string) => [...textOf(file).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? "");

const sources = ["agent", "hal", "deploy", "test"]
  .flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(tsx?|py)$/.test(entry.name))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")),
  )
  .join("\n");

test("the example configuration is what the declarations make of it", () => {
  expect(textOf("deploy/site.example.yaml"), "stale: npm run docs").toBe(exampleText());
});

test("the README's table is what the declarations make of it", () => {
  const table = textOf("README.md").split(markers.begin)[1]?.split(markers.end)[0]?.trim();
  expect(table, "stale: npm run docs").toBe(settingsTable());
});

test("the example is a good configuration but for what only an installed box has", async () => {
  const answer = await matghi(["check-config", "--json", "--config", join(repository, "deploy/site.example.yaml")]);
  const { problems } = JSON.parse(answer.stdout) as { problems: { path: string; message: string }[] };
  const ofTheBox = /^(station\.(ca|cert|key)|cameras\[0\]\.passwordFile|recording\.(folder|limit\.size))$/;
  expect(problems.filter(({ path }) => !ofTheBox.test(path))).toEqual([]);
});

const helps = new Map<string, ReturnType<typeof matghi>>();
/** What a command says of itself, asked once. */
function helpOf(command: string): ReturnType<typeof matghi> {
  const help = helps.get(command) ?? matghi([...command.split(" "), "--help"]);
  helps.set(command, help);
  return help;
}

describe.each(documents)("%s", (file) => {
  test("names only commands and options that exist", async () => {
    const named = spansOf(file).flatMap((span) => [...span.matchAll(/(?:^|\/)matghi ([a-z-]+)([^|]*)/g)]);
    for (const [, command = "", rest = ""] of named) {
      // `hold`, `picture` and `register` have commands of their own.
      const inner = ["hold", "picture", "register"].includes(command) ? (/^ ((?:[a-z]+ ?)*)/.exec(rest)?.[1]?.trim().split(" ") ?? []) : [];
      const help = await helpOf([command, ...inner].join(" "));
      expect(help.code, `matghi ${command}`).toBe(0);
      for (const [option] of rest.matchAll(/--[a-z-]+/g))
        expect(`${help.stdout} --config --json --help`, `${command} ${option}`).toContain(option);
    }
  });

  test("names only files and folders that exist", () => {
    const looksLikeAPath = /^(?:\.\/)?((?:agent|hal|deploy|test|systemd)\/[\w./-]*|[\w-]+\/)$/;
    const inItsFolder = join(repository, file, "..");
    for (const span of spansOf(file)) {
      const path = looksLikeAPath.exec(span.split(" ")[0] ?? "")?.[1];
      if (path === undefined) continue;
      expect(
        [repository, inItsFolder].some((folder) => existsSync(join(folder, path))),
        path,
      ).toBe(true);
    }
    for (const [, link = ""] of textOf(file).matchAll(/\]\(([^)#]+)\)/g)) expect(existsSync(join(inItsFolder, link)), link).toBe(true);
  });

  test("names only settings that exist", () => {
    for (const span of spansOf(file)) {
      const [, section = "", key = ""] =
        /^(site|report|station|recording|cameras|households|power|link|clock)\.([a-zA-Z]+)/.exec(span) ?? [];
      if (section === "" || key === "ts" || key === "py" || key === "json") continue;
      const place = section === "cameras" || section === "households" ? [section, 0] : [section];
      expect(keysAt(place), span).toContain(key);
    }
  });

  test("names only symbols and modules that exist", () => {
    for (const span of spansOf(file)) {
      const symbol = /^([a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*)$/.exec(span)?.[1];
      if (symbol !== undefined) expect(new RegExp(`\\b${symbol}\\b`).test(sources), symbol).toBe(true);
      const module = /^([\w/.-]+\.ts)$/.exec(span)?.[1];
      if (module !== undefined)
        expect(
          [dirname(file), file.split("/")[0] ?? "", "", "agent", "hal", "test/cameras"].some((folder) =>
            existsSync(join(repository, folder, module)),
          ),
          module,
        ).toBe(true);
    }
  });

  test("tells nobody to please, and names no machine", () => {
    expect(textOf(file)).not.toMatch(/vui lòng|\/home\/|\/root\/|registry\./i);
  });
});

describe.each(["Tiếng Việt", "English"])("the technician's guide, %s", (language) => {
  const guide =
    textOf("deploy/README.md")
      .split(/^## /m)
      .find((part) => part.startsWith(language)) ?? "";
  const cures = new Map(
    [...guide.matchAll(/^\| `([a-z-]+)` \|([^|\n]+)\|([^|\n]+)\|$/gm)].map(([, type, means, cure]) => [type, { means, cure }]),
  );

  test("has every alarm with its cure, and no other", () => {
    expect([...cures.keys()].sort()).toEqual([...troubles].sort());
    for (const { means, cure } of cures.values()) expect([means?.trim(), cure?.trim()]).not.toContain("");
  });

  test("has the same sections as the other language", () => {
    expect(guide.match(/^### /gm)).toHaveLength(9);
  });
});

test("the driver's skeleton has thirty lines and compiles", () => {
  const code = /```ts\n([\s\S]*?)```/.exec(textOf("hal/README.md"))?.[1] ?? "";
  expect(code.trim().split("\n").length).toBeLessThanOrEqual(30);
  // test/hal/skeleton.ts is type-checked with everything else.
  expect(textOf("test/hal/skeleton.ts")).toBe(code.replace('"../hal/ports.ts"', '"../../hal/ports.ts"'));
});

test("the licence is whole", () => {
  expect(textOf("LICENSE")).toMatch(/Apache License\s+Version 2\.0, January 2004[\s\S]*END OF TERMS AND CONDITIONS/);
});
