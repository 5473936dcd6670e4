/** An RTSP server that answers DESCRIBE: with a login of one kind, some streams, and bad manners where they are asked for. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { repository } from "./cameras.ts";

export type Login = "none" | "md5" | "md5-qop" | "sha-256" | "basic" | "odd";
export type RtspOptions = {
  readonly server: string;
  readonly login: Login;
  readonly username: string;
  readonly password: string;
  /** Descriptions by path and query. */
  readonly streams: Readonly<Record<string, string>>;
  /** Instead of every answer. */
  readonly instead?: (socket: Socket) => void;
};
/** Where it listens, if not on a free port of the loopback. */
export type Place = { readonly address: string; readonly port: number };
export type RtspServer = { readonly port: number; readonly heard: readonly string[]; stop(): Promise<void> };

/** A description as cameras give it. */
export const description = (codec: string, more: readonly string[] = []): string =>
  [
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=Media",
    "t=0 0",
    "m=video 0 RTP/AVP 96",
    `a=rtpmap:96 ${codec}/90000`,
    ...more,
    "m=audio 0 RTP/AVP 8",
    "a=rtpmap:8 PCMA/8000",
    "",
  ].join("\r\n");

export async function startRtsp(options: RtspOptions, place: Place = { address: "127.0.0.1", port: 0 }): Promise<RtspServer> {
  const heard: string[] = [];
  const nonces = new Set<string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (!text.includes("\r\n\r\n")) return;
      heard.push(text);
      if (options.instead !== undefined) return options.instead(socket);
      socket.write(answerTo(options, nonces, text));
      text = "";
    });
  });
  await new Promise<void>((resolve) => server.listen(place.port, place.address, resolve));
  return {
    port: (server.address() as { port: number }).port,
    heard,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answerTo(options: RtspOptions, nonces: Set<string>, request: string): string {
  const [, method = "", url = ""] = /^(\w+) (\S+) RTSP/.exec(request) ?? [];
  const head = (status: string, ...more: readonly string[]) =>
    [`RTSP/1.0 ${status}`, `CSeq: ${/CSeq: (\d+)/.exec(request)?.[1] ?? 0}`, `Server: ${options.server}`, ...more, "", ""].join("\r\n");
  if (method !== "DESCRIBE") return head("405 Method Not Allowed");
  if (!isLetIn(options, nonces, request, url)) return head("401 Unauthorized", ...challenges(options.login, nonces));
  const body = options.streams[url.replace(/^rtsp:\/\/[^/]+/, "")];
  if (body === undefined) return head("404 Not Found");
  return `${head("200 OK", "Content-Type: application/sdp", `Content-Length: ${Buffer.byteLength(body)}`)}${body}`;
}

const realm = "IP Camera(1)";

function challenges(login: Login, nonces: Set<string>): readonly string[] {
  const nonce = randomBytes(8).toString("hex");
  nonces.add(nonce);
  const digest = (more: string) => `WWW-Authenticate: Digest realm="${realm}", nonce="${nonce}"${more}`;
  const basic = `WWW-Authenticate: Basic realm="${realm}"`;
  const kinds: Readonly<Record<Login, readonly string[]>> = {
    ...{ none: [], basic: [basic], md5: [basic, digest(', stale="FALSE"')], "md5-qop": [digest(', qop="auth,auth-int", opaque="x"')] },
    ...{ "sha-256": [digest(", algorithm=MD5"), digest(", algorithm=SHA-256")], odd: [digest(", algorithm=SHA-512-256")] },
  };
  return kinds[login];
}

function isLetIn({ login, username, password }: RtspOptions, nonces: Set<string>, request: string, url: string): boolean {
  if (login === "none") return true;
  const sent = /^Authorization: Digest (.*)$/m.exec(request)?.[1] ?? "";
  const field = (name: string) =>
    new RegExp(`(?:^|, )${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^,\\s]+))`).exec(sent)?.slice(1).find(Boolean) ?? "";
  const hash = (text: string) =>
    createHash(login === "sha-256" ? "sha256" : "md5")
      .update(text, "utf8")
      .digest("hex");
  const middle = login === "md5-qop" ? `${field("nonce")}:${field("nc")}:${field("cnonce")}:auth` : field("nonce");
  const wanted = hash(`${hash(`${username}:${realm}:${password}`)}:${middle}:${hash(`DESCRIBE:${url}`)}`);
  return (
    nonces.has(field("nonce")) &&
    field("username").replace(/\\(.)/g, "$1") === username &&
    field("response") === wanted &&
    field("uri") === url
  );
}

/** The same as a process after `inside`; it must be built. Resolves with how to end it. */
export async function startRtspInside(
  inside: readonly string[],
  options: Omit<RtspOptions, "instead">,
  place: Place,
): Promise<() => Promise<void>> {
  const [command = "", ...args] = [
    ...inside,
    process.execPath,
    join(repository, "dist/test/lib/rtsp.js"),
    JSON.stringify([options, place]),
  ];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const dieWithUs = () => void child.kill("SIGKILL");
  process.once("exit", dieWithUs);
  await once(child.stdout, "data");
  return async () => {
    process.off("exit", dieWithUs);
    child.kill("SIGKILL");
    await ended;
  };
}

if (process.argv[1] === import.meta.filename) {
  await startRtsp(...(JSON.parse(process.argv[2] ?? "") as [RtspOptions, Place]));
  process.stdout.write("ready\n");
}
