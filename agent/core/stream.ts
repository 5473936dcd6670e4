/**
 * Which of a camera's two streams is recorded: the main one, until it does not hold though the camera is reached; then the smaller one, and
 * after a while the main one again. Never both: cameras have few sessions. What changes is only which stream the next try is of. Pure.
 */
import type { EndReason, MonoMs, StreamName } from "./types.ts";

/** Why the main stream is left. `main-does-not-hold`: it stops, or hardly comes. `main-not-there`: the camera has no pictures at its address. */
export const mainTroubles = ["main-does-not-hold", "main-not-there"] as const;
export type MainTrouble = (typeof mainTroubles)[number];

/** How a try ended, as far as it tells something of its stream. */
export type TryEnd = {
  readonly reason: EndReason;
  readonly hadFrames: boolean;
  /** Did anybody answer at the camera's port afterwards? null: not asked. */
  readonly answers: boolean | null;
  /** Did its connection show signs of a weak line (core/line.ts)? */
  readonly hadWeakLine: boolean;
};

export type Loss = { readonly atMonoMs: MonoMs; readonly trouble: MainTrouble; readonly hadFrames: boolean };

export type Choice =
  | {
      readonly kind: "main";
      readonly losses: readonly Loss[];
      /** Until then the smaller stream is not taken: it had nothing to give. */
      readonly notBeforeMonoMs: MonoMs;
    }
  | {
      readonly kind: "fallback";
      readonly why: MainTrouble;
      readonly mainDueMonoMs: MonoMs;
      /** How long the main stream is left alone this time. */
      readonly pauseMs: number;
      /** It has delivered pictures while the main stream did not hold. */
      readonly isProven: boolean;
      /** Tries of it in a row without a picture. */
      readonly misses: number;
    }
  /** The main stream is tried again; what stands is still its trouble. */
  | { readonly kind: "trial"; readonly why: MainTrouble; readonly pauseMs: number };

/** So many losses within this make a stream that does not hold. One or two are a camera's restart, or somebody at the router. */
const lossesOfMain = 3;
/** Of one whose connection was seen to be weak besides. */
const lossesOnWeakLine = 2;
const lossWindowMs = 600_000;
const keptLosses = 16;
/** A camera that boots answers for so long before it has pictures: losses without any count only when they go on for longer. */
const bootMs = 30_000;
/** A smaller stream that gives no picture so many times in a row is none. */
const missesOfFallback = 3;
/** The pause between two tries of the main stream doubles up to so many times the first: 15 min to 2 h. */
const mostPauses = 8;
/** Held for this long, or for one pause where that is shorter, the main stream is recorded for good. */
const holdMs = 600_000;

export const onMain: Choice = { kind: "main", losses: [], notBeforeMonoMs: Number.NEGATIVE_INFINITY };

/** How a camera's loop begins. Where the smaller stream was recorded last, the line is weak until the main one has held: one loss is enough. */
export const firstChoice = (last: StreamName, why: string | null, pauseMs: number): Choice =>
  last === "main" ? onMain : { kind: "trial", why: mainTroubles.find((trouble) => trouble === why) ?? "main-does-not-hold", pauseMs };

/** The stream that the next try is of. */
export const streamOf = ({ kind }: Choice): StreamName => (kind === "fallback" ? "fallback" : "main");

/** null: the main stream is as it should be. */
export const troubleOf = (choice: Choice): MainTrouble | null => (choice.kind === "main" ? null : choice.why);

/** What an end says of the stream itself; null: nothing. A camera that is gone, refuses the login or meets a bad disk says nothing of its streams. */
function tellsOf({ reason, hadFrames, answers }: TryEnd): MainTrouble | null {
  if (reason === "not-found" || reason === "no-video") return "main-not-there";
  if (reason === "starved") return "main-does-not-hold";
  const isCut = reason === "silent" || reason === "stalled" || reason === "no-frames" || reason === "ended";
  return answers === true && (isCut || (reason === "refused-connection" && hadFrames)) ? "main-does-not-hold" : null;
}

/** The choice after a try has ended. `retryMs`: the first pause between two tries of the main stream. */
export function afterTry(choice: Choice, end: TryEnd, nowMonoMs: MonoMs, retryMs: number): Choice {
  if (choice.kind === "main") return afterMain(choice, end, nowMonoMs, retryMs);
  if (choice.kind === "trial") return afterTrial(choice, end, nowMonoMs, retryMs);
  const next = afterFallback(choice, end, nowMonoMs, retryMs);
  // It has ended anyway: to try the main one now costs nothing.
  return isMainDue(next, nowMonoMs) ? tryMain(next) : next;
}

function afterMain(choice: Choice & { kind: "main" }, end: TryEnd, nowMonoMs: MonoMs, retryMs: number): Choice {
  const trouble = tellsOf(end);
  if (trouble === null) return choice;
  const recent = choice.losses.filter(({ atMonoMs }) => nowMonoMs - atMonoMs < lossWindowMs);
  const losses = [...recent, { atMonoMs: nowMonoMs, trouble, hadFrames: end.hadFrames }].slice(-keptLosses);
  const isLeft = mayLeaveMain(choice, nowMonoMs) && (end.reason === "starved" || doesNotHold(losses, end.hadWeakLine, nowMonoMs));
  return isLeft ? takeFallback(trouble, retryMs, false, nowMonoMs) : { ...choice, losses };
}

function doesNotHold(losses: readonly Loss[], hadWeakLine: boolean, nowMonoMs: MonoMs): boolean {
  if (losses.length < (hadWeakLine ? lossesOnWeakLine : lossesOfMain)) return false;
  const isSure = losses.some(({ hadFrames, trouble }) => hadFrames || trouble === "main-not-there");
  return isSure || nowMonoMs - (losses[0]?.atMonoMs ?? nowMonoMs) >= bootMs;
}

/** One loss is enough. So is a refusal: the camera may not have let go of the session before. */
function afterTrial({ why, pauseMs }: Choice & { kind: "trial" }, end: TryEnd, nowMonoMs: MonoMs, retryMs: number): Choice {
  const trouble = tellsOf(end) ?? (end.reason === "refused-connection" && end.answers === true ? why : null);
  if (trouble === null) return { kind: "trial", why, pauseMs };
  return takeFallback(trouble, Math.min(2 * pauseMs, mostPauses * retryMs), true, nowMonoMs);
}

const takeFallback = (why: MainTrouble, pauseMs: number, isProven: boolean, nowMonoMs: MonoMs): Choice => ({
  ...{ kind: "fallback", why, pauseMs, isProven, misses: 0 },
  mainDueMonoMs: nowMonoMs + pauseMs,
});

function afterFallback(choice: Choice & { kind: "fallback" }, end: TryEnd, nowMonoMs: MonoMs, retryMs: number): Choice {
  const told = tellsOf(end);
  if (end.hadFrames || told === null) return end.hadFrames ? { ...choice, isProven: true, misses: 0 } : choice;
  const misses = choice.misses + 1;
  if (told === "main-does-not-hold" && misses < missesOfFallback) return { ...choice, misses };
  return { kind: "main", losses: [], notBeforeMonoMs: nowMonoMs + retryMs };
}

/** Is it time to leave the smaller stream for a try of the main one? */
export const isMainDue = (choice: Choice, nowMonoMs: MonoMs): boolean => choice.kind === "fallback" && nowMonoMs >= choice.mainDueMonoMs;

export const tryMain = (choice: Choice): Choice =>
  choice.kind === "fallback" ? { kind: "trial", why: choice.why, pauseMs: choice.pauseMs } : choice;

/** Would the smaller stream be taken now, where the main one is seen not to hold? */
export const mayLeaveMain = (choice: Choice, nowMonoMs: MonoMs): boolean =>
  choice.kind === "trial" || (choice.kind === "main" && nowMonoMs >= choice.notBeforeMonoMs);

/** The choice while a try delivers pictures, without a break for `heldMs`. */
export function afterFrames(choice: Choice, heldMs: number, retryMs: number): Choice {
  if (choice.kind === "trial" && heldMs >= Math.min(holdMs, retryMs)) return onMain;
  return choice.kind === "fallback" && (!choice.isProven || choice.misses > 0) ? { ...choice, isProven: true, misses: 0 } : choice;
}

/** Did the smaller stream hold where the main one just failed, or made way for a try of it? Then the line is too weak for the one and carries the other. */
export const isLineWeak = (choice: Choice, endedOn: StreamName | null): boolean =>
  choice.kind !== "main" && choice.why === "main-does-not-hold" && (choice.kind === "trial" || (choice.isProven && endedOn === "main"));
