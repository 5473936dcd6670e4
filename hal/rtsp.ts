/** A look at one address of a camera's RTSP server: one DESCRIBE (RFC 2326 §10.2), which opens no session. A password leaves as a digest only. */
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Credential, StreamLook, StreamView } from "./ports.ts";

const standardPort = 554;
/** Head and description are a few kilobytes; what is longer is none. */
const mostHeadBytes = 16_384;
const mostBodyBytes = 65_536;
const mostServerChars = 200;

export const rtsp: StreamLook = {
  look: async (url, credential, timeoutMs, signal) => {
    if (signal.aborted) return failed("stopped");
    if (!URL.canParse(url) || new URL(url).protocol !== "rtsp:") return failed("nonsense");
    const address = new URL(url);
    const timeout = new AbortController();
    const late = setTimeout(() => timeout.abort(), timeoutMs);
    try {
      return await describe(address, credential, AbortSignal.any([signal, timeout.signal]));
    } catch (error) {
      if (signal.aborted) return failed("stopped");
      return failed(timeout.signal.aborted ? "timeout" : error instanceof Nonsense ? "nonsense" : "refused");
    } finally {
      clearTimeout(late);
    }
  },
};

class Nonsense extends Error {}

type Failed = Extract<StreamView, { kind: "failed" }>;
const failed = (reason: Failed["reason"], server = ""): StreamView => ({ kind: "failed", reason, server });

async function describe(address: URL, credential: Credential | null, signal: AbortSignal): Promise<StreamView> {
  // A user's name and password have no place in the address that is sent.
  const target = `rtsp://${address.host}${address.pathname}${address.search}`;
  const first = await request(address, target, 1, null, signal);
  const challenge = first.status === 401 && credential !== null ? challengeOf(first.challenges) : null;
  const answer =
    challenge === null || credential === null
      ? first
      : await request(address, target, 2, authorizationFor(challenge, credential, target), signal);
  const server = serverOf(answer);
  if (answer.status === 401 || answer.status === 403) return failed("password", server);
  return answer.status === 200 ? viewOf(answer.body) : failed("not-found", server);
}

type Answer = { readonly status: number; readonly server: string; readonly challenges: readonly string[]; readonly body: string };

/** One request on a connection of its own: some servers close it after a refusal. Rejects where there is no answer. */
function request(address: URL, target: string, number: number, authorization: string | null, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.hostname.replace(/^\[|\]$/g, ""), port: Number(address.port) || standardPort });
    const end = () => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
    };
    const stop = () => fail(new Error("stopped"));
    const fail = (error: Error) => {
      end();
      reject(error);
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    socket.on("error", fail);
    socket.once("close", () => fail(new Error("closed")));
    const login = authorization === null ? "" : `Authorization: ${authorization}\r\n`;
    socket.once("connect", () =>
      socket.write(`DESCRIBE ${target} RTSP/1.0\r\nCSeq: ${number}\r\nAccept: application/sdp\r\nUser-Agent: matghi\r\n${login}\r\n`),
    );
    read(socket, (answer) => {
      end();
      if (answer === null) reject(new Nonsense());
      else resolve(answer);
    });
  });
}

/** Gathers one answer; null: what comes is none. */
function read(socket: Socket, done: (answer: Answer | null) => void): void {
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    if (!isBeginning(text)) return done(null);
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd < 0) return text.length > mostHeadBytes ? done(null) : undefined;
    const head = text.slice(0, headEnd);
    const bodyBytes = Number(/^Content-Length:\s*(\d{1,9})\s*$/im.exec(head)?.[1] ?? 0);
    if (headEnd > mostHeadBytes || bodyBytes > mostBodyBytes) return done(null);
    if (text.length < headEnd + 4 + bodyBytes) return;
    const status = Number(/^RTSP\/1\.0 (\d{3})/.exec(head)?.[1] ?? Number.NaN);
    const challenges = [...head.matchAll(/^WWW-Authenticate:\s*(.+?)\s*$/gim)].map(([, value]) => value ?? "");
    const server = /^Server:\s*(.+?)\s*$/im.exec(head)?.[1] ?? "";
    done(Number.isNaN(status) ? null : { status, server, challenges, body: text.slice(headEnd + 4, headEnd + 4 + bodyBytes) });
  });
}

const greeting = "RTSP/1.0 ";
const isBeginning = (text: string) => greeting.startsWith(text.slice(0, greeting.length));

/** What the server and its login call themselves. */
function serverOf({ server, challenges }: Answer): string {
  const realms = challenges.map((challenge) => /realm="([^"]*)"/i.exec(challenge)?.[1] ?? "");
  const line = [server, ...new Set(realms)].filter((text) => text !== "").join(" ");
  return line
    .replace(/[\p{C}]+/gu, " ")
    .slice(0, mostServerChars)
    .trim();
}

// Logins (RFC 2617, RFC 7616).

type Challenge = { readonly fields: ReadonlyMap<string, string>; readonly hash: "md5" | "sha256" };

/** The best digest that is offered; null: there is none that we speak, and Basic would tell the password. */
function challengeOf(challenges: readonly string[]): Challenge | null {
  const offers = challenges
    .filter((challenge) => /^Digest\s/i.test(challenge))
    .flatMap((challenge) => {
      const pairs = [...challenge.matchAll(/([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)];
      const fields = new Map(pairs.map(([, name = "", text, word]) => [name.toLowerCase(), text?.replace(/\\(.)/g, "$1") ?? word ?? ""]));
      const hash = { md5: "md5", "sha-256": "sha256" }[(fields.get("algorithm") ?? "MD5").toLowerCase()];
      return hash === "md5" || hash === "sha256" ? [{ fields, hash } as const] : [];
    });
  return offers.find(({ hash }) => hash === "sha256") ?? offers[0] ?? null;
}

function authorizationFor({ fields, hash }: Challenge, { username, password }: Credential, uri: string): string {
  const digest = (text: string) => createHash(hash).update(text, "utf8").digest("hex");
  const field = (name: string) => fields.get(name) ?? "";
  const hasQop = /(^|,)\s*auth\s*(,|$)/i.test(field("qop"));
  const [cnonce, count] = [randomBytes(8).toString("hex"), "00000001"];
  const realm = Buffer.from(field("realm"), "latin1").toString("utf8");
  const middle = hasQop ? `${field("nonce")}:${count}:${cnonce}:auth` : field("nonce");
  const response = digest(`${digest(`${username}:${realm}:${password}`)}:${middle}:${digest(`DESCRIBE:${uri}`)}`);
  // Of whatever a server or a file says, nothing begins a line of its own.
  const quoted = (name: string, value: string) => `${name}="${value.replace(/[\r\n]/g, " ").replace(/["\\]/g, "\\$&")}"`;
  return `Digest ${[
    ...[quoted("username", username), quoted("realm", realm), quoted("nonce", field("nonce")), quoted("uri", uri)],
    quoted("response", response),
    ...(fields.has("algorithm") ? [`algorithm=${hash === "md5" ? "MD5" : "SHA-256"}`] : []),
    ...(fields.has("opaque") ? [quoted("opaque", field("opaque"))] : []),
    ...(hasQop ? ["qop=auth", `nc=${count}`, quoted("cnonce", cnonce)] : []),
  ].join(", ")}`;
}

// What a description says (RFC 4566; sizes as makers write them).

const codecs: Readonly<Record<string, string>> = { hevc: "h265", "mp4v-es": "mpeg4" };
/** Pixels and frames a second that a camera may have. */
const mostPixels = 65_535;
const mostFps = 1_000;

function viewOf(description: string): StreamView {
  const video = /^m=video [\s\S]*?(?=^m=|(?![\s\S]))/m.exec(description)?.[0] ?? "";
  const name = (/^a=rtpmap:\d+ ([\w.-]{1,20})\//m.exec(video)?.[1] ?? (/^m=video .* 26\s*$/m.test(video) ? "jpeg" : "")).toLowerCase();
  const size = /^a=(?:x-dimensions:\s*|framesize:\d+ |cliprect:\d+,\d+,)(\d{1,6})\s*[,-]\s*(\d{1,6})/m.exec(video);
  const isUpright = size?.[0].startsWith("a=cliprect") ?? false;
  const [width, height] = (isUpright ? [size?.[2], size?.[1]] : [size?.[1], size?.[2]]).map((text) => within(text, mostPixels));
  const fps = within(/^a=(?:x-)?framerate:\s*(\d{1,4}(?:\.\d{1,6})?)/m.exec(video)?.[1], mostFps);
  return { kind: "ok", codec: name === "" ? null : (codecs[name] ?? name), width: width ?? null, height: height ?? null, fps };
}

/** A number above 0 and not above `most`; else null. */
function within(text: string | undefined, most: number): number | null {
  const value = Number(text ?? 0);
  return value > 0 && value <= most ? value : null;
}
