/**
 * How often a fault is repeated: `suite` times in `./test/run`, which should be over soon, and `proof` times in `npm run faults`, whose
 * figures are the published ones. The bounds are the same.
 */
export const turns = (suite: number, proof: number): number => (process.env.MATGHI_LONG === "1" ? proof : suite);
