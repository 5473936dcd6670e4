/** What a Raspberry Pi's firmware says of its feed and its heat (`get_throttled`, Raspberry Pi documentation): now, and since boot. Pure. */

const signs = { "under-voltage": 0, capped: 1, throttled: 2, hot: 3 } as const;
export type SupplySign = keyof typeof signs;
export type Supply = { readonly now: readonly SupplySign[]; readonly sinceBoot: readonly SupplySign[] };

const stickyShift = 16;

/** null: there is no such firmware, or it was not asked. */
export function supplyOf(bits: number | null): Supply | null {
  if (bits === null) return null;
  const names = Object.keys(signs) as SupplySign[];
  const at = (shift: number) => names.filter((name) => ((bits >>> (signs[name] + shift)) & 1) === 1);
  return { now: at(0), sinceBoot: at(stickyShift) };
}
