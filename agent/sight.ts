/** What is seen around a camera that does not record: its own knocks, who else is gone, who answers, what the box feels. */
import type { Clock } from "../hal/ports.ts";
import type { Settings } from "./config/schema.ts";
import { blame, type HouseSight, type Sight } from "./core/blame.ts";
import { lostMs } from "./core/condition.ts";
import { isLineWeak } from "./core/stream.ts";
import type { Claim, MonoMs } from "./core/types.ts";
import type { Eye } from "./eye.ts";
import type { Gate } from "./gate.ts";
import type { Senses } from "./sense.ts";

/** Where a camera stands, from the configuration. */
export type Place = { readonly household: string | null; readonly reach: "lan" | "wan"; readonly holdsBox: boolean };

export type SightDeps = {
  readonly clock: Clock;
  readonly gate: Pick<Gate, "value">;
  readonly eyes: ReadonlyMap<string, Eye>;
  readonly senses: Senses;
  readonly placeOf: (camera: string) => Place;
  readonly households: () => readonly string[];
};

/** Where a camera stands, from the configuration: a site without households is one house, and the box stands in it. */
export function placeIn({ cameras, households, site }: Settings, camera: string): Place {
  const household = cameras.find((entry) => entry.id === camera)?.household ?? null;
  const reach = households.find((entry) => entry.id === household)?.reach ?? "lan";
  return { household, reach, holdsBox: household !== null && household === site.household };
}

/** No frame for so long: who lives with the camera is asked before it is given up. */
const suspectMs = 2_500;

/** Is a camera of this household silent now? */
export function isSuspected({ clock, eyes, placeOf }: Pick<SightDeps, "clock" | "eyes" | "placeOf">, household: string): boolean {
  const isSilent = ({ reason, lastFrameMonoMs }: Eye) =>
    reason !== null || (lastFrameMonoMs !== null && clock.monoMs() - lastFrameMonoMs > suspectMs);
  return [...eyes.values()].some((eye) => placeOf(eye.camera).household === household && isSilent(eye));
}

/** A camera that was lost so much earlier than another did not go with it, and is no witness. */
const togetherMs = 120_000;

/** The cause of a hole as far as it is known now. */
export const claimFor = (deps: SightDeps, eye: Eye): Claim => blame(sightOf(deps, eye));

function sightOf(deps: SightDeps, eye: Eye): Sight {
  const others = [...deps.eyes.values()].filter((other) => other !== eye && (isReached(deps, other) || wentTogether(eye, other)));
  return {
    ...{ camera: eye.camera, disk: deps.gate.value(), reason: eye.reason, answers: eye.answers },
    ...{ knocks: eye.knocks, knocksLost: eye.knocksLost, line: eye.line },
    ...{ others: others.length, othersReached: others.filter((other) => isReached(deps, other)).length },
    routersAnswering: deps.households().filter((id) => deps.senses.router(id) === true).length,
    house: houseOf(deps, eye, others),
    ...{ power: deps.senses.power().value, link: deps.senses.link().value, isLineWeak: isLineWeak(eye.choice, eye.ended?.stream ?? null) },
  };
}

function houseOf(deps: SightDeps, eye: Eye, others: readonly Eye[]): HouseSight | null {
  const { household, reach, holdsBox } = deps.placeOf(eye.camera);
  if (household === null) return null;
  const inside = others.filter((other) => deps.placeOf(other.camera).household === household);
  return {
    ...{ id: household, reach, holdsBox, router: deps.senses.router(household) },
    ...{ others: inside.length, othersReached: inside.filter((other) => isReached(deps, other)).length },
  };
}

/** It records, or answers at its port since it failed. */
function isReached(deps: SightDeps, eye: Eye): boolean {
  if (eye.answers === true) return true;
  return eye.lastFrameMonoMs !== null && deps.clock.monoMs() - eye.lastFrameMonoMs < lostMs;
}

function wentTogether(eye: Eye, other: Eye): boolean {
  const last = (at: MonoMs | null) => at ?? Number.NEGATIVE_INFINITY;
  if (eye.reachedMonoMs === null || other.reachedMonoMs === null) return eye.reachedMonoMs === other.reachedMonoMs;
  return last(other.reachedMonoMs) > eye.reachedMonoMs - togetherMs;
}
