/** The page: who is logged in, which screen is shown, what the station says now. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { vietnamTime } from "../../../../agent/core/time.ts";
import { fill, type Language, lengthText } from "../../../../agent/core/words.ts";
import { randomId } from "../broker.ts";
import { type Commune, communeTeller } from "../model/commune.ts";
import { type Households, readHouseholds } from "../model/households.ts";
import { noteBody, noteTopic } from "../model/station.ts";
import { tasksOf } from "../model/todo.ts";
import type { Place } from "../place.ts";
import {
  keepHouseholds,
  loadHouseholds,
  readLanguage,
  readMemory,
  readSound,
  writeLanguage,
  writeMemory,
  writeSound,
} from "../preferences.ts";
import { openStore, type Snapshot, type Store } from "../store.ts";
import { AskScreen } from "./ask.tsx";
import { newKeys, ring } from "./bell.ts";
import { CameraScreen } from "./camera.tsx";
import { useDays, watchedSites } from "./days.ts";
import { type Entry, LoginScreen } from "./login.tsx";
import { Overview } from "./overview.tsx";
import { ReportsScreen } from "./reports.tsx";
import type { OnNote } from "./todo.tsx";
import { agoText, type View, viewOf } from "./view.ts";

/** Ages on the screen are no older than this. */
const tickMs = 5_000;
/** A computer's clock that is off by more is said. */
const skewMs = 60_000;

export function App({ place }: { readonly place: Place }) {
  const [language, setLanguage] = useState(() => readLanguage(place.language));
  const [households, setHouseholds] = useState(loadHouseholds);
  const [entry, setEntry] = useState<Entry | null>(
    place.commune !== null && !place.asksLogin ? { commune: place.commune, login: null } : null,
  );
  const [store, setStore] = useState<Store | null>(null);
  const nowAt = useNow();
  const snapshot = useSnapshot(store);
  const view = viewOf(language, households, nowAt);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = view.words.title;
  }, [language]);
  useEffect(() => {
    if (entry === null) return undefined;
    const opened = openStore(place.url, entry.commune, entry.login, readMemory(entry.commune));
    setStore(opened);
    return () => {
      opened.close();
      setStore(null);
    };
  }, [entry]);
  const toLanguage = (chosen: Language) => {
    writeLanguage(chosen);
    setLanguage(chosen);
  };
  // Who is refused sees nothing that grows old unsaid: the login says why.
  const isIn = snapshot !== null && snapshot.link.kind !== "refused" && (snapshot.link.kind === "connected" || snapshot.heardAt !== null);
  if (entry === null || store === null || snapshot === null || !isIn)
    return (
      <main>
        <LoginScreen place={place} link={snapshot?.link ?? null} view={view} onEnter={setEntry} />
      </main>
    );
  return <Board {...{ place, entry, store, snapshot, view, setHouseholds }} setLanguage={toLanguage} onLeave={() => setEntry(null)} />;
}

function useNow(): number {
  const [nowAt, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, []);
  return nowAt;
}

function useSnapshot(store: Store | null): Snapshot | null {
  const [snapshot, setSnapshot] = useState<Snapshot | null>(null);
  useEffect(() => {
    setSnapshot(store?.snapshot() ?? null);
    return store?.listen(() => setSnapshot(store.snapshot()));
  }, [store]);
  return store === null ? null : snapshot;
}

function useRoute(): readonly string[] {
  // Ids are of a small alphabet: nothing in an address needs decoding.
  const read = () => window.location.hash.replace(/^#\/?/, "").split("/");
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const turn = () => {
      setRoute(read());
      window.scrollTo(0, 0);
    };
    window.addEventListener("hashchange", turn);
    return () => window.removeEventListener("hashchange", turn);
  }, []);
  return route;
}

type BoardProps = {
  readonly place: Place;
  readonly entry: Entry;
  readonly store: Store;
  readonly snapshot: Snapshot;
  readonly view: View;
  readonly setLanguage: (language: Language) => void;
  readonly setHouseholds: (households: Households) => void;
  readonly onLeave: () => void;
};

function Board({ place, entry, store, snapshot, view: given, setLanguage, setHouseholds, onLeave }: BoardProps) {
  const { retained, memory, link } = snapshot;
  // While there is no connection nothing new can be known: the last picture stays, with its age.
  const nowAt =
    link.kind === "connected" ? Math.max(given.nowAt, snapshot.heardAt ?? 0) : Math.min(given.nowAt, lostAt(snapshot) ?? given.nowAt);
  const view = { ...given, nowAt };
  const route = useRoute();
  const tell = useMemo(communeTeller, [store]);
  const commune = useMemo(() => tell(retained, nowAt, memory), [tell, retained, nowAt]);
  const tasks = useMemo(() => tasksOf(commune), [commune]);
  const [sound, setSound] = useState(readSound);
  useBell(
    sound,
    snapshot.isCurrent,
    tasks.filter(({ level }) => level === "broken").map(({ key }) => key),
  );
  useDays(store.want, snapshot.isWhole ? watchedSites(commune) : [], nowAt);
  useEffect(() => writeMemory(entry.commune, memory), [entry, Math.floor(nowAt / 30_000)]);
  const isTv = route[0] === "tv";
  const onNote: OnNote = (place, code, date) =>
    store.publish(noteTopic(place), code === null ? null : noteBody(code, date, Date.now()), null);
  const chooseSound = (isOn: boolean) => {
    writeSound(isOn);
    setSound(isOn);
    if (isOn) ring();
  };
  return (
    <div class={isTv ? "page tv" : "page"}>
      <Head {...{ place, entry, snapshot, view, route, setLanguage, onLeave }} age={given.nowAt} />
      <main>
        {snapshot.isWhole || commune.sites.length > 0 ? null : <p>{view.words.loading}</p>}
        {snapshot.isWhole && commune.sites.length === 0 ? <p class="doubt">{fill(view.words.empty, { commune: entry.commune })}</p> : null}
        <Screen {...{ place, route, commune, snapshot, store, view, tasks, onNote }} />
      </main>
      {route[0] === "" ? <Settings {...{ view, sound, setHouseholds }} setSound={chooseSound} /> : null}
    </div>
  );
}

const lostAt = ({ link, heardAt }: Snapshot): number | null => (link.kind === "lost" ? link.sinceAt : heardAt);

type ScreenProps = Pick<BoardProps, "place" | "snapshot" | "store" | "view"> & {
  readonly route: readonly string[];
  readonly commune: Commune;
  readonly tasks: ReturnType<typeof tasksOf>;
  readonly onNote: OnNote;
};

function Screen({ place, route, commune, snapshot, store, view, tasks, onNote }: ScreenProps) {
  const [name, siteId, cameraId] = route;
  const { retained } = snapshot;
  if (name === "camera") {
    const site = commune.sites.find(({ id }) => id === siteId);
    return (
      <CameraScreen
        key={`${siteId}/${cameraId}`}
        site={site}
        camera={site?.cameras.find(({ id }) => id === cameraId)}
        {...{ retained, view }}
        want={store.want}
      />
    );
  }
  if (name === "ask") {
    const first = siteId === undefined || cameraId === undefined ? null : `${siteId}/${cameraId}`;
    return (
      <AskScreen
        key={first}
        actions={{ want: store.want, publish: store.publish, newId: randomId }}
        {...{ commune, retained, view, first }}
      />
    );
  }
  if (name === "reports") return <ReportsScreen {...{ view, retained }} want={store.want} unit={place.name ?? ""} />;
  return <Overview {...{ commune, retained, view, tasks, onNote }} isTv={name === "tv"} isWhole={snapshot.isWhole} want={store.want} />;
}

/** Rings for each fault that was not there before, also for one that comes back. */
function useBell(isOn: boolean, isCurrent: boolean, keys: readonly string[]): void {
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (!isCurrent) return;
    if (isOn && newKeys(known.current, keys).length > 0) ring();
    known.current = new Set(keys);
  }, [isOn, isCurrent, keys.join("|")]);
}

type HeadProps = Pick<BoardProps, "place" | "entry" | "snapshot" | "view" | "setLanguage" | "onLeave"> & {
  readonly route: readonly string[];
  readonly age: number;
};

function Head({ place, entry, snapshot, view, route, setLanguage, onLeave, age }: HeadProps) {
  const { words, language } = view;
  const { link, heardAt } = snapshot;
  const isTv = route[0] === "tv";
  const isNow = age - (heardAt ?? age) < tickMs;
  const ageText = isNow ? words.age.now : fill(words.age.ago, { length: agoText(heardAt ?? age, age, language) });
  const links = [
    ["", words.menu.overview],
    ["ask", words.menu.ask],
    ["reports", words.menu.reports],
    ["tv", words.menu.tv],
  ] as const;
  return (
    <header>
      <h1>{place.name ?? fill(words.commune, { name: entry.commune })}</h1>
      <p class="age" aria-live="off">
        {heardAt === null ? words.age.none : `${fill(words.age.at, { at: vietnamTime(heardAt) })} (${ageText})`}
      </p>
      {isTv ? (
        <nav>
          <a href="#/">{words.menu.leaveTv}</a>
        </nav>
      ) : (
        <nav>
          {links.map(([to, text]) => (
            <a key={to} href={`#/${to}`} aria-current={(route[0] ?? "") === to ? "page" : undefined}>
              {text}
            </a>
          ))}
          <button type="button" lang={language === "vi" ? "en" : "vi"} onClick={() => setLanguage(language === "vi" ? "en" : "vi")}>
            {words.settings.language}
          </button>
          <button type="button" onClick={onLeave}>
            {words.login.leave}
          </button>
        </nav>
      )}
      {link.kind === "lost" ? (
        <p role="alert" class="offline">
          {fill(words.offline, { since: vietnamTime(link.sinceAt), length: agoText(heardAt ?? link.sinceAt, age, language) })}
        </p>
      ) : null}
      {snapshot.skewMs !== null && Math.abs(snapshot.skewMs) > skewMs ? (
        <p class="doubt">{fill(words.skew, { length: lengthText(Math.abs(snapshot.skewMs), language) })}</p>
      ) : null}
    </header>
  );
}

type SettingsProps = {
  readonly view: View;
  readonly sound: boolean;
  readonly setSound: (isOn: boolean) => void;
  readonly setHouseholds: (households: Households) => void;
};

function Settings({ view, sound, setSound, setHouseholds }: SettingsProps) {
  const words = view.words.settings;
  const [said, say] = useState("");
  const load = async (file: File | undefined) => {
    const text = (await file?.text()) ?? "";
    const { households, skipped } = readHouseholds(text);
    keepHouseholds(households.size === 0 ? null : text);
    setHouseholds(households);
    say(
      [
        fill(words.householdsRead, { count: households.size }),
        ...(skipped > 0 ? [fill(words.householdsSkipped, { count: skipped })] : []),
      ].join(" "),
    );
  };
  const forget = () => {
    keepHouseholds(null);
    setHouseholds(new Map());
    say("");
  };
  return (
    <footer>
      <p>{view.words.footer}</p>
      <label>
        <input type="checkbox" checked={sound} onChange={({ currentTarget }) => setSound(currentTarget.checked)} /> {words.sound}
      </label>
      <label>
        {words.households}{" "}
        <input type="file" accept=".csv,text/csv" onChange={({ currentTarget }) => void load(currentTarget.files?.[0])} />
        <small>{words.householdsHint}</small>
      </label>
      {view.households.size > 0 ? (
        <button type="button" onClick={forget}>
          {words.householdsForget}
        </button>
      ) : null}
      <p role="status">{said}</p>
    </footer>
  );
}
