/** Keeps each camera's page of the ledger in memory and on disk alike. The only place where footage and time become gaps. */
import type { Change } from "./core/change.ts";
import { onSegment, onTick, openGap, type Page, splitGap, type Turned } from "./core/ledger.ts";
import type { Blame, Segment, WallMs } from "./core/types.ts";
import type { Time } from "./moment.ts";
import type { Committed, Store } from "./store/store.ts";

export type Books = {
  page(camera: string): Page;
  segment(segment: Segment, blame: Blame): Committed;
  tick(camera: string, writing: boolean, blame: Blame): void;
  open(camera: string, blame: Blame): void;
  split(camera: string, toAt: WallMs): void;
  /** Replaces a page and commits what belongs to it. */
  turn(page: Page, change: Change): void;
};

export function keepBooks(store: Pick<Store, "commit" | "camera" | "openGap">, time: Time): Books {
  const pages = new Map<string, Page>();
  const page = (camera: string): Page => {
    const known = pages.get(camera) ?? readPage(store, camera);
    pages.set(camera, known);
    return known;
  };
  const turn = (turned: Turned): Committed => {
    pages.set(turned.page.camera, turned.page);
    return turned.change.length === 0 ? { kind: "written" } : store.commit(turned.change);
  };
  return {
    page,
    segment: (segment, blame) => turn(onSegment(page(segment.camera), segment, blame, time.moment())),
    tick: (camera, writing, blame) => void turn(onTick(page(camera), time.now(), writing, blame, time.moment())),
    open: (camera, blame) => void turn(openGap(page(camera), blame, time.moment())),
    split: (camera, toAt) => void turn(splitGap(page(camera), toAt, time.moment())),
    turn: (next, change) => void turn({ page: next, change }),
  };
}

function readPage(store: Pick<Store, "camera" | "openGap">, camera: string): Page {
  const row = store.camera(camera);
  return { camera, sinceAt: row?.sinceAt ?? null, coveredAt: row?.coveredAt ?? null, gap: row === null ? null : store.openGap(camera) };
}
