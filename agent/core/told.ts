/** Cameras as a technician tells them: one in a line of the command, many in a table from Excel. Pure. */

/** A camera as it was told; what is left out takes the configuration's default. */
export type ToldCamera = {
  readonly id: string;
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly priority?: boolean;
  readonly household?: string;
  readonly url?: string;
  readonly fallback?: string;
  readonly onvif?: string;
  readonly username?: string;
  /** Where its password stands. */
  readonly passwordFile?: string;
};

const cameraKeys = [
  "id",
  "name",
  "group",
  "kind",
  "priority",
  "household",
  "url",
  "fallback",
  "onvif",
  "username",
  "password-file",
] as const;
type CameraKey = (typeof cameraKeys)[number];

/** Why something that was told cannot be taken; setupwords.ts says it. */
export const toldFaults = [
  "unknown-key",
  "no-id",
  "no-cameras",
  "row-without-id",
  "password-column",
  "unknown-column",
  "not-utf8",
  "unreadable",
] as const;
export type ToldFault = (typeof toldFaults)[number];
export type Bad<W extends string> = {
  readonly kind: "bad";
  readonly why: W;
  readonly facts: Readonly<Record<string, string | number>>;
};
/** A told value, or why it cannot be taken. */
export type Read<T, W extends string = ToldFault> = { readonly kind: "good"; readonly value: T } | Bad<W>;

export const good = <T>(value: T): { readonly kind: "good"; readonly value: T } => ({ kind: "good", value });
export const bad = <W extends string>(why: W, facts: Bad<W>["facts"] = {}): Bad<W> => ({ kind: "bad", why, facts });

/** `id=cong-1,name=Cổng làng,url=rtsp://…,username=agent,password-file=F`; a value may hold commas. */
export function readCamera(text: string): Read<ToldCamera> {
  const pairs = text.split(/,(?=[a-z-]+=)/).map((part) => {
    const [key = "", ...value] = part.split("=");
    return [key, value.join("=")] as const;
  });
  const unknown = pairs.find(([key]) => !cameraKeys.some((known) => known === key));
  if (unknown !== undefined) return bad("unknown-key", { key: unknown[0] || text, known: cameraKeys.join(", ") });
  const camera = cameraOf(new Map(pairs as readonly (readonly [CameraKey, string])[]));
  return camera === null ? bad("no-id") : good(camera);
}

const yes = ["x", "1", "true", "yes", "co"];

/** null: it has no id. */
function cameraOf(values: ReadonlyMap<CameraKey, string>): ToldCamera | null {
  const told = (key: CameraKey) => values.get(key)?.trim() || undefined;
  const id = told("id");
  if (id === undefined) return null;
  const [priority, passwordFile] = [told("priority"), told("password-file")];
  const texts = (["name", "group", "kind", "household", "url", "fallback", "onvif", "username"] as const).flatMap((key) => {
    const value = told(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    id,
    ...Object.fromEntries(texts),
    ...(priority !== undefined && yes.includes(plain(priority)) ? { priority: true } : {}),
    ...(passwordFile === undefined ? {} : { passwordFile }),
  };
}

/** Headers as communes write them, without accents; English ones are the keys. */
const headers: Readonly<Record<string, CameraKey>> = {
  ...{ ma: "id", "ma camera": "id", ten: "name", "ten camera": "name", "vi tri": "name" },
  ...{ tuyen: "group", "khu vuc": "group", thon: "group", nhom: "group", "tuyen, khu vuc": "group" },
  ...{ "loai hinh": "kind", "trong diem": "priority", ho: "household", "ma ho": "household" },
  ...{ luong: "url", "dia chi luong": "url", rtsp: "url", "luong phu": "fallback" },
  ...{ "tai khoan": "username", "ten dang nhap": "username", "tep mat khau": "password-file" },
  ...Object.fromEntries(cameraKeys.map((key) => [key, key])),
};

/** Without accents and capitals. */
export const plain = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase().trim();

/** Rows of a table from Excel: CSV with `;`, `,` or tabs, quotes, and a first row of headers in Vietnamese or English. */
export function readTable(text: string): Read<readonly ToldCamera[]> {
  const whole = text.replace(/^\uFEFF/, "");
  const first = whole.slice(0, whole.search(/\r?\n|$/));
  const separator = [";", "\t", ","].find((mark) => first.includes(mark)) ?? ";";
  const [head, ...rows] = rowsOf(whole, separator);
  const titles = (head?.cells ?? []).map(plain);
  if (titles.includes("mat khau") || titles.includes("password")) return bad("password-column");
  const keys = titles.map((title) => headers[title]);
  const strange = titles.find((title, n) => title !== "" && keys[n] === undefined);
  if (strange !== undefined) return bad("unknown-column", { title: strange, known: Object.keys(headers).join(", ") });
  const cameras: ToldCamera[] = [];
  for (const { cells, line } of rows) {
    if (cells.every((cell) => cell === "")) continue;
    const camera = cameraOf(new Map(keys.flatMap((key, column) => (key === undefined ? [] : [[key, cells[column] ?? ""] as const]))));
    if (camera === null) return bad("row-without-id", { line });
    cameras.push(camera);
  }
  return cameras.length === 0 ? bad("no-cameras") : good(cameras);
}

type TableRow = { readonly line: number; readonly cells: readonly string[] };

/** Cells of a table (RFC 4180): in quotes separator and line break are text, and two quotes are one. */
function rowsOf(text: string, separator: string): readonly TableRow[] {
  const rows: { line: number; cells: string[] }[] = [];
  let [line, isQuoted] = [1, false];
  let row = { line, cells: [""] };
  for (let n = 0; n < text.length; n += 1) {
    const char = text[n] ?? "";
    const isDouble = isQuoted && char === '"' && text[n + 1] === '"';
    if (char === "\n") line += 1;
    if (isDouble) n += 1;
    if (char === '"' && !isDouble) isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) row.cells.push("");
    else if (char === "\n" && !isQuoted) {
      rows.push(row);
      row = { line, cells: [""] };
    } else row.cells[row.cells.length - 1] += char;
  }
  // What a cell was broken over is one line of text.
  return [...rows, row].map(({ line: at, cells }) => ({ line: at, cells: cells.map((cell) => cell.replace(/\s*\r?\n\s*/g, " ").trim()) }));
}
