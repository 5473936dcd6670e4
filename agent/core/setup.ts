/** What a technician tells of a new site becomes its configuration; what the first minutes recorded becomes the acceptance sheet. */

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
  /** Where its password stands now. */
  readonly passwordFile?: string;
};
export type Told = {
  readonly site: {
    readonly id: string;
    readonly commune: string;
    readonly name: string;
    readonly language?: string;
    readonly state?: string;
  };
  readonly folder: string;
  readonly allowSystemDisk: boolean;
  readonly segment?: string;
  readonly keepMax?: string;
  readonly size?: string;
  readonly station: Readonly<Record<string, string>> | null;
  readonly cameras: readonly ToldCamera[];
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

/** A row of told values, or why it cannot be one. */
export type Read<T> = { readonly kind: "good"; readonly value: T } | { readonly kind: "bad"; readonly what: string };

/** `id=cong-1,name=Cổng làng,url=rtsp://…,username=agent,password-file=F`; a value may hold commas. */
export function readCamera(text: string): Read<ToldCamera> {
  const pairs = text.split(/,(?=[a-z-]+=)/).map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)] as const);
  const unknown = pairs.find(([key]) => !cameraKeys.some((known) => known === key));
  if (unknown !== undefined) return { kind: "bad", what: `${unknown[0] || text}: not one of ${cameraKeys.join(", ")}` };
  return cameraOf(new Map(pairs as readonly (readonly [CameraKey, string])[]));
}

const yes = ["x", "1", "true", "yes", "co"];

function cameraOf(values: ReadonlyMap<CameraKey, string>): Read<ToldCamera> {
  const told = (key: CameraKey) => values.get(key)?.trim() || undefined;
  const id = told("id");
  if (id === undefined) return { kind: "bad", what: "a camera without id" };
  const priority = told("priority");
  const texts = (["name", "group", "kind", "household", "url", "fallback", "onvif", "username"] as const).map(
    (key) => [key, told(key)] as const,
  );
  return {
    kind: "good",
    value: {
      id,
      ...Object.fromEntries(texts.filter(([, value]) => value !== undefined)),
      ...(priority !== undefined && yes.includes(plain(priority)) ? { priority: true } : {}),
      ...(told("password-file") === undefined ? {} : { passwordFile: told("password-file") ?? "" }),
    },
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

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase().trim();

/** Rows of a table from Excel: CSV with `;`, `,` or tabs, quotes, and a first row of headers in Vietnamese or English. */
export function readTable(text: string): Read<readonly ToldCamera[]> {
  const [first = "", ...lines] = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const separator = [";", "\t", ","].find((mark) => first.includes(mark)) ?? ";";
  const titles = cellsOf(first, separator).map(plain);
  const keys = titles.map((title) => headers[title]);
  if (titles.includes("mat khau") || titles.includes("password"))
    return { kind: "bad", what: "line 1: passwords do not belong in a table; name a file for each (tệp mật khẩu)" };
  const strange = titles.find((title, n) => title !== "" && keys[n] === undefined);
  if (strange !== undefined)
    return { kind: "bad", what: `line 1: column "${strange}" is not known; known are ${Object.keys(headers).join(", ")}` };
  const cameras: ToldCamera[] = [];
  for (const [n, line] of lines.entries()) {
    if (line.replaceAll(separator, "").trim() === "") continue;
    const cells = cellsOf(line, separator);
    const row = cameraOf(new Map(keys.flatMap((key, column) => (key === undefined ? [] : [[key, cells[column] ?? ""] as const]))));
    if (row.kind === "bad") return { kind: "bad", what: `line ${n + 2}: ${row.what}` };
    cameras.push(row.value);
  }
  return cameras.length === 0 ? { kind: "bad", what: "there is no camera in it" } : { kind: "good", value: cameras };
}

/** Cells of a line; in quotes a separator is text, and two quotes are one. */
function cellsOf(line: string, separator: string): string[] {
  const cells = [""];
  let isQuoted = false;
  for (let n = 0; n < line.length; n += 1) {
    const char = line[n] ?? "";
    const isDouble = isQuoted && char === '"' && line[n + 1] === '"';
    if (isDouble) n += 1;
    if (char === '"' && !isDouble) isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) cells.push("");
    else cells[cells.length - 1] += char;
  }
  return cells.map((cell) => cell.trim());
}

/** The configuration as YAML; strings are JSON's, which are YAML's too. `block`: a `cameras:` block that is ready, instead of the told ones. */
export function siteText(told: Told, secrets: string, block: string | null): string {
  const { site, folder, station, cameras } = told;
  const keep = told.keepMax === undefined ? [] : [`keep: { max: ${told.keepMax} }`];
  const size = told.size === undefined ? [] : [`limit: { size: ${told.size} }`];
  const segment = told.segment === undefined ? [] : [`segment: ${told.segment}`];
  const allow = told.allowSystemDisk ? ["allowSystemDisk: true"] : [];
  const households = [...new Set(cameras.flatMap(({ household }) => (household === undefined ? [] : [household])))];
  return `${[
    "site:",
    ...linesOf(site),
    "recording:",
    `  folder: ${quoted(folder)}`,
    ...[...allow, ...segment, ...keep, ...size].map((line) => `  ${line}`),
    ...(station === null ? [] : ["station:", ...linesOf(station)]),
    ...(block === null ? ["cameras:", ...cameras.flatMap((camera) => cameraLines(camera, secrets))] : [block]),
    ...(households.length === 0 ? [] : ["households:", ...households.map((id) => `  - { id: ${quoted(id)} }`)]),
  ].join("\n")}\n`;
}

const quoted = (text: string) => JSON.stringify(text);
const linesOf = (values: Readonly<Record<string, string | undefined>>) =>
  Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [`  ${key}: ${quoted(value)}`]));

function cameraLines({ passwordFile, priority, kind, ...texts }: ToldCamera, secrets: string): string[] {
  const lines = [
    ...Object.entries(texts).map(([key, value]) => `${key}: ${quoted(value)}`),
    ...(kind === undefined ? [] : [`kind: ${/^\d+$/.test(kind) ? kind : quoted(kind)}`]),
    ...(priority === true ? ["priority: true"] : []),
    ...(passwordFile === undefined ? [] : [`passwordFile: ${quoted(`${secrets}/${texts.id}`)}`]),
  ];
  return lines.map((line, n) => (n === 0 ? `  - ${line}` : `    ${line}`));
}

/** One camera as its first files show it. null: it could not be told. */
export type Accepted = {
  readonly id: string;
  readonly name: string;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly bitsPerSecond: number | null;
  readonly keyEveryMs: number | null;
  readonly clockOffsetMs: number | null;
  /** Days that the disk keeps at what all cameras send now; never more than the configuration allows. */
  readonly days: number | null;
};

const dayMs = 86_400_000;

/** How long a disk keeps what so many bits a second write; at most `mostMs`. */
export function daysKept(roomBytes: number, bitsPerSecond: number, mostMs: number): number | null {
  if (bitsPerSecond <= 0 || roomBytes <= 0) return null;
  return Math.floor(Math.min(mostMs, (roomBytes * 8_000) / bitsPerSecond) / (dayMs / 10)) / 10;
}
