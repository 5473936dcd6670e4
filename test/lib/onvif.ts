/**
 * An ONVIF camera over the wire: device, media, media2 and events of several makes, with the logins cameras ask for, a clock of its own, and
 * every bad answer a camera or a stranger can give. It checks what it is told as strictly as the strictest camera does.
 */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { Socket } from "node:net";
import { join } from "node:path";
import { parse } from "node-onvif-ts/dist/node-onvif/module/soap.js";
import { answer, envelope, escaped, fault, type Make, type MakeFacts, makes, notAuthorized, notSupported } from "./makes.ts";
import { tempFolder } from "./temp.ts";

/** `token`: WS-UsernameToken. `both`: two digest challenges, MD5 first. `basic`: the password in clear or nothing. */
export type Login = "token" | "md5" | "sha-256" | "both" | "basic";

/** What a camera, or a stranger at its address, may send instead of an answer. */
export const troubles = [
  "http-500",
  "not-found",
  "not-authorized",
  "not-supported",
  "html",
  "redirect",
  "switching",
  "garbage",
  "gzip",
  "empty",
  "drip",
  "headers",
  "silence",
  "informing",
  "endless",
  "big",
  "header-flood",
  "bomb",
  "external",
  "truncated",
  "cut",
  "reset",
  "deep",
  "wide",
  "long-text",
  "long-attribute",
  "long-comment",
  "long-cdata",
  "crowded",
  "no-response",
  "pollution",
] as const;
export type Trouble = (typeof troubles)[number];

export type OnvifState = {
  readonly credential: { readonly username: string; readonly password: string } | null;
  readonly login: Login;
  /** Its clock minus the box's. */
  readonly clockOffsetMs: number;
  /** The clock asks for a login too, against the specification. */
  readonly isClockGuarded: boolean;
  /** The host in the addresses that it gives; null: the one it was asked by. */
  readonly host: string | null;
  /** Its subscriptions have reference parameters that must come back, as Axis's do. */
  readonly hasReference: boolean;
  /** So many logins by digest are answered with another nonce, as its own was too old. */
  readonly staleLogins: number;
  /** What it demands in a 401 instead of its honest challenge. */
  readonly challenge: readonly string[] | null;
  readonly trouble: Trouble | null;
  /** The trouble meets this operation only. */
  readonly troubled: string | null;
  /** Its last word over a reply, for mutations. */
  readonly rewrite: ((xml: string, operation: string) => string) | null;
};
/** One request as it came in. */
export type Seen = {
  readonly operation: string;
  readonly authorization: string | null;
  readonly hasToken: boolean;
  readonly headers: string;
  readonly body: string;
  readonly path: string;
};
export type OnvifCamera = {
  readonly xaddr: string;
  readonly seen: readonly Seen[];
  readonly subscriptions: ReadonlySet<string>;
  readonly facts: MakeFacts;
  clockMs(): number;
  set(change: Partial<OnvifState>): void;
  /** Sends a sign to every subscription. `operation`: Initialized or Changed. */
  emit(topic: string, item: { readonly name: string; readonly value: string }, operation?: string): void;
  stop(): Promise<void>;
};

const honest: OnvifState = {
  ...{ credential: { username: "admin", password: "s3cret&<pass>" }, login: "token", clockOffsetMs: 0, isClockGuarded: false, host: null },
  ...{ hasReference: false, staleLogins: 0, challenge: null, trouble: null, troubled: null, rewrite: null },
};
/** What ONVIF's core specification gives before any login (access class PRE_AUTH). */
const open = new Set(["GetSystemDateAndTime", "GetServices", "GetCapabilities"]);
/** How far a token may be off the camera's clock. */
const tokenForMs = 5_000;
const mostRequestBytes = 65_536;

/** A key and a certificate that nobody signed, as cameras make them. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const folder = tempFolder("onvif-tls");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const curve = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

type Camera = {
  state: OnvifState;
  /** The login just refused was right but for its nonce. */
  isStale: boolean;
  readonly facts: MakeFacts;
  readonly seen: Seen[];
  /** By name: what waits to be pulled, and who waits for it. */
  readonly subscriptions: Map<string, Subscription>;
  readonly tokenNonces: Set<string>;
  readonly httpNonces: Map<string, number>;
  readonly scheme: string;
};
type Subscription = { readonly messages: string[]; wake: () => void };

/** Starts a camera on a free port of loopback, or of another address of this machine. */
export async function startOnvif(
  make: Make,
  change: Partial<OnvifState> = {},
  tls: ServerOptions | null = null,
  host = "127.0.0.1",
): Promise<OnvifCamera> {
  const state = { ...honest, ...change };
  const camera: Camera = {
    ...{ state, isStale: false, facts: makes[make], seen: [], subscriptions: new Map(), tokenNonces: new Set(), httpNonces: new Map() },
    scheme: tls === null ? "http" : "https",
  };
  const act = (request: IncomingMessage, response: ServerResponse) => void take(camera, request, response);
  const server = tls === null ? createServer(act) : createSecureServer(tls, act);
  const sockets = new Set<Socket>();
  server.on(tls === null ? "connection" : "secureConnection", (socket: Socket) => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    xaddr: `${camera.scheme}://${host}:${port}/onvif/device_service`,
    seen: camera.seen,
    get subscriptions() {
      return new Set(camera.subscriptions.keys());
    },
    facts: camera.facts,
    clockMs: () => clockOf(camera),
    set: (next) => {
      camera.state = { ...camera.state, ...next };
    },
    emit: (topic, item, operation = "Changed") => {
      for (const subscription of camera.subscriptions.values()) {
        subscription.messages.push(notification(topic, item, operation, clockOf(camera)));
        subscription.wake();
      }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

const clockOf = ({ state }: Camera) => Date.now() + state.clockOffsetMs;

async function take(camera: Camera, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on("error", () => undefined);
  const body = await bodyOf(request);
  const asked = await readRequest(body);
  const authorization = request.headers.authorization ?? null;
  const path = request.url ?? "";
  const headers = request.rawHeaders.join("\n");
  const hasToken = asked?.token !== null && asked?.token !== undefined;
  camera.seen.push({ operation: asked?.operation ?? "", authorization, hasToken, headers, body, path });
  if (asked === null) return send(response, 400, envelope(camera.facts, fault("s:Sender", ["ter:WellFormed"], "Well-formed Error")));
  const { trouble, troubled } = camera.state;
  if (trouble !== null && (troubled === null || troubled === asked.operation)) return misbehave(camera, asked, response, trouble);
  const isOpen = open.has(asked.operation) && !(camera.state.isClockGuarded && asked.operation === "GetSystemDateAndTime");
  if (!isOpen && !isLoggedIn(camera, asked, authorization, path)) return refuse(camera, asked.operation, response);
  const reply = await replyTo(camera, asked, request);
  send(response, reply.status, rewritten(camera, reply.xml, asked.operation));
}

const rewritten = ({ state }: Camera, xml: string, operation: string) => (state.rewrite === null ? xml : state.rewrite(xml, operation));

function send(response: ServerResponse, status: number, xml: string): void {
  const body = Buffer.from(xml);
  response.writeHead(status, { "Content-Type": "application/soap+xml; charset=utf-8", "Content-Length": body.length }).end(body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk));
    if (chunks.reduce((sum, { length }) => sum + length, 0) > mostRequestBytes) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

type Node = { readonly [name: string]: unknown };
type Asked = {
  readonly operation: string;
  /** With the prefix of its service, where the name alone does not tell. */
  readonly full: string;
  readonly content: Node;
  readonly header: Node;
  readonly token: Token | null;
};
type Token = {
  readonly username: string;
  readonly digest: string;
  readonly nonce: string;
  readonly created: string;
  readonly type: string;
};

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value);
const nodeAt = (value: unknown, ...names: readonly string[]): Node =>
  names.reduce<Node>((node, name) => (isNode(node[name]) ? node[name] : {}), isNode(value) ? value : {});
function textAt(node: Node, name: string): string {
  const value = node[name];
  if (typeof value === "string") return value;
  return isNode(value) && typeof value._ === "string" ? value._ : "";
}

/** null: no well-formed envelope with an operation in it. */
async function readRequest(body: string): Promise<Asked | null> {
  const root: unknown = await parse(body).catch(() => null);
  const inner = nodeAt(root, "Body");
  const operation = Object.keys(inner).find((name) => name !== "$");
  if (operation === undefined) return null;
  const service = /ver20\/media\/wsdl/.test(body) ? "tr2" : /ver10\/media\/wsdl/.test(body) ? "trt" : "";
  const security = nodeAt(root, "Header", "Security", "UsernameToken");
  const token = {
    ...{ username: textAt(security, "Username"), digest: textAt(security, "Password"), nonce: textAt(security, "Nonce") },
    ...{ created: textAt(security, "Created"), type: String(nodeAt(security, "Password", "$").Type ?? "") },
  };
  const isMedia = ["GetProfiles", "GetStreamUri", "GetSnapshotUri"].includes(operation);
  return {
    ...{ operation, full: isMedia ? `${service}:${operation}` : operation },
    ...{ content: nodeAt(inner, operation), header: nodeAt(root, "Header") },
    token: token.username === "" ? null : token,
  };
}

function isLoggedIn(camera: Camera, { token }: Asked, authorization: string | null, path: string): boolean {
  const { credential, login } = camera.state;
  if (credential === null) return true;
  if (login === "basic")
    return authorization === `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
  return login === "token" ? isGoodToken(camera, credential, token) : isGoodDigest(camera, credential, authorization, path);
}

type Credential = { readonly username: string; readonly password: string };

/** WS-UsernameToken profile 1.0: a digest of nonce, time and password; a nonce counts once, the time by the camera's own clock. */
function isGoodToken(camera: Camera, { username, password }: Credential, token: Token | null): boolean {
  if (token === null || !token.type.endsWith("#PasswordDigest") || camera.tokenNonces.has(token.nonce)) return false;
  const nonce = Buffer.from(token.nonce, "base64");
  const digest = createHash("sha1").update(nonce).update(token.created).update(password).digest("base64");
  const isTimely = Math.abs(Date.parse(token.created) - clockOf(camera)) <= tokenForMs;
  if (nonce.length < 8 || token.username !== username || token.digest !== digest || !isTimely) return false;
  camera.tokenNonces.add(token.nonce);
  return true;
}

/** RFC 7616, qop auth: the nonce is one of ours, its count rises, the address is the one that was asked. */
function isGoodDigest(camera: Camera, { username, password }: Credential, authorization: string | null, path: string): boolean {
  if (authorization === null || !authorization.startsWith("Digest ")) return false;
  if (camera.state.staleLogins > 0) {
    camera.state = { ...camera.state, staleLogins: camera.state.staleLogins - 1 };
    camera.isStale = true;
    return false;
  }
  const pairs = [...authorization.slice(7).matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)];
  const given = new Map(pairs.map(([, name, quoted, plain]) => [name ?? "", quoted?.replace(/\\(.)/g, "$1") ?? plain ?? ""]));
  const get = (name: string) => given.get(name) ?? "";
  const algorithm = get("algorithm") === "" ? "MD5" : get("algorithm");
  const { login } = camera.state;
  if (login === "sha-256" ? algorithm !== "SHA-256" : login === "md5" && algorithm !== "MD5") return false;
  const hash = (text: string) =>
    createHash(algorithm === "MD5" ? "md5" : "sha256")
      .update(text, "utf8")
      .digest("hex");
  const [nonce, nc] = [get("nonce"), get("nc")];
  const lastCount = camera.httpNonces.get(nonce);
  if (lastCount === undefined || Number.parseInt(nc, 16) <= lastCount || get("uri") !== path || get("qop") !== "auth") return false;
  const first = hash(`${username}:${realm}:${password}`);
  const response = hash(`${first}:${nonce}:${nc}:${get("cnonce")}:auth:${hash(`POST:${path}`)}`);
  const sent = Buffer.from(get("username"), "latin1").toString("utf8");
  if (sent !== username || get("realm") !== realm || get("opaque") !== opaque || get("response") !== response) return false;
  camera.httpNonces.set(nonce, Number.parseInt(nc, 16));
  return true;
}

const realm = "IP Camera(12345)";
const opaque = "5ccc069c403ebaf9";

function refuse(camera: Camera, operation: string, response: ServerResponse): void {
  const { login, challenge } = camera.state;
  if (login === "token") {
    send(response, camera.facts.faultStatus, rewritten(camera, envelope(camera.facts, notAuthorized), operation));
    return;
  }
  const nonce = randomBytes(16).toString("base64");
  camera.httpNonces.set(nonce, 0);
  const isStale = camera.isStale;
  camera.isStale = false;
  const digest = (algorithm: string) =>
    `Digest qop="auth", realm="${realm}", nonce="${nonce}", opaque="${opaque}"${algorithm}, stale="${isStale ? "true" : "FALSE"}"`;
  const offers = {
    ...{ basic: [`Basic realm="${realm}"`], md5: [digest("")], "sha-256": [digest(", algorithm=SHA-256")] },
    both: [`Basic realm="a, Digest b", ${digest("")}`, digest(', algorithm="SHA-256"')],
  };
  const page = "<!DOCTYPE html><html><head><title>Unauthorized</title></head><body><h2>401</h2></body></html>";
  response
    .writeHead(401, {
      "WWW-Authenticate": challenge === null ? offers[login] : [...challenge],
      "Content-Type": "text/html",
      "Content-Length": page.length,
    })
    .end(page);
}

type Reply = { readonly status: number; readonly xml: string };

async function replyTo(camera: Camera, asked: Asked, request: IncomingMessage): Promise<Reply> {
  const { facts, state } = camera;
  const origin = `${camera.scheme}://${state.host ?? request.headers.host}`;
  const host = String(state.host ?? request.headers.host).replace(/:\d+$/, "");
  if (asked.operation === "SetSystemDateAndTime") setClock(camera, asked.content);
  const at = { clockMs: clockOf(camera), origin, host, token: textAt(asked.content, "ProfileToken") };
  const body = (await eventReply(camera, asked, origin, request)) ?? answer(facts, asked.full, at);
  if (body === null) return { status: facts.faultStatus, xml: envelope(facts, notSupported) };
  const status = body.startsWith("<s:Fault>") ? facts.faultStatus : 200;
  return { status, xml: envelope(facts, body) };
}

function setClock(camera: Camera, content: Node): void {
  const [date, time] = [nodeAt(content, "UTCDateTime", "Date"), nodeAt(content, "UTCDateTime", "Time")];
  const [year, month, day] = ["Year", "Month", "Day"].map((name) => Number(textAt(date, name)));
  const [hour, minute, second] = ["Hour", "Minute", "Second"].map((name) => Number(textAt(time, name)));
  const at = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  camera.state = { ...camera.state, clockOffsetMs: at - Date.now() };
}

/** null: no operation of the event service. */
async function eventReply(camera: Camera, asked: Asked, origin: string, request: IncomingMessage): Promise<string | null> {
  if (!camera.facts.hasEvents) return null;
  const at = new Date(clockOf(camera)).toISOString();
  const until = new Date(clockOf(camera) + 60_000).toISOString();
  if (asked.operation === "CreatePullPointSubscription") return subscribe(camera, origin, at, until);
  if (!["PullMessages", "Renew", "Unsubscribe"].includes(asked.operation)) return null;
  const name = camera.state.hasReference ? textAt(asked.header, "SubscriptionId") : ((request.url ?? "").split("Idx=")[1] ?? "");
  const subscription = camera.subscriptions.get(name);
  if (subscription === undefined) return fault("s:Sender", ["ter:InvalidArgVal"], "Invalid Args");
  if (asked.operation === "Unsubscribe") return camera.subscriptions.delete(name) ? "<wsnt:UnsubscribeResponse/>" : null;
  if (asked.operation === "Renew") return `<wsnt:RenewResponse><wsnt:TerminationTime>${until}</wsnt:TerminationTime></wsnt:RenewResponse>`;
  await held(subscription, Number(/PT(\d+)S/.exec(textAt(asked.content, "Timeout"))?.[1] ?? 60) * 1_000, request);
  const messages = subscription.messages.splice(0, Number(textAt(asked.content, "MessageLimit")));
  return `<tev:PullMessagesResponse><tev:CurrentTime>${at}</tev:CurrentTime><tev:TerminationTime>${until}</tev:TerminationTime>${messages.join("")}</tev:PullMessagesResponse>`;
}

function subscribe(camera: Camera, origin: string, at: string, until: string): string {
  const name = randomBytes(4).toString("hex");
  camera.subscriptions.set(name, { messages: [], wake: () => undefined });
  const { hasReference } = camera.state;
  const address = hasReference ? `${origin}/onvif/services` : `${origin}/onvif/Subscription?Idx=${name}`;
  const parameters = `<wsa:ReferenceParameters><dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event">${name}</dom0:SubscriptionId></wsa:ReferenceParameters>`;
  return `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>${escaped(address)}</wsa:Address>${hasReference ? parameters : ""}</tev:SubscriptionReference><wsnt:CurrentTime>${at}</wsnt:CurrentTime><wsnt:TerminationTime>${until}</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>`;
}

/** Waits, as a pull does, for a message, the end of its time, or the end of whoever pulls. */
function held(subscription: Subscription, forMs: number, request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(late);
      resolve();
    };
    const late = setTimeout(done, subscription.messages.length > 0 ? 0 : forMs);
    subscription.wake = done;
    request.socket.once("close", done);
  });
}

function notification(topic: string, item: { readonly name: string; readonly value: string }, operation: string, clockMs: number): string {
  const at = new Date(clockMs).toISOString();
  return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${escaped(topic)}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="${at}" PropertyOperation="${operation}"><tt:Source><tt:SimpleItem Name="VideoSourceConfigurationToken" Value="1"/></tt:Source><tt:Data><tt:SimpleItem Name="${item.name}" Value="${item.value}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`;
}

const bigBytes = 50_000_000;
const block = Buffer.alloc(65_536, " ");

/** Writes blocks until `bytes` are out or the other side has had enough. */
function pour(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= block.length;
      if (!response.write(block)) return;
    }
    if (left <= 0) response.end();
  };
  response.on("drain", more);
  more();
}

/** A bad answer over the wire. */
async function misbehave(camera: Camera, asked: Asked, response: ServerResponse, trouble: Trouble): Promise<void> {
  const { facts } = camera;
  const { socket } = response;
  const good = envelope(
    facts,
    answer(facts, asked.full, { clockMs: clockOf(camera), origin: "http://127.0.0.1", host: "127.0.0.1", token: "" }) ?? notSupported,
  );
  const whole = (inner: string) => send(response, 200, envelope(facts, inner));
  const raw = (text: string) => socket?.write(text);
  switch (trouble) {
    case "http-500":
      return void response.writeHead(500, { "Content-Type": "text/plain" }).end("Internal Server Error");
    case "not-found":
      return void response.writeHead(404, { "Content-Type": "text/html" }).end("<html><body>404</body></html>");
    case "not-authorized":
      return send(response, facts.faultStatus, envelope(facts, notAuthorized));
    case "not-supported":
      return send(response, facts.faultStatus, envelope(facts, notSupported));
    case "html":
      return void response
        .writeHead(200, { "Content-Type": "text/html" })
        .end("<!DOCTYPE html><html><head><meta><title>Router</title></head><body><br></body></html>");
    case "redirect":
      return void response.writeHead(302, { Location: "http://127.0.0.1:9/" }).end();
    case "switching":
      return void raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello");
    case "garbage":
      return void raw("\x16\x03\x01\x02\x00 this is no HTTP \r\n\r\n");
    case "gzip":
      return void response.writeHead(200, { "Content-Encoding": "gzip" }).end(randomBytes(2_000));
    case "empty":
      return void response.writeHead(200).end();
    case "drip": {
      raw("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n");
      const bytes = [...Buffer.from(good)];
      const timer = setInterval(() => socket?.write(Buffer.of(bytes.shift() ?? 32)), 1_000);
      return void socket?.once("close", () => clearInterval(timer));
    }
    case "headers":
      return void raw("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 1000\r\n\r\n");
    case "silence":
      return;
    case "informing": {
      const timer = setInterval(() => raw("HTTP/1.1 102 Processing\r\n\r\n"), 20);
      return void socket?.once("close", () => clearInterval(timer));
    }
    case "endless":
      response.writeHead(200, { "Content-Type": "application/soap+xml" });
      return pour(response, Number.POSITIVE_INFINITY);
    case "big":
      response.writeHead(200, { "Content-Type": "application/soap+xml" });
      return pour(response, bigBytes);
    case "header-flood":
      return void raw(`HTTP/1.1 200 OK\r\n${"X-Flood: 0123456789abcdef0123456789abcdef\r\n".repeat(20_000)}`);
    case "bomb": {
      const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join("");
      return send(response, 200, good.replace("?>", `?><!DOCTYPE x [<!ENTITY e0 "lol">${entities}]>`).replace(/>[^<]+</, ">&e9;<"));
    }
    case "external":
      return send(
        response,
        200,
        good.replace("?>", `?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`).replace(/>[^<]+</, ">&e;<"),
      );
    case "truncated":
      return send(response, 200, good.slice(0, good.length / 2));
    case "cut":
      response.writeHead(200, { "Content-Length": good.length }).write(good.slice(0, good.length / 2));
      return void setTimeout(() => socket?.destroy(), 20);
    case "reset":
      return void socket?.resetAndDestroy();
    case "deep":
      return whole(`${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}`);
    case "wide":
      return whole("<a/>".repeat(240_000));
    case "long-text":
      return whole(`<tds:${asked.operation}Response><tds:Model>${"x&amp;".repeat(150_000)}</tds:Model></tds:${asked.operation}Response>`);
    case "long-attribute":
      return whole(`<a b="${"x".repeat(1_000_000)}"/>`);
    case "long-comment":
      return whole(`<!-- ${"x".repeat(1_000_000)} -->`);
    case "long-cdata":
      return whole(`<![CDATA[${"<".repeat(1_000_000)}]]>`);
    case "crowded":
      // As much as a reply may be before it is passed over unread.
      return whole(`<tds:${asked.operation}Response>${`<a b="1">${"x".repeat(84)}</a>`.repeat(2_606)}</tds:${asked.operation}Response>`);
    case "no-response":
      return whole("<tds:SomethingElseResponse/>");
    case "pollution":
      return whole(
        `<__proto__><polluted>1</polluted></__proto__><constructor><prototype><polluted>1</polluted></prototype></constructor><tds:${asked.operation}Response><__proto__><Model>1</Model></__proto__><toString>1</toString></tds:${asked.operation}Response>`,
      );
  }
}
