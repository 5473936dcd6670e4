/** What a technician would look at of one camera: its login, its stream, and what the recorded footage says of it. */
import type { Credential, Machine } from "../../hal/ports.ts";
import { readSecret } from "../config/rules.ts";
import type { CameraSettings } from "../config/schema.ts";
import { acquaintanceOf, clockTrouble, streamAt } from "../core/acquaintance.ts";
import type { Check } from "../core/checkup.ts";
import { factoryLogin, isFactoryPassword } from "../core/factory.ts";
import { weakSigns } from "../core/line.ts";
import { segmentPath } from "../core/path.ts";
import { isTrouble } from "../core/picture.ts";
import { evidenceText, offsetText, wordsIn } from "../core/words.ts";
import { clockOf } from "../query.ts";
import { check, type DoctorMeans, doorMs, type Patient } from "./patient.ts";

const dayMs = 86_400_000;
const lookMs = 5_000;
/** Key frames further apart cost as much footage at every cut, and no viewer can seek. */
const sparseMs = 5_000;

export async function aboutCamera(patient: Patient, means: DoctorMeans, camera: CameraSettings, signal: AbortSignal): Promise<Check[]> {
  const id = `camera/${camera.id}`;
  const name = camera.name ?? camera.id;
  const known = acquaintanceOf(patient.asking?.reads.meta(`known ${camera.id}`) ?? null);
  const url = streamAt(camera, known);
  if (camera.manual !== undefined || url === null)
    return [check(id, "camera-nowhere", { name }, camera.manual === undefined ? "onvif" : "manual")];
  const credential =
    camera.username === undefined || camera.passwordFile === undefined
      ? null
      : { username: camera.username, password: secretOf(camera.passwordFile) };
  const exposed = patient.triesDefaults ? await aboutDefault(means, { id, name, url, make: makeOf(known) }, credential, signal) : null;
  if (exposed !== null) return [exposed];
  const view = await means.streams.look(url, credential, lookMs, signal);
  if (view.kind === "failed") {
    const isHung = view.reason === "timeout" && (await isOpen(means.machine, url));
    return [
      isHung ? check(id, "camera-stalled", { name }, "its port opens, RTSP does not answer") : aboutRefusal(id, name, camera, view.reason),
    ];
  }
  const row = patient.status?.running === true ? patient.status.cameras.find((entry) => entry.id === camera.id) : undefined;
  if (row?.state === "not-recording")
    return [
      check(id, row.why === "silent" || row.why === "no-frames" ? "camera-stalled" : "camera-down", { name, id: camera.id }, row.why ?? ""),
    ];
  const last = lastFile(patient, camera.id);
  const problems = await aboutStream(patient, means, camera, last, signal);
  if (problems.length > 0) return problems;
  const seen = last === null ? null : await means.remux.look(last, signal);
  const [width, height] = [view.width ?? seen?.width, view.height ?? seen?.height];
  return [check(id, "camera-good", { name, codec: view.codec ?? "?", size: width && height ? ` ${width}x${height}` : "" }, "DESCRIBE")];
}

const makeOf = ({ make, model }: { readonly make: string | null; readonly model: string | null }) => `${make ?? ""} ${model ?? ""}`;

/** Does it let anybody in? One try of the login that its maker ships: cameras lock out who tries often. */
async function aboutDefault(
  { streams }: DoctorMeans,
  { id, name, url, make }: { readonly id: string; readonly name: string; readonly url: string; readonly make: string },
  credential: Credential | null,
  signal: AbortSignal,
): Promise<Check | null> {
  if (credential !== null && isFactoryPassword(credential.password)) return check(id, "camera-default", { name }, "its password file");
  const bare = await streams.look(url, null, lookMs, signal);
  if (bare.kind === "ok") return check(id, "camera-open", { name }, "DESCRIBE without login");
  if (bare.reason !== "password") return null;
  const shipped = await streams.look(url, factoryLogin(make.trim() || bare.server), lookMs, signal);
  return shipped.kind === "ok" ? check(id, "camera-default", { name }, "one try of the maker's login") : null;
}

async function isOpen(machine: Machine, url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const door = await machine.door({ host: hostname, port: Number(port || 554), tls: null }, doorMs);
  return door.kind === "open";
}

/** Path of the camera's newest closed file of the last day. */
function lastFile({ asking, settings }: Patient, camera: string): string | null {
  if (asking === null) return null;
  const { reads, dating, nowAt } = asking;
  const last = reads.segmentsTouching(camera, { fromAt: dating.fromUtc(nowAt - dayMs), toAt: dating.fromUtc(nowAt) + 1 }).at(-1);
  return last === undefined ? null : `${settings.recording.folder}/${segmentPath(last)}`;
}

function aboutRefusal(id: string, name: string, camera: CameraSettings, reason: string): Check {
  if (reason === "password") return check(id, "camera-password", { name, file: camera.passwordFile ?? "passwordFile" }, "RTSP 401");
  if (reason === "not-found") return check(id, "camera-no-stream", { name }, "RTSP 404");
  return check(id, "camera-silent", { name }, reason);
}

/** What the recorded footage says of a camera. */
async function aboutStream(
  { asking, settings, status }: Patient,
  { remux }: DoctorMeans,
  camera: CameraSettings,
  last: string | null,
  signal: AbortSignal,
): Promise<Check[]> {
  if (asking === null) return [];
  const id = `camera/${camera.id}`;
  const name = camera.name ?? camera.id;
  const { reads } = asking;
  const groupMs = last === null ? null : await remux.groupMs(last, signal);
  const clock = clockOf(reads, camera.id);
  const isOff = clock !== null && clockTrouble(clock) !== null;
  const line = status?.cameras.find((entry) => entry.id === camera.id)?.line ?? null;
  const signs = line === null ? [] : weakSigns(line).map((sign) => evidenceText(sign, settings.site.language));
  const picture = status?.cameras.find((entry) => entry.id === camera.id)?.picture?.value ?? "unknown";
  const pictureText = wordsIn(settings.site.language).pictures.values[picture];
  return [
    ...(isTrouble(picture)
      ? [check(id, "camera-picture", { name, id: camera.id, picture: pictureText }, "key frames of the last files")]
      : []),
    ...(signs.length > 0 ? [check(id, "camera-line", { name, signs: signs.join("; ") }, "ss -ti")] : []),
    ...(reads.camera(camera.id)?.arrivalTimes === true
      ? [check(id, "camera-timestamps", { name }, "timestamps stand still or run wrong")]
      : []),
    ...(groupMs !== null && groupMs > sparseMs
      ? [check(id, "camera-sparse", { name, seconds: Math.round(groupMs / 1_000) }, "key frames of the last file")]
      : []),
    ...(isOff
      ? [
          check(
            id,
            "camera-clock",
            { name, length: offsetText(clock.offsetMs ?? 0, settings.site.language) },
            "clock asked over the network",
          ),
        ]
      : []),
  ];
}

/** Empty where the file cannot be read: the camera will refuse it, and the reason stands in the configuration's check. */
function secretOf(file: string): string {
  try {
    return readSecret(file);
  } catch {
    return "";
  }
}
