/** What answers WS-Discovery on a network: cameras by their replies. In this process on the loopback, or as one of its own inside a network. */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { repository } from "./cameras.ts";

export type Replies = {
  /** Address on which probes are heard, from its own /24 only: Linux hands a multicast to every socket of the machine that joined the group anywhere. */
  readonly address: string;
  /** Sent for every probe, in this order; `{relates}` becomes the probe's id. */
  readonly replies: readonly (string | Buffer)[];
  /** Only for probes of this type; null: for all. */
  readonly type: string | null;
};
export type Responder = { readonly probes: readonly string[]; stop(): Promise<void> };

export type Shown = {
  readonly endpoint: string;
  readonly types?: string;
  readonly scopes: string;
  readonly xaddrs: string;
};

/** One `ProbeMatch`. */
export const matchOf = ({ endpoint, types = "dn:NetworkVideoTransmitter tds:Device", scopes, xaddrs }: Shown): string =>
  `<d:ProbeMatch><a:EndpointReference><a:Address>${endpoint}</a:Address></a:EndpointReference><d:Types>${types}</d:Types><d:Scopes>${scopes}</d:Scopes><d:XAddrs>${xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>`;

/** A whole reply with the matches of as many cameras as are given. */
export const replyOf = (...shown: readonly Shown[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Header><a:MessageID>urn:uuid:00000000-0000-0000-0000-0000000000aa</a:MessageID><a:RelatesTo>{relates}</a:RelatesTo><a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header><s:Body><d:ProbeMatches>${shown.map(matchOf).join("")}</d:ProbeMatches></s:Body></s:Envelope>`;

const scope = (kind: string, value: string) => `onvif://www.onvif.org/${kind}/${value}`;
/** Scopes as cameras list them. */
export const scopesOf = (name: string, hardware: string): string =>
  [
    scope("type", "video_encoder"),
    scope("Profile", "Streaming"),
    scope("name", name),
    scope("hardware", hardware),
    scope("location", ""),
  ].join(" ");

/** Hears probes and answers them. */
export async function startResponder(
  { address, replies, type }: Replies,
  onProbe: (type: string) => void = () => undefined,
): Promise<Responder> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const probes: string[] = [];
  const networkOf = (text: string) => text.replace(/\d+$/, "");
  socket.on("message", (message, from) => {
    if (networkOf(from.address) !== networkOf(address)) return;
    const text = message.toString("utf8");
    const asked = /:Types>[\w-]+:(\w+)</.exec(text)?.[1] ?? "";
    probes.push(asked);
    onProbe(asked);
    if (type !== null && type !== asked) return;
    const relates = /MessageID>([^<]*)</.exec(text)?.[1] ?? "";
    for (const reply of replies)
      socket.send(typeof reply === "string" ? reply.replace("{relates}", relates) : reply, from.port, from.address, () => undefined);
  });
  socket.bind(3702, "0.0.0.0");
  await once(socket, "listening");
  socket.addMembership("239.255.255.250", address);
  return { probes, stop: () => new Promise((resolve) => socket.close(() => resolve())) };
}

/** The same as a process after `inside`, with replies of text; it must be built. */
export async function startResponderInside(inside: readonly string[], options: Replies): Promise<Responder> {
  const [command = "", ...args] = [...inside, process.execPath, join(repository, "dist/test/lib/responder.js"), JSON.stringify(options)];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const probes: string[] = [];
  const lines = createInterface(child.stdout);
  const ready = once(lines, "line");
  lines.on("line", (line) => line !== "ready" && probes.push(line));
  const ended = once(child, "close");
  const dieWithUs = () => void child.kill("SIGKILL");
  process.once("exit", dieWithUs);
  await ready;
  return {
    probes,
    stop: async () => {
      process.off("exit", dieWithUs);
      child.kill("SIGKILL");
      await ended;
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  await startResponder(JSON.parse(process.argv[2] ?? "") as Replies, (asked) => process.stdout.write(`${asked}\n`));
  process.stdout.write("ready\n");
}
