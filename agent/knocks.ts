/** What goes on between two tries of a camera's recorder: who answers at its port, which login there is, what its clock says. */
import type { CameraClock, Clock, Credential, Knock } from "../hal/ports.ts";
import { streamOf } from "./core/stream.ts";
import { type Eye, noteKnock } from "./eye.ts";
import type { Patrol } from "./patrol.ts";

export type KnockDeps = {
  readonly clock: Clock;
  readonly knock: Knock & CameraClock;
  /** Where each camera's stream is now: it may have moved, or another may have taken its address. */
  readonly patrol: Pick<Patrol, "where">;
};
export type KnockJob = {
  readonly id: string;
  /** Read at each try, so that a changed password file is taken in. Throws where it cannot be read. */
  readonly credential: () => Credential | null;
};

const knockEveryMs = 2_000;

/** A login that was refused is put again only after a long wait; another one at once. */
export async function untilAnotherLogin(deps: KnockDeps, job: KnockJob, signal: AbortSignal): Promise<boolean> {
  const login = () => JSON.stringify(readCredential(job));
  const refused = login();
  while (!signal.aborted) {
    await deps.clock.sleep(knockEveryMs, signal);
    if (!signal.aborted && login() !== refused) return true;
  }
  return false;
}

export async function knockOnce(deps: KnockDeps, job: KnockJob, eye: Eye, signal: AbortSignal): Promise<boolean> {
  const where = deps.patrol.where(job.id, streamOf(eye.choice));
  const answered = where.kind === "at" && (await deps.knock.knock(where.url, knockEveryMs, signal));
  if (!signal.aborted) noteKnock(eye, answered, deps.clock.monoMs());
  return answered;
}

/** A wait that began with the port silent ends when it answers; a camera that answers keeps its wait, so that it does not lock us out. */
export async function knockUntilAnswered(deps: KnockDeps, job: KnockJob, eye: Eye, signal: AbortSignal): Promise<boolean> {
  if (eye.answers !== false) return false;
  while (!signal.aborted) {
    const asked = deps.clock.monoMs();
    if (await knockOnce(deps, job, eye, signal)) return true;
    await deps.clock.sleep(Math.max(0, knockEveryMs - (deps.clock.monoMs() - asked)), signal);
  }
  return false;
}

/** A camera that was silent is asked for its clock beside the try; recording does not wait for the answer. */
export function askClock(deps: KnockDeps, url: string, eye: Eye, signal: AbortSignal): void {
  if (eye.answers !== false) return;
  void deps.knock.clock(url, knockEveryMs, signal).then((clockMs) => {
    eye.returnedClockMs = clockMs ?? eye.returnedClockMs;
  });
}

export function readCredential(job: KnockJob): Credential | null | Error {
  try {
    return job.credential();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
