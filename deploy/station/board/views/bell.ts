/** A short sound on a new fault, for those who have switched it on. */

/** Two soft tones; nothing where the browser has no sound. */
export function ring(): void {
  try {
    const context = new AudioContext();
    for (const [i, hertz] of [660, 880].entries()) {
      const [tone, volume] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = hertz;
      volume.gain.value = 0.2;
      tone.connect(volume).connect(context.destination);
      tone.start(context.currentTime + i * 0.25);
      tone.stop(context.currentTime + i * 0.25 + 0.2);
    }
    setTimeout(() => void context.close(), 1_000);
  } catch {
    // No sound is no fault of the cameras.
  }
}

/** Faults that were not there before; none while the first picture is still coming in. */
export const newKeys = (before: ReadonlySet<string> | null, keys: readonly string[]): readonly string[] =>
  before === null ? [] : keys.filter((key) => !before.has(key));
