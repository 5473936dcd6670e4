/** What a setup will write, as a whole, before any of it is written. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Settings } from "../../config/schema.ts";
import { formatProblem, loadConfig } from "../../config.ts";
import { redact } from "../../core/scrub.ts";
import { siteText, type Told } from "../../core/setup.ts";
import { bad, good, type Read } from "../../core/told.ts";
import { tunnelText } from "../../core/tunnel.ts";
import { fill } from "../../core/words.ts";
import type { Enrolment } from "../../enrolment.ts";
import { exit, Refusal, surroundingRules } from "../context.ts";
import { modes, placesOf } from "../envelope.ts";
import { type Desk, wordsAt } from "./desk.ts";
import type { Piece } from "./files.ts";
import { folderOf, placeText } from "./place.ts";
import { camerasOf } from "./round.ts";
import { filed, type Keyed, type Secrets, secretIn } from "./secret.ts";
import { enrolmentOf, siteOf, stationOf } from "./site.ts";

export type Plan = {
  readonly text: string;
  readonly settings: Settings;
  /** Everything that the configuration names. */
  readonly pieces: readonly Piece[];
  /** What a person reads before agreeing. */
  readonly shown: readonly string[];
  /** Interface of the tunnel through which the station is reached; null: there is none. */
  readonly tunnel: string | null;
};

/** By options, and by asking for what they leave open. Throws a Refusal; writes nothing. */
export async function planOf(desk: Desk): Promise<Plan> {
  const enrolment = await enrolmentOf(desk);
  const site = await siteOf(desk, enrolment);
  const folder = await folderOf(desk);
  const stationSecret = join(desk.secrets, "station");
  const station = stationOf(desk, enrolment, stationSecret);
  const toldWith = (cameras: Told["cameras"]): Told => toldOf(desk, { site, folder, station, cameras });
  const problemsWith = (keyed: readonly Keyed[]) => {
    const checked = tried(desk.file, siteText(toldWith(filed(keyed, desk.secrets).cameras)));
    return checked.kind === "good" ? [] : [checked.why];
  };
  const { cameras, secrets } = filed(await camerasOf(desk, problemsWith), desk.secrets);
  const text = siteText(toldWith(cameras));
  const checked = tried(desk.file, text);
  if (checked.kind === "bad")
    throw new Refusal(exit.wrongUse, `${checked.why}\nnothing was written; the text was:\n${redact(text.trimEnd(), [])}`.split("\n"));
  const { stationPasswordFile } = desk.options;
  const all: Secrets = stationPasswordFile === undefined ? secrets : new Map([...secrets, [stationSecret, secretIn(stationPasswordFile)]]);
  const belongings = enrolment === null ? [] : enrolmentPieces(desk, enrolment);
  const pieces = [...secretPieces(all), ...belongings];
  return {
    ...{ text, settings: checked.value, pieces },
    shown: await shownOf(desk, text, folder, all, belongings),
    tunnel: enrolment?.tunnel === undefined ? null : basename(desk.options.tunnelFile, ".conf"),
  };
}

function toldOf({ options }: Desk, known: Pick<Told, "site" | "folder" | "station" | "cameras">): Told {
  const { segment, keepMax, size } = options;
  return {
    ...{ ...known, allowSystemDisk: options.allowSystemDisk === true },
    ...(segment === undefined ? {} : { segment }),
    ...(keepMax === undefined ? {} : { keepMax }),
    ...(size === undefined ? {} : { size }),
  };
}

/** Checks the text as the file that it will be. */
function tried(file: string, text: string): Read<Settings, string> {
  const folder = mkdtempSync(join(tmpdir(), "matghi-setup-"));
  try {
    const temporary = join(folder, "site.yaml");
    writeFileSync(temporary, text, { mode: 0o600 });
    // What it names is not there yet.
    const loaded = loadConfig(
      temporary,
      surroundingRules.filter((rule) => rule !== "system-disk"),
    );
    if (loaded.kind === "good") return good(loaded.settings);
    return bad(loaded.problems.map((problem) => formatProblem(file, problem)).join("\n"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const secretPieces = (secrets: Secrets): readonly Piece[] =>
  [...secrets].map(([path, password]) => ({ path, text: `${password}\n`, mode: 0o600, folderMode: 0o750, reader: "agent" }));

/** wg-quick reads the tunnel as root: nobody else may. */
function enrolmentPieces({ file, options }: Desk, enrolment: Enrolment): readonly Piece[] {
  const places = placesOf(file);
  const parts = (["ca", "cert", "key"] as const).map(
    (part): Piece => ({ path: places[part], text: enrolment[part], mode: modes[part], folderMode: 0o755, reader: "agent" }),
  );
  if (enrolment.tunnel === undefined) return parts;
  const tunnel = tunnelText(enrolment.tunnel);
  return [...parts, { path: options.tunnelFile, text: tunnel, mode: 0o600, folderMode: 0o700, reader: "root" }];
}

async function shownOf(
  desk: Desk,
  text: string,
  folder: string,
  secrets: Secrets,
  belongings: readonly Piece[],
): Promise<readonly string[]> {
  const words = wordsAt(desk);
  const lines = text.trimEnd().split("\n");
  return [
    fill(words.will, { file: desk.file }),
    ...lines.map((line) => `  ${line}`),
    fill(words.footage, { place: (await placeText(desk, folder)) ?? folder }),
    ...(secrets.size === 0 ? [] : [fill(words.secrets, { files: [...secrets.keys()].join(", ") })]),
    ...(belongings.length === 0 ? [] : [fill(words.station, { files: belongings.map(({ path }) => path).join(", ") })]),
  ];
}
