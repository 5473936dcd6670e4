/** A police station in a folder: its own broker, page, authority and people, from the same files as an installed one. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { unsealText } from "../../agent/age.ts";
import type { Draft } from "../../agent/core/message.ts";
import { readEnrolment } from "../../agent/enrolment.ts";
import { addSite } from "../../deploy/station/deeds.ts";
import { found, ownPassword, readRegister } from "../../deploy/station/keep.ts";
import { folderPlace, type Place } from "../../deploy/station/place.ts";
import { type Hub, ownName, type Register } from "../../deploy/station/register.ts";
import { repository } from "./cameras.ts";
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

/** Puts the built board where nginx serves it; returns its address. */
export function servePage({ place, register }: Station, page = join(repository, "dist/board/index.html")): string {
  copyFileSync(page, join(place.page, "index.html"));
  return `https://localhost:${register().ports.https}/`;
}

/** Speaks at the station's broker as whichever box a draft names. */
export type Mouth = { say(draft: Draft): Promise<void>; end(): Promise<void> };

/** By the tools' own account, which may write everything. */
export async function speakAt({ place, register }: Station): Promise<Mouth> {
  const login = { username: ownName, password: ownPassword(place) };
  const client = await connectAsync(`ws://127.0.0.1:${register().ports.websocket}`, { protocolVersion: 5, ...login });
  return {
    say: async ({ topic, payload, qos, retain, expirySeconds }) => {
      const properties = expirySeconds === null ? {} : { messageExpiryInterval: expirySeconds };
      await client.publishAsync(topic, payload, { qos, retain, properties });
    },
    end: () => client.endAsync(true),
  };
}
