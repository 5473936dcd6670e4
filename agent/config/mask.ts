/** A configuration that may leave the box: its shape, ids, addresses and figures; nothing that a person wrote freely, and nothing that we do not know. */

/** A key or a value of a configuration's text. */
export type Scalar = {
  readonly startAt: number;
  readonly endAt: number;
  readonly isKey: boolean;
  /** Of a value: the key that it belongs to, also through a list. */
  readonly key: string;
  readonly value: string;
};

const word = /^[\w.:%-]{1,64}$/;
const path = /^\/[\w./-]*$/;
const address = /^[a-z]+:\/\/[^\s"'@]+$/i;
const id = /^[a-z0-9-]{2,32}$/;
const figure = /^(\d[\w.:+-]*|true|false|null)$/;
const driver = /^[a-z]{2,12}$/;
/** What each setting's value may look like to be shown; a setting that is not here is free text, or none of ours. */
const shown: Readonly<Record<string, RegExp>> = {
  ...{ id, commune: id, household: id, language: driver, driver, transport: driver, reach: driver },
  ...{ state: path, folder: path, ca: path, cert: path, key: path, path, offset: path },
  // Where somebody wrote the password itself into it, it has hardly two folders.
  passwordFile: /^(\/[\w.-]+){2,}$/,
  ...{ url: address, fallback: address, onvif: address },
  ...{ allowPlain: figure, allowSystemDisk: figure, audio: figure, setClock: figure, priority: figure },
  ...{
    segment: figure,
    sync: figure,
    min: figure,
    max: figure,
    size: figure,
    free: figure,
    keeps: figure,
    days: figure,
    weakBelow: /^-?\d+$/,
  },
  ...{ kind: figure, since: figure, from: figure, to: figure, checked: figure, port: figure, line: figure },
  ...{ router: word, host: word, interface: word, ups: word, chip: word },
};
const keyShape = /^[a-zA-Z]{2,24}$/;
/** Masked where they stand; everywhere else they are common words: agent, admin, thôn. */
const notSecret = new Set(["username", "areaWord"]);

const isShown = ({ isKey, key, value }: Scalar): boolean => (isKey ? keyShape.test(value) : (shown[key]?.test(value) ?? false));

/** The text with all that is not shown, comments and what cannot be read as YAML included, as `***`. Lines stay lines. */
export function maskConfig(text: string, scalars: readonly Scalar[]): string {
  let masked = "";
  let doneAt = 0;
  for (const scalar of scalars) {
    if (scalar.startAt < doneAt || !isShown(scalar)) continue;
    masked += blank(text.slice(doneAt, scalar.startAt)) + text.slice(scalar.startAt, scalar.endAt);
    doneAt = scalar.endAt;
  }
  return masked + blank(text.slice(doneAt));
}

/** Only what gives YAML its shape is left. */
const blank = (text: string): string =>
  text.replace(/#.*/g, "# ***").replace(/[^\s{}[\],:#*-][^\s{}[\],:#]*([ \t]+[^\s{}[\],:#-][^\s{}[\],:#]*)*/g, "***");

/** The free texts that were masked, longest first: they are looked for in everything else. */
export function privateTexts(scalars: readonly Scalar[]): readonly string[] {
  const texts = scalars.filter((scalar) => !scalar.isKey && !isShown(scalar) && !notSecret.has(scalar.key)).map(({ value }) => value);
  return [...new Set(texts.filter((text) => !figure.test(text) || /\d{6}/.test(text)))].sort((a, b) => b.length - a.length);
}

/** The files that hold passwords. */
export const passwordFiles = (scalars: readonly Scalar[]): readonly string[] =>
  scalars.flatMap(({ isKey, key, value }) => (!isKey && key === "passwordFile" && path.test(value) ? [value] : []));
/** The first value of a key; null: there is none. */
export const firstOf = (scalars: readonly Scalar[], name: string): string | null =>
  scalars.find(({ isKey, key }) => !isKey && key === name)?.value ?? null;
