/** Who is on the networks, and what each says of itself with one login: for the technician, once, on request. */

import type { CameraPort, Credential, Discovery, FoundDevice, StreamLook, StreamView } from "../hal/ports.ts";
import type { FoundCamera, FoundStream } from "./core/found.ts";
import { usualStreams } from "./core/found.ts";

export type SurveyMeans = { readonly discovery: Discovery; readonly cameras: CameraPort; readonly streams: StreamLook };
export type SurveyOptions = {
  /** null: all that are there. */
  readonly interface: string | null;
  /** Knock at the RTSP ports of the local networks too. */
  readonly knock: boolean;
  readonly credential: Credential | null;
  readonly searchMs?: number;
};
export type Survey = {
  readonly cameras: readonly FoundCamera[];
  readonly remarks: readonly string[];
  /** Asks one of them once more, with a login of its own. */
  readonly again: (camera: FoundCamera, credential: Credential | null, signal: AbortSignal) => Promise<FoundCamera>;
};

/** Slow cameras take up to two seconds to answer a search. */
const standardSearchMs = 4_000;
const rtspPorts = [554, 8554];
/** Where ONVIF answers of cameras that a search does not reach: the standard port, and those that some makes use. */
const onvifPorts = [80, 8899, 2020];
/** So many cameras are asked at once. */
const askedAtOnce = 2;
const lookMs = 3_000;

/** Never rejects. Each camera's login is tried at most once on its ONVIF and once on its RTSP side: cameras lock out who tries often. */
export async function survey(means: SurveyMeans, options: SurveyOptions, signal: AbortSignal): Promise<Survey> {
  const { discovery } = means;
  const { interface: name, credential } = options;
  const { devices, remarks } = await discovery.search({ interface: name, timeoutMs: options.searchMs ?? standardSearchMs }, signal);
  const answered = new Set(devices.map(({ address }) => address));
  const open = options.knock ? await discovery.knockAll({ interface: name, ports: rtspPorts }, signal) : [];
  const doors = byAddress(open.filter(({ address }) => !answered.has(address)));
  const asks = [
    ...devices.map((device) => () => describe(means, device, credential, signal)),
    ...doors.map((door) => () => describeDoor(means, door, credential, signal)),
  ];
  const cameras = await someAtOnce(asks);
  // Asked last: whoever was spoken to is known by now.
  const neighbours = await discovery.neighbours();
  const known = (camera: FoundCamera) => ({ ...camera, mac: camera.mac ?? neighbours.get(camera.address) ?? null });
  return {
    cameras: cameras.map(known).sort((a, b) => orderOf(a.address) - orderOf(b.address)),
    remarks,
    again: async (camera, login, stop) => {
      const door = doors.find(({ address }) => address === camera.address);
      if (door !== undefined) return known(await describeDoor(means, door, login, stop));
      if (camera.xaddr === null) return camera;
      return known(await describe(means, { ...camera, xaddr: camera.xaddr, endpoint: null, interface: "" }, login, stop));
    },
  };
}

const orderOf = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

type OpenDoor = { readonly address: string; readonly ports: readonly number[] };

function byAddress(open: readonly { readonly address: string; readonly port: number }[]): readonly OpenDoor[] {
  const addresses = [...new Set(open.map(({ address }) => address))];
  return addresses.map((address) => ({ address, ports: open.filter((door) => door.address === address).map(({ port }) => port) }));
}

async function someAtOnce<T>(asks: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const results: T[] = [];
  const rest = asks.entries();
  const worker = async () => {
    for (const [n, ask] of rest) results[n] = await ask();
  };
  await Promise.all(Array.from({ length: askedAtOnce }, worker));
  return results;
}

const nothing = { xaddr: null, make: null, model: null, serial: null, mac: null, firmware: null, clockOffsetMs: null, profiles: [] };

/** A camera that answered the search. */
async function describe(
  { cameras }: SurveyMeans,
  device: FoundDevice,
  credential: Credential | null,
  signal: AbortSignal,
): Promise<FoundCamera> {
  const { address, xaddr, make, model } = device;
  const facts = await cameras.describe({ xaddr, credential }, signal);
  if (facts.kind === "failed") return { ...nothing, address, xaddr, make, model, problem: facts.reason };
  const { serial, mac, firmware, time } = facts;
  return {
    ...{ address, xaddr, make: facts.make ?? make, model: facts.model ?? model, serial, mac, firmware },
    ...{ clockOffsetMs: time.offsetMs, profiles: facts.profiles.map(({ snapshotUrl: _, ...stream }) => stream), problem: null },
  };
}

/** A camera that only opened its RTSP port: it may speak ONVIF all the same, where the search did not reach it. */
async function describeDoor(means: SurveyMeans, door: OpenDoor, credential: Credential | null, signal: AbortSignal): Promise<FoundCamera> {
  const spoken = await describeAt(means, door.address, credential, signal);
  if (spoken?.problem === null) return spoken;
  const seen = await tryUsual(means, door, credential, signal);
  // What refused the login on its ONVIF side may have another login there.
  return seen.profiles.length === 0 && spoken !== null ? spoken : { ...nothing, address: door.address, ...seen };
}

/** Asks for ONVIF where it usually is; null: nobody speaks it there. */
async function describeAt(
  means: SurveyMeans,
  address: string,
  credential: Credential | null,
  signal: AbortSignal,
): Promise<FoundCamera | null> {
  for (const port of onvifPorts) {
    const xaddr = `http://${address}${port === 80 ? "" : `:${port}`}/onvif/device_service`;
    const device = { address, xaddr, endpoint: null, make: null, model: null, interface: "" };
    const camera = await describe(means, device, credential, signal);
    if (camera.problem === null || camera.problem === "password") return camera;
    if (camera.problem === "timeout" || camera.problem === "stopped") return null;
  }
  return null;
}

type Seen = Pick<FoundCamera, "profiles" | "problem">;

/** Goes through the usual addresses until one shows a stream, or the login is refused. */
async function tryUsual({ streams }: SurveyMeans, door: OpenDoor, credential: Credential | null, signal: AbortSignal): Promise<Seen> {
  const at = (path: string) => `rtsp://${door.address}:${door.ports[0] ?? 554}${path}`.replace(/:554(?=\/)/, "");
  const look = (path: string, login: Credential | null) => streams.look(at(path), login, lookMs, signal);
  // Without a login first: what it calls itself says which addresses to try before all others.
  const greeting = await look("/", null);
  const paths = usualStreams(greeting.kind === "failed" ? greeting.server : "");
  for (const { main, sub } of paths) {
    const view = await look(main, credential);
    if (view.kind === "ok") {
      const second = sub === null ? null : await look(sub, credential);
      const streams = [
        streamOf("main", at(main), view),
        ...(sub === null || second?.kind !== "ok" ? [] : [streamOf("sub", at(sub), second)]),
      ];
      return { profiles: streams, problem: null };
    }
    if (view.reason !== "not-found") return { profiles: [], problem: view.reason };
  }
  return { profiles: [], problem: "no-stream" };
}

function streamOf(token: string, url: string, { codec, width, height, fps }: Extract<StreamView, { kind: "ok" }>): FoundStream {
  return { token, codec, width, height, fps, url };
}
