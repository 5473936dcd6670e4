/** Numbers that look drawn and come again with their seed (mulberry32). */
export type Draw = {
  /** From 0 up to, not including, 1. */
  share(): number;
  /** A whole number between both, both included. */
  between(least: number, most: number): number;
  one<T>(from: readonly [T, ...T[]]): T;
  /** Each with a chance of a half; at least one. */
  some<T>(from: readonly [T, ...T[]]): readonly T[];
};

export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  const share = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(share() * (most - least + 1));
  const one = <T>(from: readonly [T, ...T[]]): T => from[between(0, from.length - 1)] ?? from[0];
  return {
    ...{ share, between, one },
    some: (from) => {
      const sure = one(from);
      return from.filter((each) => each === sure || share() < 0.5);
    },
  };
}
