/** Keeps each camera's page of the ledger in memory and on disk alike. The only place where footage and time become gaps, and gaps faults. */
import type { Change } from "./core/change.ts";
import { type Numbering, onSegment, onTick, openGap, type Page, reblame, splitGap, type Turned } from "./core/ledger.ts";
import { endFault, type Faults, joinFault } from "./core/numbering.ts";
import type { Claim, Segment, WallMs } from "./core/types.ts";
import type { Time } from "./moment.ts";
import type { Committed, Store } from "./store/store.ts";

export type Books = {
  page(camera: string): Page;
  segment(segment: Segment, claim: Claim): Committed;
  tick(camera: string, writing: boolean, claim: Claim): void;
  open(camera: string, claim: Claim): void;
  split(camera: string, toAt: WallMs): void;
  reblame(camera: string, claim: Claim): void;
  /** Number of a fault of its own. */
  newFault(scope: string, fromAt: WallMs, toAt: WallMs): number;
  /** Replaces a page and commits what belongs to it. */
  turn(page: Page, change: Change): void;
};

export function keepBooks(store: Pick<Store, "commit" | "camera" | "cameras" | "openGap" | "lastFault">, time: Time): Books {
  const pages = new Map<string, Page>();
  let faults: Faults = readFaults(store);
  const page = (camera: string): Page => {
    const known = pages.get(camera) ?? readPage(store, camera);
    pages.set(camera, known);
    return known;
  };
  const number: Numbering = (scope, span) => {
    const joined = joinFault(faults, scope, span);
    faults = joined.faults;
    return joined.number;
  };
  const turn = (turned: Turned): Committed => {
    const before = pages.get(turned.page.camera)?.gap ?? null;
    pages.set(turned.page.camera, turned.page);
    if (
      before !== null &&
      before.fault !== turned.page.gap?.fault &&
      [...pages.values()].every((other) => other.gap?.fault !== before.fault)
    )
      faults = endFault(faults, before.fault, turned.page.coveredAt ?? time.now());
    return turned.change.length === 0 ? { kind: "written" } : store.commit(turned.change);
  };
  return {
    page,
    segment: (segment, claim) => turn(onSegment(page(segment.camera), segment, claim, time.moment(), number)),
    tick: (camera, writing, claim) => void turn(onTick(page(camera), time.now(), writing, claim, time.moment(), number)),
    open: (camera, claim) => void turn(openGap(page(camera), claim, time.moment(), number)),
    split: (camera, toAt) => void turn(splitGap(page(camera), toAt, time.moment())),
    reblame: (camera, claim) => void turn(reblame(page(camera), claim, number)),
    newFault: (scope, fromAt, toAt) => number(scope, { fromAt, toAt }),
    turn: (next, change) => void turn({ page: next, change }),
  };
}

function readPage(store: Pick<Store, "camera" | "openGap">, camera: string): Page {
  const row = store.camera(camera);
  return { camera, sinceAt: row?.sinceAt ?? null, coveredAt: row?.coveredAt ?? null, gap: row === null ? null : store.openGap(camera) };
}

/** Faults that an earlier run left open may still be joined. */
function readFaults(store: Pick<Store, "cameras" | "openGap" | "lastFault">): Faults {
  const open = store.cameras().flatMap((row) => store.openGap(row.id) ?? []);
  const recent = open.map(({ fault, claim, fromAt }) => ({ number: fault, scope: claim.scope, fromAt, toAt: null }));
  return { last: store.lastFault(), recent: [...new Map(recent.map((fault) => [fault.number, fault])).values()] };
}
