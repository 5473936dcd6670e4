/** Each camera's line while it records: what its connection says, and its rate beside the usual one. Read every ten seconds; nothing is sent. */
import type { Clock, Wire, Wires } from "../hal/ports.ts";
import { hostOf } from "./core/acquaintance.ts";
import { lostMs } from "./core/condition.ts";
import { usualRate } from "./core/drawn.ts";
import { type CameraLine, wireSigns } from "./core/line.ts";
import { streamOf } from "./core/stream.ts";
import type { Eye } from "./eye.ts";
import type { Log } from "./log.ts";
import type { Patrol } from "./patrol.ts";
import type { Store } from "./store/store.ts";

export type LinesDeps = {
  readonly clock: Clock;
  readonly store: Pick<Store, "drawnHours">;
  readonly log: Log;
  readonly wires: Wires;
  readonly eyes: ReadonlyMap<string, Eye>;
  readonly patrol: Pick<Patrol, "where">;
};

const lookEveryMs = 10_000;
const rtspPort = 554;
const hourMs = 3_600_000;
/** Days whose same hour tells what is usual. */
const daysBack = [1, 2, 3, 4, 5, 6, 7];

/** Looks until `signal` aborts. A camera that fell silent keeps what was seen before: that tells of its fall. */
export async function watchLines(deps: LinesDeps, signal: AbortSignal): Promise<void> {
  const before = new Map<string, Wire>();
  while (!signal.aborted) {
    await deps.clock.sleep(lookEveryMs, signal);
    try {
      await look(deps, before, signal);
    } catch (error) {
      deps.log.error({ err: String(error) }, "the cameras' lines could not be looked at; it is tried again");
    }
  }
}

async function look(deps: LinesDeps, before: Map<string, Wire>, signal: AbortSignal): Promise<void> {
  const places = [...deps.eyes.values()].filter((eye) => isRecording(deps, eye)).map((eye) => ({ eye, ...placeOf(deps, eye) }));
  const ports = [...new Set(places.flatMap(({ port }) => port ?? []))];
  const wires = (await deps.wires.read(ports, signal)) ?? [];
  if (signal.aborted) return;
  for (const { eye, host, port } of places) {
    const wire = busiest(wires.filter((one) => one.address === host && one.port === port));
    const last = before.get(eye.camera);
    eye.line = { ...wireSigns(last?.localPort === wire?.localPort ? (last ?? null) : null, wire), ...ratesOf(deps, eye) };
    if (wire === null) before.delete(eye.camera);
    else before.set(eye.camera, wire);
  }
}

const isRecording = ({ clock }: LinesDeps, { reason, lastFrameMonoMs }: Eye) =>
  reason === null && lastFrameMonoMs !== null && clock.monoMs() - lastFrameMonoMs < lostMs;

function placeOf({ patrol }: LinesDeps, { camera, choice }: Eye): { readonly host: string | null; readonly port: number | null } {
  const where = patrol.where(camera, streamOf(choice));
  if (where.kind === "nowhere") return { host: null, port: null };
  return { host: hostOf(where.url).replace(/^\[|\]$/g, ""), port: Number(new URL(where.url).port) || rtspPort };
}

/** Others on this box may look at a camera too; the recorder has its stream for longest. */
const busiest = (wires: readonly Wire[]): Wire | null =>
  wires.reduce<Wire | null>((most, wire) => (most === null || wire.receivedBytes > most.receivedBytes ? wire : most), null);

function ratesOf({ store }: LinesDeps, { camera, lastFile }: Eye): Pick<CameraLine, "bytesPerSecond" | "usualBytesPerSecond"> {
  // What is usual is the main stream's.
  if (lastFile?.stream !== "main") return { bytesPerSecond: null, usualBytesPerSecond: null };
  const hourAt = Math.floor(lastFile.startAt / hourMs) * hourMs;
  const usual = usualRate(
    store.drawnHours(
      camera,
      daysBack.map((day) => hourAt - day * 24 * hourMs),
    ),
  );
  return { bytesPerSecond: Math.round((lastFile.bytes / lastFile.ms) * 1_000), usualBytesPerSecond: usual };
}
