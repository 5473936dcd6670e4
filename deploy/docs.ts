/** The documents that are made from the settings' declarations: the example configuration and the README's table. Pure. */
import { type Meta, schema } from "../agent/config/schema.ts";

type Described = {
  readonly def: {
    readonly type: string;
    readonly innerType?: Described;
    readonly in?: Described;
    readonly shape?: Record<string, Described>;
    readonly element?: Described;
  };
  meta(): unknown;
};
type Setting = { readonly path: string; readonly name: string; readonly depth: number; readonly meta: Meta; readonly isRequired: boolean };
type Entry =
  | { readonly kind: "section" | "list"; readonly path: string; readonly name: string; readonly depth: number }
  | ({ readonly kind: "setting" } & Setting);

/** Keys that the example shows but does not set: they belong to another choice than the one it makes. */
const otherChoices = [
  /^station\.(username|passwordFile|allowPlain)$/,
  /^cameras\.manual/,
  /^power\.(path|host|port|ups|chip|line|mainsIs|gauge|bus|lowBelow)$/,
  /^link\.(path|interface)$/,
  /^clock\.(path|offset)$/,
];

type Unwrapped = { readonly inner: Described; readonly meta: Meta | null; readonly isRequired: boolean };

function unwrap(node: Described): Unwrapped {
  let inner = node;
  let meta = node.meta() as Meta | undefined;
  let isRequired = true;
  while (inner.def.innerType !== undefined || inner.def.in !== undefined) {
    if (inner.def.innerType !== undefined) isRequired = false;
    inner = inner.def.innerType ?? inner.def.in ?? inner;
    meta ??= inner.meta() as Meta | undefined;
  }
  return { inner, meta: meta ?? null, isRequired };
}

/** Every setting in the order of its declaration, sections and lists before what they hold. */
function entriesOf(node: Described, path: string, depth: number): readonly Entry[] {
  return Object.entries(node.def.shape ?? {}).flatMap(([name, child]): readonly Entry[] => {
    const at = path === "" ? name : `${path}.${name}`;
    const { inner, meta, isRequired } = unwrap(child);
    if (inner.def.type === "object") return [{ kind: "section", path: at, name, depth }, ...entriesOf(inner, at, depth + 1)];
    const element = inner.def.element === undefined ? null : unwrap(inner.def.element).inner;
    if (element?.def.type === "object") return [{ kind: "list", path: at, name, depth }, ...entriesOf(element, at, depth + 2)];
    return meta === null ? [] : [{ kind: "setting", path: at, name, depth, meta, isRequired }];
  });
}

const entries = (): readonly Entry[] => entriesOf(schema as unknown as Described, "", 0);

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  const isPlain = /^[\p{L}\d/][^#"'{}[\],&*!|>%@`]*$/u.test(value) && !/: |^(true|false|null|[\d.]+)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}

/** `deploy/site.example.yaml`: every setting with its sentence, its possible values and an example. */
export function exampleText(): string {
  const head = [
    "# Ví dụ đầy đủ cho /etc/matghi/site.yaml. Tạo từ phần khai báo cài đặt: npm run docs.",
    "# A complete example, made from the declarations of the settings: npm run docs.",
    "",
  ];
  let isFirstOfList = false;
  const body = entries().flatMap((entry): string[] => {
    const isOther = otherChoices.some((pattern) => pattern.test(entry.path));
    const indent = "  ".repeat(entry.depth);
    if (entry.kind !== "setting") {
      isFirstOfList = entry.kind === "list";
      const gap = entry.depth === 0 ? [""] : [];
      return [...gap, `${indent}${isOther ? "# " : ""}${entry.name}:`];
    }
    const { meta } = entry;
    const fallback = meta.default === undefined ? "" : ` Mặc định: ${meta.default === "" ? '""' : meta.default}.`;
    const range = meta.range === undefined ? "" : ` [${meta.range}]`;
    const before = isFirstOfList ? indent.slice(2) : indent;
    const dash = isFirstOfList ? `${before}- ` : indent;
    isFirstOfList = false;
    return [`${before}# ${meta.vi}${range}${fallback}`, `${isOther ? `${indent}# ` : dash}${entry.name}: ${scalar(meta.example ?? "")}`];
  });
  return `${[...head, ...body].join("\n").replace(/\n{3,}/g, "\n\n")}\n`;
}

export const markers = { begin: "<!-- settings:begin -->", end: "<!-- settings:end -->" } as const;

/** The README's table of settings, in English. */
export function settingsTable(): string {
  const rows = entries().flatMap((entry) => (entry.kind === "setting" ? [entry] : []));
  const line = ({ path, meta, isRequired }: Setting) => {
    const fallback = isRequired ? "required" : meta.default === undefined || meta.default === "" ? "–" : `\`${meta.default}\``;
    return `| \`${path}\` | ${fallback} | ${meta.range ?? "text"} | ${meta.en} |`;
  };
  return ["| Setting | Default | Possible | Meaning |", "|---|---|---|---|", ...rows.map(line)].join("\n");
}

/** A text with the table put between its markers. */
export function withTable(text: string): string {
  const [before = "", rest = ""] = text.split(markers.begin);
  const after = rest.split(markers.end)[1] ?? "";
  return `${before}${markers.begin}\n${settingsTable()}\n${markers.end}${after}`;
}
