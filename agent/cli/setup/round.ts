/** The round of the cameras with a person: where they come from, and for each its login, name and place. */
import type { Credential } from "../../../hal/ports.ts";
import { rtsp } from "../../../hal/rtsp.ts";
import { type FoundCamera, mostIdChars, slugOf } from "../../core/found.ts";
import { bad, good, type Read, type ToldCamera } from "../../core/told.ts";
import { fill, wordsIn } from "../../core/words.ts";
import type { Survey } from "../../survey.ts";
import { exit, Refusal } from "../context.ts";
import { askUntil, type Talk } from "../prompt.ts";
import { camerasBy, credentialOf, loginName, look, tableIn, toldOf } from "./cameras.ts";
import { asked, type Desk, readId, readText, wordsAt } from "./desk.ts";
import type { Keyed } from "./secret.ts";

/** What a configuration with these cameras would be refused for; empty: nothing. */
export type Check = (cameras: readonly Keyed[]) => readonly string[];

/** More refused logins than this, and some cameras lock themselves for half an hour. */
const mostLogins = 3;
const lookMs = 5_000;

export async function camerasOf(desk: Desk, check: Check): Promise<readonly Keyed[]> {
  const { talk, options } = desk;
  if (talk === null || options.camera !== undefined || options.table !== undefined) {
    const told = await camerasBy(desk);
    if (told !== null) return talk === null ? told : askPasswords(desk, talk, told);
  }
  const person = asked(desk, "no camera: say --camera id=…,url=rtsp://… for each, or --table FILE, or --discover");
  if (options.discover !== true) return askSource(desk, person, check);
  const taken = await found(desk, person);
  if (taken.length > 0) return taken;
  throw new Refusal(exit.notFound, wordsAt(desk).stopped);
}

/** So often a person may choose again where no camera was taken. */
const mostSources = 5;

async function askSource(desk: Desk, talk: Talk, check: Check): Promise<readonly Keyed[]> {
  const words = wordsAt(desk);
  const sources = new Map([
    ["", () => found(desk, talk)],
    ["1", () => found(desk, talk)],
    ["2", async () => askPasswords(desk, talk, await askTable(desk, talk, check))],
  ]);
  for (let tries = 0; tries < mostSources; tries += 1) {
    const take = await askUntil(talk, words.source, (given) => {
      const source = sources.get(given.trim());
      return source === undefined ? bad(words.wrong.choice) : good(source);
    });
    const taken = await take();
    if (taken.length > 0) return taken;
  }
  throw new Refusal(exit.needsPerson, talk.stopped);
}

function askTable(desk: Desk, talk: Talk, check: Check): Promise<readonly Keyed[]> {
  const words = wordsAt(desk);
  return askUntil(talk, words.table, async (given): Promise<Read<readonly Keyed[], string>> => {
    const table = tableIn(given.trim());
    if (table.kind === "bad") return bad(fill(words.faults[table.why], table.facts));
    try {
      const told = (await camerasBy({ ...desk, options: { ...desk.options, table: given.trim() } })) ?? [];
      // A login without a password is asked for next.
      const problems = check(told.map(({ camera, password }) => ({ camera, password: camera.username === undefined ? password : "-" })));
      return problems.length === 0 ? good(told) : bad(problems.join("\n"));
    } catch (error) {
      if (error instanceof Refusal) return bad(error.message);
      throw error;
    }
  });
}

/** Asks for the passwords that no file holds, and tries each at its camera. */
async function askPasswords(desk: Desk, talk: Talk, told: readonly Keyed[]): Promise<readonly Keyed[]> {
  const words = wordsAt(desk);
  const done: Keyed[] = [];
  let before: string | null = null;
  for (const { camera, password } of told) {
    if (camera.username === undefined || password !== null) {
      done.push({ camera, password });
      continue;
    }
    const facts = { name: camera.name ?? camera.id, username: camera.username };
    const asks = { first: fill(words.passwordOf, facts), again: fill(words.passwordOfAgain, facts) };
    const { username } = camera;
    before = await untilLogin(desk, talk, async () => {
      const typed = await askPassword(desk, talk, asks, before);
      return { result: typed, problem: await problemAt(camera, { username, password: typed }, desk.signal) };
    });
    done.push({ camera, password: before });
  }
  return done;
}

function askPassword(desk: Desk, talk: Talk, asks: { first: string; again: string }, before: string | null): Promise<string> {
  const read = (given: string) => (given !== "" ? good(given) : before !== null ? good(before) : bad(wordsAt(desk).wrong.password));
  return askUntil(talk, before === null ? asks.first : asks.again, read, "hidden");
}

type Problem = NonNullable<FoundCamera["problem"]>;

/** What keeps a told camera from being seen with this login. */
async function problemAt({ url }: ToldCamera, credential: Credential, signal: AbortSignal): Promise<Problem | null> {
  if (url === undefined) return null;
  const view = await rtsp.look(url, credential, lookMs, signal);
  if (view.kind === "ok") return null;
  return view.reason === "not-found" ? "no-stream" : view.reason;
}

/** Tries again while the camera refuses the login, a few times; says how it went. */
async function untilLogin<T>(
  desk: Desk,
  { say, stopped }: Talk,
  attempt: () => Promise<{ readonly result: T; readonly problem: Problem | null }>,
): Promise<T> {
  const words = wordsAt(desk);
  for (let tries = 1; ; tries += 1) {
    const { result, problem } = await attempt();
    if (desk.signal.aborted) throw new Refusal(exit.needsPerson, stopped);
    if (problem === "password" && tries < mostLogins) {
      say(words.noLogin);
      continue;
    }
    say(problem === null ? words.login : fill(words.untried, { problem: wordsIn(desk.language).discover.problems[problem] }));
    return result;
  }
}

/** Answers that stand for the next camera too, where only Enter is pressed. */
type Before = { readonly username: string; readonly password: string | null; readonly group: string };

/** Those that answer on the networks and that the person takes; says where there is none. */
async function found(desk: Desk, talk: Talk): Promise<readonly Keyed[]> {
  const words = wordsAt(desk);
  const common = credentialOf(desk.options);
  talk.say(words.searching);
  const seen = await look(desk, common);
  if (desk.signal.aborted) throw new Refusal(exit.needsPerson, talk.stopped);
  if (seen.cameras.length === 0) talk.say(words.nobody);
  const done: Keyed[] = [];
  let before: Before = { username: common?.username ?? "admin", password: null, group: "-" };
  for (const [n, camera] of seen.cameras.entries()) {
    const ids = new Set(done.map(({ camera: { id } }) => id));
    const text = [camera.address, camera.make, camera.model].filter((part) => part !== null).join(" ");
    talk.say(fill(words.one, { n: n + 1, count: seen.cameras.length, text }));
    const one = await takeOne(desk, talk, seen, camera, common, before, ids);
    if (one === null) continue;
    done.push(one);
    before = {
      username: one.camera.username ?? before.username,
      password: one.password ?? before.password,
      group: one.camera.group ?? before.group,
    };
  }
  if (seen.cameras.length > 0 && done.length === 0) talk.say(words.nobodyNow);
  return done;
}

/** null: the person passes it over, or nothing of it can be recorded. */
async function takeOne(
  desk: Desk,
  talk: Talk,
  seen: Survey,
  camera: FoundCamera,
  common: Credential | null,
  before: Before,
  ids: ReadonlySet<string>,
): Promise<Keyed | null> {
  const words = wordsAt(desk);
  if (!(await askUntil(talk, words.take, (given) => good(given.trim() === "")))) return null;
  const { credential, known } = common === null ? await askLogin(desk, talk, seen, camera, before) : { credential: common, known: camera };
  const told = toldOf(known, ids);
  if (told === null) {
    talk.say(fill(words.unusable, { problem: wordsIn(desk.language).discover.problems[known.problem ?? "no-stream"] }));
    return null;
  }
  return {
    camera: { ...(await askPlace(desk, talk, told, before, ids)), ...loginName(credential) },
    password: credential?.password ?? null,
  };
}

/** null: it needs no login. `known`: what it told with it. */
type Login = { readonly credential: Credential | null; readonly known: FoundCamera };

function askLogin(desk: Desk, talk: Talk, seen: Survey, camera: FoundCamera, before: Before): Promise<Login> {
  const words = wordsAt(desk);
  // Who tells everything without a login seems to need none.
  let fallback = camera.problem === null ? "-" : before.username;
  return untilLogin<Login>(desk, talk, async () => {
    const username = await askUntil(talk, fill(words.username, { username: fallback }), (given) => readText(desk, given, fallback));
    if (username === "-") return { result: { credential: null, known: camera }, problem: camera.problem };
    fallback = username;
    const password = await askPassword(desk, talk, { first: words.password, again: words.passwordAgain }, before.password);
    const credential = { username, password };
    const known = await seen.again(camera, credential, desk.signal);
    return { result: { credential, known }, problem: known.problem };
  });
}

async function askPlace(desk: Desk, talk: Talk, told: ToldCamera, before: Before, ids: ReadonlySet<string>): Promise<ToldCamera> {
  const words = wordsAt(desk);
  const guess = told.name ?? told.id;
  const name = await askUntil(talk, fill(words.camera, { name: guess }), (given) => readText(desk, given, guess));
  const named = slugOf(name).slice(0, mostIdChars);
  const short = name === guess || named.length < 2 || ids.has(named) ? told.id : named;
  const id = await askUntil(talk, fill(words.cameraId, { id: short }), (given) => readId(desk, given, short, ids));
  const group = await askUntil(talk, fill(words.group, { group: before.group }), (given) => readText(desk, given, before.group));
  const household = await askUntil(talk, words.household, (given) => (given.trim() === "" ? good("") : readId(desk, given)));
  const isPriority = await askUntil(talk, words.priority, (given) => good(/^[cyx]/i.test(given.trim())));
  return {
    ...{ ...told, id, name },
    ...(group === "-" ? {} : { group }),
    ...(household === "" ? {} : { household }),
    ...(isPriority ? { priority: true } : {}),
  };
}
