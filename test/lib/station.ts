/** A police station in a folder: its own broker, page, authority and people, from the same files as an installed one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unsealText } from "../../agent/age.ts";
import { readEnrolment } from "../../agent/enrolment.ts";
import { addSite } from "../../deploy/station/deeds.ts";
import { found, readRegister } from "../../deploy/station/keep.ts";
import { folderPlace, type Place } from "../../deploy/station/place.ts";
import type { Hub, Register } from "../../deploy/station/register.ts";
import { freePort, tempFolder } from "./temp.ts";

export type Station = { readonly place: Place; readonly root: string; register(): Register };

export async function makeStation(commune = "nghia-phuong", hub: Hub = { kind: "none" }): Promise<Station> {
  const place = folderPlace(tempFolder("station"));
  const ports = { mqtts: await freePort(), https: await freePort(), websocket: await freePort() };
  const first = found(place, { commune, name: "Công an xã Nghĩa Phương", language: "vi", hosts: ["127.0.0.1", "localhost"], ports, hub });
  return { place, root: `matghi/v1/${commune}`, register: () => readRegister(place) ?? first };
}

let files = 0;

/** A site's identity, as a box has it after it took its file in. */
export function enlist({ place }: Station, id: string): { readonly id: string } & Required<{ cert: string; key: string }> {
  files += 1;
  const { file, code } = addSite(place, id, join(place.run, `${id}-${files}.matghi`));
  const opened = unsealText(readFileSync(file, "utf8"), code);
  const enrolment = opened.kind === "open" ? readEnrolment(opened.text) : null;
  if (enrolment === null) throw new Error("the enrolment file does not open");
  return { id, cert: enrolment.cert, key: enrolment.key };
}
