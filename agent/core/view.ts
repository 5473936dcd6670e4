/** What can be told of one key frame, made small and gray: how bright, how even, how sharp, and where its edges are. Pure. */

/** A key frame, small and gray, rows from the top; `blur`: how wide the edges of the whole one are, in its own pixels; null: it has none. */
export type Glimpse = { readonly width: number; readonly height: number; readonly gray: Uint8Array; readonly blur: number | null };

export type View = {
  /** 0–255. */
  readonly mean: number;
  /** Between the darkest and the brightest tenth, 0–255. */
  readonly range: number;
  /** Of its grays, in bits: how much there is to see. */
  readonly entropy: number;
  /** Strength of its edges (Sobel), on average. */
  readonly edges: number;
  readonly blur: number | null;
  /** Strength of the edges in each cell of a coarse grid, 0–255, rows from the top. It shows where something stands, and nobody. */
  readonly map: readonly number[];
  /** The same for the same picture; two others hardly ever share it. */
  readonly mark: number;
};

/** Cells of the grid (reference: bench.md §7, where it told a turned camera from night, people and a lorry). */
export const grid = { columns: 48, rows: 27 } as const;
const tenth = 0.1;

/** Measures a key frame: some milliseconds of work. */
export function viewOf({ width, height, gray, blur }: Glimpse): View {
  const counts = countsOf(gray);
  const map = edgeMap(gray, width, height);
  return {
    mean: gray.reduce((sum, value) => sum + value, 0) / gray.length,
    range: percentile(counts, gray.length, 1 - tenth) - percentile(counts, gray.length, tenth),
    entropy: entropyOf(counts, gray.length),
    edges: meanOf(map),
    blur,
    map,
    mark: markOf(gray),
  };
}

/** How alike two pictures' edges lie: 1 the same, 0 nothing to do with each other (Pearson). */
export function likeness(one: readonly number[], other: readonly number[]): number {
  const [midOne, midOther] = [meanOf(one), meanOf(other)];
  let [both, own, its] = [0, 0, 0];
  for (const [i, value] of one.entries()) {
    const [a, b] = [value - midOne, (other[i] ?? 0) - midOther];
    both += a * b;
    own += a * a;
    its += b * b;
  }
  return own === 0 || its === 0 ? 0 : both / Math.sqrt(own * its);
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function countsOf(gray: Uint8Array): readonly number[] {
  const counts = new Array<number>(256).fill(0);
  for (const value of gray) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** The gray below which that share of the picture lies. */
function percentile(counts: readonly number[], all: number, share: number): number {
  let seen = 0;
  const at = counts.findIndex((count) => {
    seen += count;
    return seen >= all * share;
  });
  return Math.max(0, at);
}

function entropyOf(counts: readonly number[], all: number): number {
  const shares = counts.filter((count) => count > 0).map((count) => count / all);
  return shares.reduce((sum, share) => sum - share * Math.log2(share), 0);
}

/**
 * Sobel's strength of each pixel, averaged by cell. The outermost pixels have no neighbours and count nowhere. Plain numbers only: a pair for
 * each pixel left megabytes of garbage behind every look, and the agent grew by them.
 */
function edgeMap(gray: Uint8Array, width: number, height: number): readonly number[] {
  const { columns, rows } = grid;
  const sums = new Float64Array(columns * rows);
  const counts = new Uint32Array(columns * rows);
  for (let y = 1; y < height - 1; y += 1) {
    const row = Math.floor((y * rows) / height) * columns;
    for (let x = 1; x < width - 1; x += 1) {
      const cell = row + Math.floor((x * columns) / width);
      sums[cell] = (sums[cell] ?? 0) + Math.min(255, strengthAt(gray, y * width + x, width));
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
  }
  return Array.from(sums, (sum, cell) => sum / Math.max(1, counts[cell] ?? 0));
}

/** Sobel's gradient at a pixel that has all its neighbours. */
function strengthAt(gray: Uint8Array, at: number, width: number): number {
  const northWest = gray[at - width - 1] ?? 0;
  const northEast = gray[at - width + 1] ?? 0;
  const southWest = gray[at + width - 1] ?? 0;
  const southEast = gray[at + width + 1] ?? 0;
  const across = northEast + 2 * (gray[at + 1] ?? 0) + southEast - northWest - 2 * (gray[at - 1] ?? 0) - southWest;
  const down = southWest + 2 * (gray[at + width] ?? 0) + southEast - northWest - 2 * (gray[at - width] ?? 0) - northEast;
  return Math.sqrt(across * across + down * down);
}

/** FNV-1a, 32 bits. */
function markOf(gray: Uint8Array): number {
  let mark = 0x811c9dc5;
  for (const value of gray) mark = Math.imul(mark ^ value, 0x01000193);
  return mark >>> 0;
}
