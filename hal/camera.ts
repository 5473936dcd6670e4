/**
 * A camera's ONVIF side: node-onvif-ts builds and parses the SOAP; transport, logins, dates, events and bounds are our own. Of the package's
 * own transport some requests never end, replies have no bound, and passwords leave in clear.
 *
 * What leaves: a password only ever as a digest (WS-UsernameToken's PasswordDigest, HTTP Digest with MD5 or SHA-256), and only to the host of
 * the target, whatever addresses its answers hold. Basic is never sent; redirections are not followed.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest, type RequestOptions as SecureOptions } from "node:https";
import { createRequestSoap, parse } from "node-onvif-ts/dist/node-onvif/module/soap.js";
import type {
  CameraFailure,
  CameraIdentity,
  CameraPort,
  CameraProfile,
  CameraSign,
  CameraTarget,
  CameraTime,
  Clock,
  Credential,
} from "./ports.ts";

export type CameraDeps = {
  readonly clock: Pick<Clock, "wallMs" | "monoMs" | "sleep">;
  /** One request, its logins included, ends within this; a call of several within four times this. */
  readonly deadlineMs?: number;
};

const standardDeadlineMs = 5_000;
const callDeadlines = 4;
const mostReplyBytes = 1_048_576;
const mostHeaderBytes = 16_384;
/**
 * Of what is parsed: a full profile has some 300 tags and attributes in some 8 kB (estimated), so that a camera's few stay far below. Five calls
 * on a camera all of whose replies are at both bounds let the process grow by some 20 MiB (measured, Node 20 and 24, x86).
 */
const mostXmlChars = 262_144;
/** Tags, attributes and entities. */
const mostMarks = 8_000;
/** From one `<` to the next: the parser collects attributes, comments and CDATA letter by letter, at some 30 bytes each. */
const mostPieceChars = 65_536;
const mostDepth = 64;
const mostTextChars = 200;
const mostUrlChars = 2_000;
const mostProfiles = 32;
/** A camera's clock that says less was never set: without a battery they start at 1970 or 2000. */
const neverSetBefore = Date.UTC(2001, 0, 1);
/** The years in which a camera's clock is taken for one. */
const [firstYear, lastYear] = [1900, 2200];

const device = "http://www.onvif.org/ver10/device/wsdl";
const media = "http://www.onvif.org/ver10/media/wsdl";
const media2 = "http://www.onvif.org/ver20/media/wsdl";
const events = "http://www.onvif.org/ver10/events/wsdl";
const schema = "http://www.onvif.org/ver10/schema";
const notification = "http://docs.oasis-open.org/wsn/b-2";
const addressing = "http://www.w3.org/2005/08/addressing";
const security = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";

const failed = (reason: CameraFailure["reason"], detail: string): CameraFailure => ({ kind: "failed", reason, detail });
const stopped = failed("stopped", "stopped");
const isFailed = <T extends { readonly kind: string }>(result: T | CameraFailure): result is CameraFailure => result.kind === "failed";
/** It answered, only not with what was asked: something else may be asked of it. */
const isDeclined = ({ reason }: CameraFailure) => reason === "fault" || reason === "unsupported";

/** The driver keeps nothing between calls: each asks the camera's clock first, so that neither its steps nor the box's stand in the way of a login. */
export function makeCameraPort({ clock, deadlineMs = standardDeadlineMs }: CameraDeps): CameraPort {
  function begin({ xaddr, credential }: CameraTarget, signal: AbortSignal): Call | CameraFailure {
    const address = urlOf(xaddr, /^https?:$/);
    if (address === null) return failed("nonsense", "no http address");
    const endsAtMs = clock.monoMs() + callDeadlines * deadlineMs;
    return { kind: "call", address, credential, signal, clock, deadlineMs, endsAtMs, cameraMs: () => clock.wallMs() };
  }
  /** Runs `act` with the login dated by the camera's clock. */
  async function visit<T>(
    target: CameraTarget,
    signal: AbortSignal,
    act: (call: Call, dated: Dated) => Promise<T | CameraFailure>,
  ): Promise<T | CameraFailure> {
    const call = begin(target, signal);
    if (isFailed(call)) return call;
    const dated = await readClock(call);
    if (!isFailed(dated)) return act(datedCall(call, dated), dated);
    // A camera that does not tell its clock may still take the box's.
    return isDeclined(dated) ? act(call, undated) : dated;
  }
  return {
    time: async (target, signal) => {
      const call = begin(target, signal);
      const dated = isFailed(call) ? call : await readClock(call);
      return isFailed(dated) ? dated : dated.time;
    },
    identify: (target, signal) => visit(target, signal, identify),
    describe: (target, signal) => visit(target, signal, describe),
    setTime: (target, signal) => visit(target, signal, setTime),
    follow: (target, onSign, signal) => visit(target, signal, (call) => follow(call, onSign)),
  };
}

/** One call of the port, under way. */
type Call = {
  readonly kind: "call";
  /** Of the device service. */
  readonly address: URL;
  readonly credential: Credential | null;
  readonly signal: AbortSignal;
  readonly clock: CameraDeps["clock"];
  /** For one request. */
  readonly deadlineMs: number;
  /** For the whole call, on the monotonic clock. */
  readonly endsAtMs: number;
  /** The camera's clock now: what a token is dated by. */
  cameraMs(): number;
};

// What is asked.

type Question = {
  readonly namespace: string;
  readonly operation: string;
  /** Inner XML of the operation. */
  readonly inner?: string;
  /** Of WS-Addressing; else the operation's name is its action. */
  readonly action?: string;
  /** XML for the header. */
  readonly header?: string;
  readonly xmlns?: readonly string[];
};
type Answer = { readonly kind: "ok"; readonly response: Node; readonly xml: string };

/**
 * Puts one question, with the login where `isOpen` does not say that none is needed: a token in the envelope, and where the camera answers 401,
 * a digest in the HTTP header instead. Never rejects.
 */
async function ask(call: Call, address: URL, question: Question, isOpen = false): Promise<Answer | CameraFailure> {
  const { clock, credential } = call;
  const endsAtMs = Math.min(call.endsAtMs, clock.monoMs() + call.deadlineMs);
  const send = (soap: string, authorization: string | null) =>
    post(address, soap, actionOf(question), authorization, endsAtMs - clock.monoMs(), call.signal);
  const isTold = credential !== null && !isOpen;
  let sent = await send(soapOf(question, isTold ? tokenFor(credential, call.cameraMs()) : ""), null);
  // A second round only for a nonce that went stale between two requests.
  for (let round = 0; isTold && round < 2 && !isFailed(sent) && sent.status === 401; round += 1) {
    const challenge = challengeOf(sent.challenges);
    if (isFailed(challenge)) return challenge;
    if (round > 0 && challenge.fields.get("stale")?.toLowerCase() !== "true") break;
    sent = await send(soapOf(question, ""), authorizationFor(challenge, credential, `${address.pathname}${address.search}`));
  }
  return isFailed(sent) ? sent : answerOf(sent, question.operation, credential);
}

const actionOf = ({ namespace, operation, action }: Question) => action ?? `${namespace}/${operation}`;

function soapOf({ namespace, operation, inner = "", header = "", xmlns = [] }: Question, token: string): string {
  const body = `<${operation} xmlns="${namespace}">${inner}</${operation}>`;
  // The package's own token takes its nonce from Math.random and the user's name as it is: ours goes into the empty header that it leaves.
  return createRequestSoap({ body, xmlns: [...xmlns] }).replace("<s:Header></s:Header>", () => `<s:Header>${token}${header}</s:Header>`);
}

/** What XML cannot hold is left out. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that XML forbids
  return text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "").replace(/[&<>"'\t\r\n]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** WS-UsernameToken profile 1.0 with PasswordDigest. 16 bytes of nonce and milliseconds at most: some cameras take no longer ones. */
function tokenFor({ username, password }: Credential, cameraMs: number): string {
  const [nonce, created] = [randomBytes(16), new Date(cameraMs).toISOString()];
  const digest = createHash("sha1").update(nonce).update(created).update(password).digest("base64");
  const type = `${security}username-token-profile-1.0#PasswordDigest`;
  const encoding = `${security}soap-message-security-1.0#Base64Binary`;
  return `<Security s:mustUnderstand="1" xmlns="${security}wssecurity-secext-1.0.xsd"><UsernameToken><Username>${escaped(username)}</Username><Password Type="${type}">${digest}</Password><Nonce EncodingType="${encoding}">${nonce.toString("base64")}</Nonce><Created xmlns="${security}wssecurity-utility-1.0.xsd">${created}</Created></UsernameToken></Security>`;
}

// HTTP Digest (RFC 7616), qop auth.

type Challenge = { readonly kind: "challenge"; readonly fields: ReadonlyMap<string, string>; readonly hash: "md5" | "sha256" };

/** The strongest challenge that we know, of several headers and of several in one. */
function challengeOf(headers: readonly string[]): Challenge | CameraFailure {
  const offers = headers.flatMap(schemesOf);
  const digests = offers.flatMap(({ scheme, fields }) => {
    const hash = scheme === "digest" ? hashOf(fields) : null;
    return hash === null ? [] : [{ kind: "challenge" as const, fields, hash }];
  });
  const best = digests.find(({ hash }) => hash === "sha256") ?? digests[0];
  if (best !== undefined) return best;
  if (offers.some(({ scheme }) => scheme === "digest")) return failed("unsupported", "digest of an unknown kind");
  return failed("password", offers.some(({ scheme }) => scheme === "basic") ? "http 401, Basic only: never sent" : "http 401");
}

function hashOf(fields: ReadonlyMap<string, string>): Challenge["hash"] | null {
  const qop = fields.get("qop");
  if (qop !== undefined && !qop.split(",").some((word) => word.trim().toLowerCase() === "auth")) return null;
  const algorithm = (fields.get("algorithm") ?? "MD5").toUpperCase();
  if (algorithm === "MD5") return "md5";
  return algorithm === "SHA-256" ? "sha256" : null;
}

/** Words, quoted strings and separators of a WWW-Authenticate header; a word that no `=` follows begins a scheme. */
function schemesOf(header: string): readonly { readonly scheme: string; readonly fields: ReadonlyMap<string, string> }[] {
  const schemes: { scheme: string; fields: Map<string, string> }[] = [];
  for (const [, name, quoted, plain, scheme] of header.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w-]+)/g)) {
    if (scheme !== undefined) schemes.push({ scheme: scheme.toLowerCase(), fields: new Map() });
    else schemes.at(-1)?.fields.set((name ?? "").toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "");
  }
  return schemes;
}

function authorizationFor({ fields, hash }: Challenge, { username, password }: Credential, uri: string): string {
  const digest = (text: string) => createHash(hash).update(text, "utf8").digest("hex");
  const field = (name: string) => fields.get(name) ?? "";
  const [cnonce, count] = [randomBytes(8).toString("hex"), "00000001"];
  const hasQop = fields.has("qop");
  // Its own bytes go back as they came: Node hands headers out as latin1.
  const realm = Buffer.from(field("realm"), "latin1").toString("utf8");
  const middle = hasQop ? `${field("nonce")}:${count}:${cnonce}:auth` : field("nonce");
  const response = digest(`${digest(`${username}:${realm}:${password}`)}:${middle}:${digest(`POST:${uri}`)}`);
  const quoted = (name: string, value: string) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`;
  return `Digest ${[
    quoted("username", Buffer.from(username, "utf8").toString("latin1")),
    ...[quoted("realm", field("realm")), quoted("nonce", field("nonce")), quoted("uri", uri), quoted("response", response)],
    ...(fields.has("algorithm") ? [`algorithm=${hash === "md5" ? "MD5" : "SHA-256"}`] : []),
    ...(fields.has("opaque") ? [quoted("opaque", field("opaque"))] : []),
    ...(hasQop ? ["qop=auth", `nc=${count}`, quoted("cnonce", cnonce)] : []),
  ].join(", ")}`;
}

// The wire.

type Sent = { readonly kind: "sent"; readonly status: number; readonly challenges: readonly string[]; readonly text: string };

/** One POST and its whole reply, or why there is none. Nothing of it is left when it settles. Never rejects. */
function post(
  address: URL,
  soap: string,
  action: string,
  authorization: string | null,
  forMs: number,
  signal: AbortSignal,
): Promise<Sent | CameraFailure> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(stopped);
    let request: ClientRequest | null = null;
    const done = (result: Sent | CameraFailure) => {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      request?.destroy();
      resolve(result);
    };
    const stop = () => done(stopped);
    const late = setTimeout(() => done(failed("timeout", "no answer in time")), Math.max(0, forMs));
    signal.addEventListener("abort", stop, { once: true });
    const headers = {
      "Content-Type": `application/soap+xml; charset=utf-8; action="${action}"`,
      ...(authorization === null ? {} : { Authorization: authorization }),
    };
    try {
      request = address.protocol === "https:" ? httpsRequest(secureOptions(address, headers)) : httpRequest(optionsOf(address, headers));
    } catch {
      // What a camera's challenge holds, or a user's name, may be no header.
      return done(failed("nonsense", "a login that is no header"));
    }
    request.on("error", (error: NodeJS.ErrnoException) => done(failureOf(error.code ?? "unknown")));
    request.on("close", () => done(failed("refused", "closed without an answer")));
    request.on("response", (response) => receive(response, done));
    // Bytes, not text: Node writes headers that go with a text in UTF-8, a name in Authorization twice over.
    request.end(Buffer.from(soap));
  });
}

/** Options in parts, never from the URL: a user in an address would leave as Basic. */
function optionsOf({ hostname, port, pathname, search }: URL, headers: Record<string, string>): RequestOptions {
  return {
    ...{ method: "POST", headers },
    host: hostname.replace(/^\[|\]$/g, ""),
    ...(port === "" ? {} : { port }),
    path: `${pathname}${search}`,
    // A socket of its own that closes with the reply: cameras have few, and forget the idle ones.
    agent: false,
    maxHeaderSize: mostHeaderBytes,
  };
}

/**
 * Cameras sign their certificates themselves, many with the TLS of their day; there is no other to ask for. It hides from a listener; that it is
 * this camera nobody vouches for, as with http. That is why over both a password leaves as a digest only.
 */
function secureOptions(address: URL, headers: Record<string, string>): SecureOptions {
  return { ...optionsOf(address, headers), rejectUnauthorized: false, minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" };
}

function receive(response: IncomingMessage, done: (result: Sent | CameraFailure) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("error", (error: NodeJS.ErrnoException) => done(failureOf(error.code ?? "unknown")));
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostReplyBytes) return done(failed("nonsense", "a reply above 1 MB"));
    chunks.push(chunk);
  });
  response.on("end", () => {
    const challenges = response.headersDistinct["www-authenticate"] ?? [];
    done({ kind: "sent", status: response.statusCode ?? 0, challenges, text: new TextDecoder().decode(Buffer.concat(chunks)) });
  });
}

const unreachable = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"],
  ...["ENOTFOUND", "EAI_AGAIN", "EADDRNOTAVAIL", "EACCES", "EPERM"],
]);

/** The code alone: messages of errors may hold what was sent. What is neither late nor unreachable speaks something else than HTTP or TLS. */
function failureOf(code: string): CameraFailure {
  if (code === "ETIMEDOUT") return failed("timeout", code);
  return failed(unreachable.has(code) ? "refused" : "nonsense", code);
}

// What comes back.

/** An element as the package parses it: children by local name, attributes under `$`, text under `_` where there are attributes. */
type Node = { readonly [name: string]: unknown };
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value);
/** Own properties alone: an element may be called `__proto__` or `constructor`. */
const own = (value: unknown, name: string): unknown => (isNode(value) && Object.hasOwn(value, name) ? value[name] : undefined);
/** Every child of that name. */
function all(value: unknown, name: string): readonly unknown[] {
  const found = own(value, name);
  return found === undefined ? [] : Array.isArray(found) ? found : [found];
}
/** The first child of each name, one in the other. */
const at = (value: unknown, ...names: readonly string[]): unknown => names.reduce<unknown>((node, name) => all(node, name)[0], value);

/** One line of text, or null where there is none or more than `mostChars`. */
function textOf(value: unknown, mostChars = mostTextChars): string | null {
  const text = isNode(value) ? own(value, "_") : value;
  if (typeof text !== "string" || text.length > mostReplyBytes) return null;
  const line = text.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return line === "" || line.length > mostChars ? null : line;
}
function numberOf(value: unknown, most: number): number | null {
  const text = textOf(value);
  const number = text === null ? Number.NaN : Number(text);
  return number > 0 && number <= most ? number : null;
}
/** An attribute, whatever its prefix. */
function attributeOf(value: unknown, name: string): string | null {
  const attributes = own(value, "$");
  const key = isNode(attributes) ? Object.keys(attributes).find((full) => full.replace(/^.*:/, "") === name) : undefined;
  return key === undefined ? null : textOf(own(attributes, key));
}

/** The response of the operation, or the failure that the reply amounts to. Never rejects. */
async function answerOf({ status, text }: Sent, operation: string, credential: Credential | null): Promise<Answer | CameraFailure> {
  const envelope = isTame(text) ? await parsed(text) : null;
  const fault = at(envelope, "Body", "Fault");
  if (isNode(fault)) return faultOf(fault, credential);
  if (status < 200 || status > 299) return statusFailure(status);
  const response = at(envelope, "Body", `${operation}Response`);
  if (response === undefined) return failed("nonsense", "no answer to what was asked");
  return { kind: "ok", response: isNode(response) ? response : {}, xml: text };
}

/**
 * No document type (SOAP 1.2 part 1 §5 forbids it, entities come with it), and neither more, longer nor deeper elements than ONVIF has: parsing
 * happens on the event loop, at once, and takes many times the memory of the text.
 */
function isTame(text: string): boolean {
  if (text.length > mostXmlChars || /<!(?!--|\[CDATA\[)/.test(text)) return false;
  let [depth, marks, from] = [0, 0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const sign = text[i];
    if (sign === "<" || sign === "=" || sign === "&") marks += 1;
    if (sign === "<") [depth, from] = [depth + stepOf(text[i + 1]), i];
    else if (sign === ">" && text[i - 1] === "/") depth -= 1;
    if (marks > mostMarks || depth > mostDepth || i - from > mostPieceChars) return false;
  }
  return true;
}
/** How much deeper a tag leads, by its second letter. */
const stepOf = (letter: string | undefined) => (letter === "/" ? -1 : letter === "!" || letter === "?" ? 0 : 1);

/** null: no XML. The parser works at once; where it calls back neither way there will be nothing. */
function parsed(text: string): Promise<unknown> {
  return Promise.race([parse(text).catch(() => null), new Promise<null>((resolve) => setImmediate(resolve, null))]);
}

function statusFailure(status: number): CameraFailure {
  const detail = `http ${status}`;
  if (status === 401 || status === 403) return failed("password", detail);
  if (status === 404 || status === 405 || status === 501) return failed("unsupported", detail);
  return failed(status < 400 ? "nonsense" : "fault", detail);
}

/** Codes of ONVIF's core specification (§5.8.2) and of WS-Security, and the words of cameras that give none. SOAP 1.1 as well. */
function faultOf(fault: Node, credential: Credential | null): CameraFailure {
  const code = at(fault, "Code");
  const codes = [at(code, "Value"), at(code, "Subcode", "Value"), at(code, "Subcode", "Subcode", "Value"), at(fault, "faultcode")];
  const reasons = [at(fault, "Reason", "Text"), at(fault, "faultstring")];
  const said = [...codes, ...reasons].flatMap((value) => textOf(value) ?? []).join(" ");
  const detail = redacted(said === "" ? "a fault without a reason" : said, credential);
  if (/not\s?authorized|unauthorized|authority|FailedAuthentication|FailedCheck|InvalidSecurity|password|locked/i.test(said))
    return failed("password", detail);
  return failed(
    /ActionNotSupported|NotSupported|not\s(?:implemented|supported)|NotImplemented/i.test(said) ? "unsupported" : "fault",
    detail,
  );
}

/** A camera may put anything into its words, what we told it included. */
function redacted(text: string, credential: Credential | null): string {
  const secrets = [credential?.password ?? "", credential?.username ?? ""].filter((secret) => secret !== "");
  return secrets.reduce((line, secret) => line.replaceAll(secret, "…"), text).slice(0, mostTextChars);
}

// Its clock.

/** A camera's clock, and how to know it later without asking. */
type Dated = {
  readonly kind: "dated";
  readonly time: CameraTime;
  readonly zone: string | null;
  readonly isDaylight: boolean;
  readonly cameraMs: number | null;
  readonly monoMs: number;
};
const undated: Dated = {
  kind: "dated",
  time: { kind: "ok", offsetMs: null, neverSet: false, timeZone: null },
  ...{ zone: null, isDaylight: false, cameraMs: null, monoMs: 0 },
};

/** Asks without login; a camera that wants one even here is asked again, dated by the box's clock. */
async function readClock(call: Call): Promise<Dated | CameraFailure> {
  const question = { namespace: device, operation: "GetSystemDateAndTime" };
  let askedMs = call.clock.monoMs();
  let answer = await ask(call, call.address, question, true);
  if (isFailed(answer) && answer.reason === "password" && call.credential !== null) {
    askedMs = call.clock.monoMs();
    answer = await ask(call, call.address, question);
  }
  if (isFailed(answer)) return answer;
  const monoMs = (askedMs + call.clock.monoMs()) / 2;
  const wallMs = call.clock.wallMs() - (call.clock.monoMs() - monoMs);
  const told = at(answer.response, "SystemDateAndTime");
  const zone = textOf(at(told, "TimeZone", "TZ"));
  const isDaylight = textOf(at(told, "DaylightSavings"))?.toLowerCase() === "true";
  return { kind: "dated", time: timeOf(utcOf(told), wallMs, zone), zone, isDaylight, cameraMs: utcOf(told), monoMs };
}

function timeOf(utcMs: number | null, wallMs: number, timeZone: string | null): CameraTime {
  const neverSet = utcMs !== null && utcMs < neverSetBefore;
  return { kind: "ok", offsetMs: utcMs === null || neverSet ? null : Math.round(utcMs - wallMs), neverSet, timeZone };
}

/** null: it does not say UTC, or no date that there is. It tells whole seconds, which it has begun: half of one is added. */
function utcOf(told: unknown): number | null {
  const part = (group: string, name: string) => {
    const text = textOf(at(told, "UTCDateTime", group, name)) ?? "";
    return /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  };
  const [year, month, day] = [part("Date", "Year"), part("Date", "Month"), part("Date", "Day")];
  const [hour, minute, second] = [part("Time", "Hour"), part("Time", "Minute"), part("Time", "Second")];
  const utcMs = Date.UTC(year, month - 1, day, hour, minute, second);
  if (Number.isNaN(utcMs) || year < firstYear || year > lastYear || hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? utcMs + 500 : null;
}

/** The same call with tokens dated by the camera's clock, which goes on with the monotonic one. */
function datedCall(call: Call, { cameraMs, monoMs }: Dated): Call {
  return cameraMs === null ? call : { ...call, cameraMs: () => cameraMs + (call.clock.monoMs() - monoMs) };
}

async function setTime(call: Call, { zone, isDaylight }: Dated): Promise<{ readonly kind: "ok" } | CameraFailure> {
  const now = new Date(Math.round(call.clock.wallMs() / 1_000) * 1_000);
  const part = (name: string, value: number) => `<${name}>${value}</${name}>`;
  const time = part("Hour", now.getUTCHours()) + part("Minute", now.getUTCMinutes()) + part("Second", now.getUTCSeconds());
  const date = part("Year", now.getUTCFullYear()) + part("Month", now.getUTCMonth() + 1) + part("Day", now.getUTCDate());
  // Its own zone goes back: some cameras forget it where it is left out.
  const zoned = zone === null ? "" : `<TimeZone><TZ xmlns="${schema}">${escaped(zone)}</TZ></TimeZone>`;
  const utc = `<UTCDateTime><Time xmlns="${schema}">${time}</Time><Date xmlns="${schema}">${date}</Date></UTCDateTime>`;
  const inner = `<DateTimeType>Manual</DateTimeType><DaylightSavings>${isDaylight}</DaylightSavings>${zoned}${utc}`;
  const answer = await ask(call, call.address, { namespace: device, operation: "SetSystemDateAndTime", inner });
  return isFailed(answer) ? answer : { kind: "ok" };
}

// Who it is, and what it offers.

async function identify(call: Call): Promise<(CameraIdentity & { readonly kind: "ok" }) | CameraFailure> {
  const answer = await ask(call, call.address, { namespace: device, operation: "GetDeviceInformation" });
  if (isFailed(answer)) return answer;
  const told = (name: string) => textOf(at(answer.response, name));
  return {
    ...{ kind: "ok", make: told("Manufacturer"), model: told("Model"), serial: told("SerialNumber"), firmware: told("FirmwareVersion") },
    mac: null,
  };
}

async function describe(call: Call, { time }: Dated): ReturnType<CameraPort["describe"]> {
  const identity = await identify(call);
  if (isFailed(identity)) return identity;
  const mac = await macOf(call);
  if (isFailed(mac)) return mac;
  const services = await servicesOf(call);
  if (isFailed(services)) return services;
  const profiles = await profilesOf(call, services);
  return isFailed(profiles) ? profiles : { ...identity, mac: mac.mac, time, profiles: profiles.profiles };
}

/** Of the first interface that has one. A camera that does not tell its interfaces has none here. */
async function macOf(call: Call): Promise<{ readonly kind: "mac"; readonly mac: string | null } | CameraFailure> {
  const answer = await ask(call, call.address, { namespace: device, operation: "GetNetworkInterfaces" });
  if (isFailed(answer)) return isDeclined(answer) ? { kind: "mac", mac: null } : answer;
  const addresses = all(answer.response, "NetworkInterfaces").map((one) => textOf(at(one, "Info", "HwAddress")) ?? "");
  const macs = addresses.map((text) => text.toLowerCase().replace(/[^0-9a-f]/g, "")).filter((hex) => /^(?!0{12})[0-9a-f]{12}$/.test(hex));
  return { kind: "mac", mac: macs[0]?.match(/../g)?.join(":") ?? null };
}

type Services = { readonly kind: "services"; readonly addresses: ReadonlyMap<string, URL> };

/** Addresses by namespace: GetServices, and GetCapabilities where a camera does not know it. */
async function servicesOf(call: Call): Promise<Services | CameraFailure> {
  const inner = "<IncludeCapability>false</IncludeCapability>";
  const answer = await ask(call, call.address, { namespace: device, operation: "GetServices", inner });
  if (isFailed(answer)) return isDeclined(answer) ? capabilitiesOf(call) : answer;
  const told = all(answer.response, "Service").map((one) => [textOf(at(one, "Namespace")) ?? "", at(one, "XAddr")] as const);
  return told.length === 0 ? capabilitiesOf(call) : addressesOf(call, told);
}

async function capabilitiesOf(call: Call): Promise<Services | CameraFailure> {
  const answer = await ask(call, call.address, { namespace: device, operation: "GetCapabilities", inner: "<Category>All</Category>" });
  if (isFailed(answer)) return answer.reason === "unsupported" ? { kind: "services", addresses: new Map() } : answer;
  const offered = at(answer.response, "Capabilities");
  return addressesOf(call, [
    [media, at(offered, "Media", "XAddr")],
    [events, at(offered, "Events", "XAddr")],
  ]);
}

function addressesOf({ address }: Call, told: readonly (readonly [string, unknown])[]): Services {
  const known = told.flatMap(([namespace, text]) => {
    const service = near(address, textOf(text, mostUrlChars));
    return service !== null && [media, media2, events].includes(namespace) ? [[namespace, service] as const] : [];
  });
  return { kind: "services", addresses: new Map(known) };
}

/**
 * The address of a service, at the host of the target whatever the camera says: behind a router it gives an address that is not reached from
 * here, and no camera sends us to a stranger with a login.
 */
function near(address: URL, text: string | null): URL | null {
  const told = text === null ? null : urlOf(text, /^https?:$/);
  if (told === null) return null;
  const service = new URL(address.origin);
  if (told.hostname === address.hostname && told.protocol === address.protocol) service.port = told.port;
  service.pathname = told.pathname;
  service.search = told.search;
  return service;
}

function urlOf(text: string, protocol: RegExp): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && protocol.test(url.protocol) && url.hostname !== "" ? url : null;
}

type Profiles = { readonly kind: "profiles"; readonly profiles: readonly CameraProfile[] };

/** Media2 first, which alone knows H.265; Media where that declines or gives nothing. No media service: no profiles. */
async function profilesOf(call: Call, { addresses }: Services): Promise<Profiles | CameraFailure> {
  let result: Profiles | CameraFailure = { kind: "profiles", profiles: [] };
  for (const namespace of [media2, media]) {
    const address = addresses.get(namespace);
    if (address === undefined) continue;
    result = await profilesAt(call, address, namespace);
    if (isFailed(result) ? !isDeclined(result) && result.reason !== "nonsense" : result.profiles.length > 0) return result;
  }
  return isFailed(result) && result.reason === "unsupported" ? { kind: "profiles", profiles: [] } : result;
}

async function profilesAt(call: Call, address: URL, namespace: string): Promise<Profiles | CameraFailure> {
  const inner = namespace === media2 ? "<Type>VideoEncoder</Type>" : "";
  const answer = await ask(call, address, { namespace, operation: "GetProfiles", inner });
  if (isFailed(answer)) return answer;
  const profiles: CameraProfile[] = [];
  for (const told of all(answer.response, "Profiles").slice(0, mostProfiles)) {
    const token = attributeOf(told, "token");
    if (token === null) continue;
    const url = await uriOf(call, address, { namespace, operation: "GetStreamUri", inner: streamSetup(namespace, token) });
    const shot = await uriOf(call, address, { namespace, operation: "GetSnapshotUri", inner: profileToken(token) });
    // What takes the whole call's time, or was stopped, is told; an address that one profile lacks is null.
    if (isFailed(url) && !isLesser(url)) return url;
    if (isFailed(shot) && !isLesser(shot)) return shot;
    profiles.push({
      ...{ token, ...encoderOf(told) },
      url: isFailed(url) ? null : addressOf(url.uri, /^rtsps?:$/, call.credential),
      snapshotUrl: isFailed(shot) ? null : addressOf(shot.uri, /^https?:$/, call.credential),
    });
  }
  return { kind: "profiles", profiles };
}

const isLesser = (failure: CameraFailure) => isDeclined(failure) || failure.reason === "nonsense" || failure.reason === "password";
const profileToken = (token: string) => `<ProfileToken>${escaped(token)}</ProfileToken>`;

function streamSetup(namespace: string, token: string): string {
  if (namespace === media2) return `<Protocol>RTSP</Protocol>${profileToken(token)}`;
  const transport = `<Transport xmlns="${schema}"><Protocol>RTSP</Protocol></Transport>`;
  return `<StreamSetup><Stream xmlns="${schema}">RTP-Unicast</Stream>${transport}</StreamSetup>${profileToken(token)}`;
}

async function uriOf(
  call: Call,
  address: URL,
  question: Question,
): Promise<{ readonly kind: "uri"; readonly uri: string | null } | CameraFailure> {
  const answer = await ask(call, address, question);
  if (isFailed(answer)) return answer;
  return { kind: "uri", uri: textOf(at(answer.response, "Uri") ?? at(answer.response, "MediaUri", "Uri"), mostUrlChars) };
}

/** Without login: neither before the host, nor where some makes write it into the path or the query; with the password anywhere it is none. */
function addressOf(text: string | null, protocol: RegExp, credential: Credential | null): string | null {
  const url = text === null ? null : urlOf(text, protocol);
  if (url === null) return null;
  url.username = "";
  url.password = "";
  const bare = url.href.replace(/((?:password|passwd|pwd|pass)=)[^&?#/]*?(?=_channel|[&?#/]|$)/gi, "$1");
  const secret = credential?.password ?? "";
  return secret !== "" && [bare, decoded(bare)].some((line) => line.includes(secret)) ? null : bare;
}
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Of a profile of Media2 (`Configurations/VideoEncoder`) or of Media (`VideoEncoderConfiguration`). */
function encoderOf(profile: unknown): Pick<CameraProfile, "codec" | "width" | "height" | "fps"> {
  const encoder = at(profile, "Configurations", "VideoEncoder") ?? at(profile, "VideoEncoderConfiguration");
  const codec =
    textOf(at(encoder, "Encoding"))
      ?.toLowerCase()
      .replace(/[^a-z0-9-]/g, "") ?? "";
  const side = (name: string) => {
    const pixels = numberOf(at(encoder, "Resolution", name), 100_000);
    return Number.isInteger(pixels) ? pixels : null;
  };
  return {
    codec: codec === "" ? null : codec,
    ...{ width: side("Width"), height: side("Height"), fps: numberOf(at(encoder, "RateControl", "FrameRateLimit"), 1_000) },
  };
}

// Its signs.

/** A subscription outlives its box by this. */
const subscribedSeconds = 60;
const renewEveryMs = 30_000;
/** The camera holds a pull back this long when it has nothing to say. */
const pullSeconds = 20;
const mostMessages = 50;
/** One that does not hold back is not asked faster than this. */
const pullEveryMs = 1_000;
const farewellMs = 2_000;
/** Whole seconds are told: less is no step. */
const movedMs = 2_000;

async function follow(visit: Call, onSign: (sign: CameraSign) => void): Promise<CameraFailure> {
  const services = await servicesOf(visit);
  if (isFailed(services)) return services;
  const address = services.addresses.get(events);
  if (address === undefined) return failed("unsupported", "no event service");
  const subscription = await subscribe(visit, address);
  if (isFailed(subscription)) return subscription;
  // From here on each request has its own deadline; how long it all takes is the caller's.
  const call = { ...visit, endsAtMs: Number.POSITIVE_INFINITY };
  const { end, last } = await pull(call, subscription, onSign);
  await leave(last, subscription);
  return end;
}

type Subscription = { readonly kind: "subscription"; readonly address: URL; readonly header: string; readonly xmlns: readonly string[] };

async function subscribe(call: Call, address: URL): Promise<Subscription | CameraFailure> {
  const inner = `<InitialTerminationTime>PT${subscribedSeconds}S</InitialTerminationTime>`;
  const action = `${events}/EventPortType/CreatePullPointSubscriptionRequest`;
  const answer = await ask(call, address, { namespace: events, operation: "CreatePullPointSubscription", inner, action });
  if (isFailed(answer)) return answer;
  const told = textOf(at(answer.response, "SubscriptionReference", "Address"), mostUrlChars);
  const manager = near(call.address, told);
  if (told === null || manager === null) return failed("nonsense", "a subscription without an address");
  const { header, xmlns } = referenceOf(answer.xml);
  return { kind: "subscription", address: manager, header: `<wsa:To>${escaped(told)}</wsa:To>${header}`, xmlns };
}

/**
 * The parameters by which some makes know a subscription: they go back as they came (WS-Addressing 1.0 SOAP binding §3.4), with every prefix
 * that the reply declares.
 */
function referenceOf(xml: string): { readonly header: string; readonly xmlns: readonly string[] } {
  const told = /<(?:[\w.-]+:)?ReferenceParameters\b[^<>]*>([\s\S]{0,2000}?)<\/(?:[\w.-]+:)?ReferenceParameters>/.exec(xml)?.[1] ?? "";
  const declared = new Map([["wsa", `"${addressing}"`]]);
  for (const [, prefix = "", uri = ""] of told === "" ? [] : xml.matchAll(/\sxmlns:([\w.-]{1,40})=("[^"<>]{0,200}"|'[^'<>]{0,200}')/g))
    if (prefix !== "s" && !declared.has(prefix) && declared.size < 40) declared.set(prefix, uri);
  const header = told.replace(/<([\w.-]+(?::[\w.-]+)?)/, '<$1 wsa:IsReferenceParameter="true"');
  return { header, xmlns: [...declared].map(([prefix, uri]) => `xmlns:${prefix}=${uri}`) };
}

/** Asks the subscription's own address. */
function askManager(call: Call, { address, header, xmlns }: Subscription, question: Question & { readonly action: string }) {
  const reply = `<wsa:ReplyTo><wsa:Address>${addressing}/anonymous</wsa:Address></wsa:ReplyTo>`;
  const head = `<wsa:Action>${question.action}</wsa:Action><wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>${reply}${header}`;
  return ask(call, address, { ...question, header: head, xmlns });
}

/** Pulls and renews until it fails or is stopped; `last` is dated by the camera's clock as it was seen last. */
async function pull(
  visit: Call,
  subscription: Subscription,
  onSign: (sign: CameraSign) => void,
): Promise<{ readonly end: CameraFailure; readonly last: Call }> {
  const { clock, signal, deadlineMs } = visit;
  let call = visit;
  let renewedMs = clock.monoMs();
  let isMoved = false;
  const question = {
    ...{ namespace: events, operation: "PullMessages", action: `${events}/PullPointSubscription/PullMessagesRequest` },
    inner: `<Timeout>PT${pullSeconds}S</Timeout><MessageLimit>${mostMessages}</MessageLimit>`,
  };
  for (;;) {
    const askedMs = clock.monoMs();
    if (askedMs - renewedMs > renewEveryMs) {
      call = await renew(call, subscription);
      renewedMs = askedMs;
    }
    const answer = await askManager({ ...call, deadlineMs: deadlineMs + pullSeconds * 1_000 }, subscription, question);
    const moved: Call | null = isFailed(answer) && answer.reason === "password" && !isMoved ? await redated(call) : null;
    isMoved = moved !== null;
    if (moved !== null) {
      call = moved;
      continue;
    }
    if (isFailed(answer)) return { end: answer, last: call };
    for (const message of all(answer.response, "NotificationMessage").slice(0, mostMessages)) {
      const sign = signOf(message);
      if (sign !== null && !signal.aborted) onSign(sign);
    }
    const spentMs = clock.monoMs() - askedMs;
    if (spentMs < pullEveryMs) await clock.sleep(pullEveryMs - spentMs, signal);
    if (signal.aborted) return { end: stopped, last: call };
  }
}

/** null: the camera's clock stands where it was thought to, so that the login was not refused for its date. */
async function redated(call: Call): Promise<Call | null> {
  const dated = await readClock(call);
  if (isFailed(dated) || dated.cameraMs === null) return null;
  const next = datedCall(call, dated);
  return Math.abs(next.cameraMs() - call.cameraMs()) > movedMs ? next : null;
}

/** Looks at the camera's clock again, which may have been set, and prolongs. That it declines is nothing: with many makes a pull prolongs, and where not, the next pull fails. */
async function renew(call: Call, subscription: Subscription): Promise<Call> {
  const dated = await readClock(call);
  const now = isFailed(dated) ? call : datedCall(call, dated);
  const action = `${notification.replace(/b-2$/, "bw-2")}/SubscriptionManager/RenewRequest`;
  const inner = `<TerminationTime>PT${subscribedSeconds}S</TerminationTime>`;
  await askManager(now, subscription, { namespace: notification, operation: "Renew", inner, action });
  return now;
}

/** Takes the subscription back, as cameras have few: also after a stop, and briefly. */
async function leave(call: Call, subscription: Subscription): Promise<void> {
  const action = `${notification.replace(/b-2$/, "bw-2")}/SubscriptionManager/UnsubscribeRequest`;
  const late = { ...call, signal: new AbortController().signal, deadlineMs: Math.min(farewellMs, call.deadlineMs) };
  await askManager(late, subscription, { namespace: notification, operation: "Unsubscribe", action });
}

/** Topics of ONVIF's core and imaging specifications, and what makes call them. null: it has no topic. */
function signOf(message: unknown): CameraSign | null {
  const topic = textOf(at(message, "Topic"));
  if (topic === null) return null;
  const content = at(message, "Message", "Message");
  const items = all(at(content, "Data"), "SimpleItem").map((item) => attributeOf(item, "Value")?.toLowerCase() ?? "");
  const state = items.find((value) => /^(?:true|false|1|0)$/.test(value));
  const active = state === undefined ? null : state === "true" || state === "1";
  return { kind: kindOf(topic, attributeOf(content, "PropertyOperation") === "Initialized"), topic, active };
}

/** A new subscription is told the state of all that there is, the last reboot's date included: that is no reboot now. */
function kindOf(topic: string, isState: boolean): CameraSign["kind"] {
  if (/tamper|GlobalSceneChange/i.test(topic)) return "tampering";
  if (/signal_?lo(?:ss|st)|video_?loss/i.test(topic)) return "signal-loss";
  return /reboot|LastReset/i.test(topic) && !isState ? "reboot" : "other";
}
