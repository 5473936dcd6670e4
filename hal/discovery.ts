/**
 * The local networks, who is there: WS-Discovery (OASIS, 2005/04) over every IPv4 interface by itself, TCP knocks, and the kernel's neighbour
 * table. What comes in is anybody's word: it is bounded, taken apart without trust, and never followed off the local networks.
 */
import { randomUUID } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import type { Discovery, FoundDevice, SearchResult } from "./ports.ts";

/** One IPv4 address of an interface that is up. */
export type LocalAddress = { readonly name: string; readonly address: string; readonly netmask: string; readonly internal: boolean };
/** Where the system tells; tests put their own here. */
export type DiscoveryRoots = {
  readonly addresses: () => readonly LocalAddress[];
  /** Neighbour table as in /proc/net/arp. */
  readonly arp: string;
};

const system: DiscoveryRoots = {
  addresses: () =>
    Object.entries(networkInterfaces()).flatMap(([name, list]) =>
      (list ?? [])
        .filter(({ family }) => family === "IPv4")
        .map(({ address, netmask, internal }) => ({ name, address, netmask, internal })),
    ),
  arp: "/proc/net/arp",
};

const group = "239.255.255.250";
const port = 3702;
/** A datagram is lost easily on wifi: each probe goes out three times, the last one early enough for slow answers. */
const roundsAtMs = [0, 300, 900];
/** Two kinds: recorders and some makes answer to the second only (ONVIF Core §7.3.1). */
const kinds = [
  { prefix: "dn", namespace: "http://www.onvif.org/ver10/network/wsdl", type: "NetworkVideoTransmitter" },
  { prefix: "tds", namespace: "http://www.onvif.org/ver10/device/wsdl", type: "Device" },
];
const mostAddresses = 32;
/** Of one search: replies that told something new, what is read at all, and what is read of one sender. */
const mostReplies = 500;
const mostReplyBytes = 65_536;
const mostBytes = 8 << 20;
const mostBytesOfSender = 256 << 10;
const mostDevices = 1_000;
const mostMatches = 64;
const mostXaddrs = 16;
const mostTextChars = 200;
const mostUrlChars = 500;
const mostRemarks = 50;

/** Knocks: so many addresses of an interface, so many at once, each so long. */
const mostHosts = 1_024;
const knocksAtOnce = 64;
const knockMs = 400;

export function makeDiscovery(roots: DiscoveryRoots = system): Discovery {
  /** Without a name all but the machine's own; with one, whatever it is. */
  const chosen = (name: string | null): readonly LocalAddress[] =>
    roots
      .addresses()
      .filter((local) => (name === null ? !local.internal : local.name === name))
      .slice(0, mostAddresses);
  return {
    interfaces: () => [...new Set(roots.addresses().map(({ name }) => name))],
    interfaceOf: (address) =>
      numberOf(address) === null ? null : (roots.addresses().find((local) => isInside(address, local))?.name ?? null),
    search: async ({ interface: name, timeoutMs }, signal) => {
      const locals = chosen(name);
      const finding = makeFinding();
      if (locals.length === 0) finding.remark(`no-interface ${name ?? ""}`.trim());
      await Promise.all(locals.map((local) => probeFrom(local, timeoutMs, finding, signal)));
      return finding.result();
    },
    knockAll: ({ interface: name, ports }, signal) => {
      const own = new Set(roots.addresses().map(({ address }) => address));
      const doors = new Map<string, Door>();
      for (const local of chosen(name))
        for (const address of hostsOf(local, own))
          for (const door of ports) doors.set(`${address}:${door}`, { address, port: door, local });
      return knockAt([...doors.values()], signal);
    },
    neighbours: async () => neighboursOf(await readFile(roots.arp, "latin1").catch(() => "")),
  };
}

// The search.

/** Notes what was passed over, a limited number of times. */
type Remark = (line: string) => null;
type Finding = {
  /** One datagram. */
  reply(message: Buffer, sender: string, local: LocalAddress): void;
  remark: Remark;
  result(): SearchResult;
};

/** Everything that one search has heard, over all interfaces. */
function makeFinding(): Finding {
  const found: Scored[] = [];
  const remarks = new Set<string>();
  const bytesOf = new Map<string, number>();
  let [bytes, replies] = [0, 0];
  const remark: Remark = (line) => {
    if (remarks.size < mostRemarks) remarks.add(line);
    return null;
  };
  /** Why no more is read, of anybody or of this sender. */
  const surfeit = (sender: string, more: number): string | null => {
    if (replies >= mostReplies || found.length >= mostDevices || bytes + more > mostBytes) return "too-many-replies";
    return more > mostReplyBytes || (bytesOf.get(sender) ?? 0) + more > mostBytesOfSender ? `too-many-replies ${sender}` : null;
  };
  return {
    remark,
    reply: (message, sender, local) => {
      const reason = surfeit(sender, message.length);
      if (reason !== null) return void remark(reason);
      bytes += message.length;
      bytesOf.set(sender, (bytesOf.get(sender) ?? 0) + message.length);
      const devices = matchesOf(message.toString("utf8")).flatMap((match) => deviceOf(match, sender, local, remark) ?? []);
      const news = devices.filter((device) => merge(found, device, remark));
      if (news.length > 0) replies += 1;
    },
    result: () => ({ devices: found.map(({ score: _, ...device }) => device), remarks: [...remarks] }),
  };
}

/** Probes from one address and hears until the time is over. Never rejects. */
function probeFrom(local: LocalAddress, timeoutMs: number, finding: Finding, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
    const timers = [setTimeout(() => done(), timeoutMs)];
    const done = (code?: string) => {
      if (code !== undefined) finding.remark(`not-sent ${local.name} ${code}`);
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      // Closing what is closed throws; a second error may follow the first.
      socket.removeAllListeners().on("error", () => undefined);
      socket.close(() => resolve());
    };
    const stop = () => done();
    signal.addEventListener("abort", stop, { once: true });
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? "error"));
    socket.on("message", (message, { address }) => finding.reply(message, address, local));
    // Replies come to this address: what the default route is does not matter.
    socket.bind({ address: local.address, port: 0, exclusive: true }, () => {
      try {
        socket.setMulticastInterface(local.address);
      } catch (error) {
        return done((error as NodeJS.ErrnoException).code ?? "error");
      }
      for (const atMs of roundsAtMs.filter((at) => at < timeoutMs)) timers.push(setTimeout(() => sendRound(socket, local, finding), atMs));
    });
  });
}

function sendRound(socket: Socket, { name }: LocalAddress, finding: Finding): void {
  for (const kind of kinds)
    socket.send(probeOf(kind), port, group, (error) => {
      if (error !== null) finding.remark(`not-sent ${name} ${(error as NodeJS.ErrnoException).code ?? "error"}`);
    });
}

const probeOf = ({ prefix, namespace, type }: (typeof kinds)[number]) =>
  `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:${prefix}="${namespace}"><e:Header><w:MessageID>uuid:${randomUUID()}</w:MessageID><w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe><d:Types>${prefix}:${type}</d:Types></d:Probe></e:Body></e:Envelope>`;

// What a reply says.

type Match = { readonly endpoint: string; readonly types: string; readonly scopes: string; readonly xaddrs: string };
const fields: Readonly<Record<string, keyof Match>> = { Address: "endpoint", Types: "types", Scopes: "scopes", XAddrs: "xaddrs" };

/** The ProbeMatch elements of a reply, whatever their prefixes and whatever is broken around them. Linear in the text's length. */
function matchesOf(text: string): readonly Match[] {
  const xml = withoutComments(text);
  const matches: Match[] = [];
  let now: Match | null = null;
  for (const tag of xml.matchAll(/<(\/?)(?:[\w.-]{1,64}:)?([A-Za-z]{1,64})(?:\s[^<>]{0,4000})?>/g)) {
    const [whole, slash, name = ""] = tag;
    if (name === "ProbeMatch") {
      if (now !== null) matches.push(now);
      now = slash === "" ? { endpoint: "", types: "", scopes: "", xaddrs: "" } : null;
      if (matches.length >= mostMatches) return matches;
      continue;
    }
    const field = slash === "" && now !== null ? fields[name] : undefined;
    const [from, to] = [tag.index + whole.length, xml.indexOf("<", tag.index + whole.length)];
    // The first one counts; what has no end was cut off.
    if (now !== null && field !== undefined && now[field] === "" && to >= 0)
      now = { ...now, [field]: unescaped(xml.slice(from, to)).trim() };
  }
  return now === null ? matches : [...matches, now];
}

function withoutComments(text: string): string {
  const parts: string[] = [];
  for (let at = 0; ; ) {
    const from = text.indexOf("<!--", at);
    if (from < 0) return [...parts, text.slice(at)].join("");
    parts.push(text.slice(at, from));
    const to = text.indexOf("-->", from);
    if (to < 0) return parts.join("");
    at = to + 3;
  }
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const unescaped = (text: string) =>
  text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return entities[name.toLowerCase()] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

/** How good an address is to us: of the sender and on the interface's own network is best. */
type Scored = FoundDevice & { readonly score: number };

/** The device of a match; null where it has no address for us, which is remarked. */
function deviceOf(match: Match, sender: string, local: LocalAddress, remark: Remark): Scored | null {
  const scopes = match.scopes.split(/\s+/).flatMap(scopeOf);
  if (!isCamera(match, scopes)) return remark(`no-camera ${sender}`);
  const listed = match.xaddrs.split(/\s+/).filter((text) => text !== "");
  const [best] = listed
    .slice(0, mostXaddrs)
    .flatMap((text) => xaddrOf(text, sender, local, remark) ?? [])
    .sort((a, b) => b.score - a.score);
  if (best === undefined) return remark(`no-address ${sender}`);
  const told = (kind: string) => scopes.find((scope) => scope.kind === kind)?.value ?? null;
  const [name, model] = [told("name"), told("hardware")];
  const make = told("manufacturer") ?? told("mfr") ?? makeOf(name, model);
  return { ...best, endpoint: clean(match.endpoint.toLowerCase()), make, model, interface: local.name };
}

/** Printers and computers answer to some probes too. */
const isCamera = ({ types, xaddrs }: Match, scopes: readonly Scope[]) =>
  types === "" || /NetworkVideo|(^|\s)(?!wsdp:)[\w-]+:Device(\s|$)/.test(types) || scopes.length > 0 || /onvif/i.test(xaddrs);

type Scope = { readonly kind: string; readonly value: string };

function scopeOf(text: string): readonly Scope[] {
  const [, kind, value] = /^onvif:\/\/www\.onvif\.org\/([\w-]{1,40})(?:\/(.*))?$/is.exec(text.slice(0, 2_000)) ?? [];
  return kind === undefined
    ? []
    : [{ kind: kind.toLowerCase(), value: clean(percentDecoded(value ?? "")) ?? "" }].filter(({ value }) => value !== "");
}

/** Decodes what can be decoded; a make's own idea of percents stays as it is. */
const percentDecoded = (text: string) =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    return new TextDecoder().decode(bytes);
  });

/** Text for a terminal and a list: one line, no control or direction characters, bounded; null where nothing is left. */
function clean(text: string): string | null {
  const line = text
    .replace(/[\p{C}\p{Zl}\p{Zp}\uFFFD]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, mostTextChars)
    .trim();
  return line === "" ? null : line;
}

/** Many names are make and model in one. */
function makeOf(name: string | null, model: string | null): string | null {
  if (name === null || model === null || !name.toLowerCase().endsWith(model.toLowerCase())) return name;
  return clean(name.slice(0, -model.length)) ?? name;
}

type Best = { readonly address: string; readonly xaddr: string; readonly score: number };

function xaddrOf(text: string, sender: string, local: LocalAddress, remark: Remark): Best | null {
  const url = text.length <= mostUrlChars && /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== "" || url.password !== "") return null;
  const { hostname: address } = url;
  if (address.startsWith("[")) return remark(`ipv6 ${url.href}`);
  // Names are somebody else's to answer, and so are addresses out on the internet: a login is not carried there.
  if (numberOf(address) === null || !isNear(address, sender, local)) return remark(`elsewhere ${url.href}`);
  const score = (address === sender ? 2 : 0) + (isInside(address, local) ? 1 : 0);
  return { address, xaddr: url.href, score };
}

function isNear(address: string, sender: string, local: LocalAddress): boolean {
  if (address.startsWith("127.")) return sender.startsWith("127.");
  return address === sender || isInside(address, local) || /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)/.test(address);
}

/** Adds a device, or makes one of it and those it is already. Did it tell anything new? */
function merge(found: Scored[], device: Scored, remark: Remark): boolean {
  const isSame = ({ endpoint, xaddr }: Scored) => (endpoint !== null && endpoint === device.endpoint) || xaddr === device.xaddr;
  const known = found.filter(isSame);
  const [first] = known;
  if (first === undefined) return found.push(device) > 0;
  // The two sockets of one camera; or two cameras whose maker gave both one identity.
  const others = known.filter(({ address }) => address !== device.address);
  for (const { address } of others) remark(`same-identity ${[address, device.address].sort().join(" ")}`);
  found[found.indexOf(first)] = [...known, device].reduce(better);
  for (const extra of known.slice(1)) found.splice(found.indexOf(extra), 1);
  return others.length > 0;
}

function better(a: Scored, b: Scored): Scored {
  const [best, rest] = b.score > a.score ? [b, a] : [a, b];
  return { ...best, endpoint: best.endpoint ?? rest.endpoint, make: best.make ?? rest.make, model: best.model ?? rest.model };
}

// Addresses.

/** An IPv4 address as a number; null where the text is none. */
function numberOf(address: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255) || (parts[0] ?? 0) === 0 || (parts[0] ?? 0) >= 224) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

const addressOf = (number: number) => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
/** Addresses that `netmask` leaves to the hosts, itself included. */
const spanOf = (netmask: string) => 2 ** 32 - netmask.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

function isInside(address: string, local: LocalAddress): boolean {
  const [here, there, span] = [numberOf(local.address), numberOf(address), spanOf(local.netmask)];
  return here !== null && there !== null && Math.floor(here / span) === Math.floor(there / span);
}

/** The others of the interface's network; of a larger one, the 1,024 around our own address. Of the loopback only itself: all of it is us. */
function hostsOf(local: LocalAddress, own: ReadonlySet<string>): readonly string[] {
  if (local.internal) return [local.address];
  const here = numberOf(local.address) ?? 0;
  const whole = spanOf(local.netmask);
  const span = Math.min(whole, mostHosts);
  const first = Math.floor(here / span) * span;
  const [network, broadcast] = [Math.floor(here / whole) * whole, Math.floor(here / whole) * whole + whole - 1];
  const isHost = (number: number) => whole <= 2 || (number !== network && number !== broadcast);
  return Array.from({ length: span }, (_, i) => first + i)
    .filter(isHost)
    .map(addressOf)
    .filter((address) => !own.has(address));
}

// Knocks.

type Door = { readonly address: string; readonly port: number; readonly local: LocalAddress };

/** Knocks at all doors, some at once; those that opened, in the doors' order. Never rejects. */
async function knockAt(
  doors: readonly Door[],
  signal: AbortSignal,
): Promise<readonly { readonly address: string; readonly port: number }[]> {
  const open = new Set<Door>();
  const rest = doors.values();
  const worker = async () => {
    for (const door of rest) {
      if (signal.aborted) return;
      if (await opens(door, signal)) open.add(door);
    }
  };
  await Promise.all(Array.from({ length: Math.min(knocksAtOnce, doors.length) }, worker));
  return doors.filter((door) => open.has(door)).map(({ address, port: at }) => ({ address, port: at }));
}

function opens({ address, port: at, local }: Door, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: at, localAddress: local.address });
    const done = (isOpen: boolean) => {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(isOpen);
    };
    const stop = () => done(false);
    const late = setTimeout(stop, knockMs);
    signal.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => done(true));
    socket.on("error", stop);
  });
}

/** Complete entries only (kernel: net/if_arp.h, ATF_COM = 2). */
function neighboursOf(table: string): ReadonlyMap<string, string> {
  const rows = table.slice(0, mostBytes).split("\n").slice(1);
  return new Map(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter(([, , flags, mac]) => (Number(flags) & 2) !== 0 && /^(?!00:00:00:00:00:00)([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac ?? ""))
      .map(([address = "", , , mac = ""]) => [address, mac.toLowerCase()] as const),
  );
}
