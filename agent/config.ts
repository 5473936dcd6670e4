/** The configuration file: read, checked as a whole, every problem with its place and its cure. The only import of yaml. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, visit, type YAMLError } from "yaml";
import type { Scalar } from "./config/mask.ts";
import { relations, surroundings } from "./config/rules.ts";
import { check, type Finding, type Settings, schema } from "./config/schema.ts";
import { hintFor, type Language, wordsOf } from "./config/text.ts";
import { onOneLine } from "./core/text.ts";

/** One thing that is wrong, where, and what would be right. Lines and columns count from 1. */
export type Problem = {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly cure: string;
  /** Key of the rule, for callers that tolerate one. */
  readonly code: string;
};

export type Loaded =
  | { readonly kind: "good"; readonly settings: Settings; readonly warnings: readonly Problem[]; readonly hash: string }
  | { readonly kind: "bad"; readonly problems: readonly Problem[]; readonly language: Language };

/** A configuration is a few kilobytes; anything larger is another file. */
const mostBytes = 1_000_000;

/** Reads and checks a configuration. `tolerate` names rules that are not held against it here. Never throws. */
export function loadConfig(file: string, tolerate: readonly string[] = []): Loaded {
  const text = readText(file);
  if (text.kind === "bad") return { kind: "bad", problems: [atStart(text.key, text.facts, "vi")], language: "vi" };
  const lines = new LineCounter();
  const parsing = { version: "1.2", schema: "core", uniqueKeys: true, prettyErrors: false, logLevel: "error" } as const;
  const document = parseDocument(text.text, { ...parsing, lineCounter: lines });
  const place = (finding: Finding, language: Language) => toProblem(document, lines, finding, language);
  const language = languageOf(document);
  // A tag that nobody knows is a warning of the library; it swallows the word that it was meant to be.
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) return { kind: "bad", problems: mistakes.map((mistake) => yamlProblem(lines, mistake, language)), language };
  const tree = toTree(document);
  if (tree instanceof Error) return { kind: "bad", problems: [atStart("yaml", { why: tree.message }, language)], language };
  const { settings, findings } = check(tree);
  const rules = settings === null ? [] : relations(settings);
  const around = settings === null ? { findings: [], warnings: [] } : surroundings(settings, file);
  const held = [...findings, ...rules, ...around.findings].filter((finding) => !tolerate.includes(finding.key));
  if (settings === null || held.length > 0)
    return { kind: "bad", problems: inFileOrder(held.map((finding) => place(finding, language))), language };
  const warnings = around.warnings.map((finding) => place(finding, language));
  return {
    kind: "good",
    settings: freeze(settings),
    warnings,
    hash: createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 16),
  };
}

/** A configuration's text with other keys of `station`; what is null goes, all else stays, comments too. */
export function withStation(text: string, station: Readonly<Record<string, string | null>>): string {
  const document = parseDocument(text, { version: "1.2", schema: "core" });
  for (const [key, value] of Object.entries(station)) {
    if (value === null) document.deleteIn(["station", key]);
    else if (document.getIn(["station", key]) !== value) document.setIn(["station", key], value);
  }
  return document.toString({ lineWidth: 0 });
}

/** `FILE:LINE:COL: what is wrong, what would be right`. */
export function formatProblem(file: string, problem: Problem): string {
  const subject = problem.path === "" ? "" : `${problem.path}: `;
  return `${file}:${problem.line}:${problem.column}: ${subject}${problem.message}, ${problem.cure}`;
}

type Text =
  | { readonly kind: "good"; readonly text: string }
  | { readonly kind: "bad"; readonly key: string; readonly facts: Record<string, string> };

function readText(file: string): Text {
  try {
    const found = statSync(file);
    if (!found.isFile()) return { kind: "bad", key: "unreadable", facts: { why: "not a regular file" } };
    if (found.size > mostBytes) return { kind: "bad", key: "big", facts: {} };
    return { kind: "good", text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file)) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return { kind: "bad", key: "encoding", facts: {} };
    return { kind: "bad", key: "unreadable", facts: { why: code } };
  }
}

function atStart(key: string, facts: Record<string, string>, language: Language): Problem {
  return { line: 1, column: 1, path: "", ...said(language, key, facts), code: key };
}

/** More of a key or a value nobody reads. */
const mostQuoted = 400;

/** What the file holds, for a terminal. */
function quoted(text: string): string {
  const plain = onOneLine(text);
  return plain.length > mostQuoted ? `${plain.slice(0, mostQuoted)}…` : plain;
}

function said(language: Language, key: string, facts: Readonly<Record<string, string>>): { message: string; cure: string } {
  return wordsOf(language, key, Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, quoted(fact)])));
}

/** Mistakes for which the library has words for programmers only. */
const yamlKeys: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "yaml-twice",
  MULTIPLE_DOCS: "yaml-documents",
  TAG_RESOLVE_FAILED: "yaml-tag",
};

function yamlProblem(lines: LineCounter, { pos, code, message }: YAMLError, language: Language): Problem {
  const { line, col } = lines.linePos(pos[0]);
  const why = message.split("\n")[0] ?? "";
  return {
    line: Math.max(line, 1),
    column: Math.max(col, 1),
    path: "",
    ...said(language, yamlKeys[code] ?? "yaml", { why }),
    code: "yaml",
  };
}

/** Aliases are bounded by the library; a bomb is an error of the document. */
function toTree(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function languageOf(document: Document): Language {
  return document.getIn(["site", "language"]) === "en" ? "en" : "vi";
}

function toProblem(document: Document, lines: LineCounter, finding: Finding, language: Language): Problem {
  const { line, col } = lines.linePos(offsetOf(document, finding));
  const facts = finding.key === "unknown-key" ? { ...finding.facts, hint: hintFor(language, nearKey(finding)) } : finding.facts;
  const path = finding.path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");
  return {
    line: Math.max(line, 1),
    column: Math.max(col, 1),
    path: quoted(path),
    ...said(language, finding.key, facts),
    code: finding.key,
  };
}

/** Where the finding stands in the text: its value; its key where the key is wrong; else the nearest that is there. */
function offsetOf(document: Document, finding: Finding): number {
  for (let depth = finding.path.length; depth >= 0; depth -= 1) {
    const path = finding.path.slice(0, depth);
    if (depth === finding.path.length && finding.key === "unknown-key") {
      const key = keyOffset(document, path);
      if (key !== null) return key;
    }
    const node = (depth === 0 ? document.contents : document.getIn(path, true)) as Node | null | undefined;
    if (node?.range) return keyOfMissing(document, path, node);
  }
  return 0;
}

/** An empty value stands where its key stands. */
function keyOfMissing(document: Document, path: readonly (string | number)[], node: Node): number {
  const start = node.range?.[0] ?? 0;
  return isScalar(node) && node.value === null ? (keyOffset(document, path) ?? start) : start;
}

function keyOffset(document: Document, path: readonly (string | number)[]): number | null {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return null;
  const found = parent.items.find((item) => String(isScalar(item.key) ? item.key.value : item.key) === String(path.at(-1)));
  return isScalar(found?.key) ? (found.key.range?.[0] ?? null) : null;
}

function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  const unique = new Map(problems.map((problem) => [`${problem.line}:${problem.column}:${problem.path}:${problem.code}`, problem]));
  return [...unique.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** The known key of the same section that is nearest to an unknown one; null where none is near. */
function nearKey({ path }: Finding): string | null {
  const wrong = String(path.at(-1) ?? "");
  const known = keysAt(path.slice(0, -1));
  const near = known.map((key) => ({ key, distance: distance(wrong, key) })).sort((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= 2 && near.distance < wrong.length ? near.key : null;
}

type Described = { def?: { shape?: Record<string, unknown>; innerType?: unknown; in?: unknown; element?: unknown } };

/** The keys that a section may have, from the schema. */
export function keysAt(path: readonly (string | number)[]): readonly string[] {
  let at: Described | undefined = schema as Described;
  for (const step of [...path, null]) {
    while (at?.def?.innerType !== undefined || at?.def?.in !== undefined) at = (at.def.innerType ?? at.def.in) as Described;
    if (step === null) break;
    at = (typeof step === "number" ? at?.def?.element : at?.def?.shape?.[step]) as Described | undefined;
  }
  return Object.keys(at?.def?.shape ?? {});
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Every key and value that can be made out in a text, also where it is no good YAML, in the order of the text. */
export function scalarsOf(text: string): readonly Scalar[] {
  const found: Scalar[] = [];
  visit(parseDocument(text, { version: "1.2", schema: "core", uniqueKeys: false, prettyErrors: false, logLevel: "silent" }), {
    Scalar: (place, node, ancestors) => {
      const [startAt = 0, endAt = 0] = node.range ?? [];
      const keys = ancestors.flatMap((above) => ("key" in above && isScalar(above.key) ? [String(above.key.value)] : []));
      found.push({ startAt, endAt, isKey: place === "key", key: keys.at(-1) ?? "", value: String(node.value) });
    },
  });
  return found.sort((a, b) => a.startAt - b.startAt);
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
