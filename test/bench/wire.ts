/**
 * What an idle site costs its household's line: quiet hours of the whole agent on virtual time, said again over a real connection to
 * the station's own Mosquitto, with TLS and the box's certificate; the kernel counts the bytes.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { heartbeatMs, stateMessage, subscriptionsOf, willDelaySeconds } from "../../agent/core/message.ts";
import { filesOf } from "../../deploy/station/place.ts";
import { startServices } from "../../deploy/station/services.ts";
import { makeBroker } from "../../hal/broker.ts";
import type { BrokerOptions, BrokerSession, Message } from "../../hal/ports.ts";
import { scriptBroker } from "../../hal/script.ts";
import { sleep } from "../lib/agent.ts";
import { enlist, makeStation } from "../lib/station.ts";
import { memoryFolder } from "../lib/temp.ts";
import { makeVillage } from "../lib/world.ts";
import type { Figure } from "./figures.ts";

const address = { commune: "nghia-phuong", site: "an-dai-1" };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** In this time everything that is renewed was renewed. */
const quietMs = 3 * hourMs;
/** IPv4, TCP and its timestamps, around each segment. */
const headerBytes = 52;
/** Longer than a kernel holds an acknowledgement back (40 ms): what is minutes apart on the line must not share a segment here. */
const apartMs = 80;
/** Minutes of keep-alive that are watched as they pass. */
const minutes = 2;
const mostKilobytes = 2_000;

/** The messages of quiet hours, those of one second together. */
async function quietHours(count: number): Promise<readonly (readonly Message[])[]> {
  let said: Message[] = [];
  const broker = scriptBroker({
    publish: (message) => {
      said.push(message);
      return "ok";
    },
  });
  const village = makeVillage({
    ...{ folder: memoryFolder("bench-wire"), startAt: Date.parse("2026-11-23T17:00:00.000Z"), broker },
    cameras: Array.from({ length: count }, (_, i) => `id: cam-${i + 1}, url: "rtsp://cam-${i + 1}/"`),
  });
  await village.boot();
  await village.pass(hourMs / 2);
  const seconds: (readonly Message[])[] = [];
  said = [];
  for (let second = 0; second < quietMs / 1_000; second += 1) {
    await village.pass(1_000);
    if (said.length > 0) seconds.push(said);
    said = [];
  }
  await village.stop();
  return seconds;
}

/** Bytes of both directions so far on the connection to `port`, headers and acknowledgements among them. */
function bytesOn(port: number): number {
  const info = execFileSync("ss", ["-tinH", "state", "established", `( dport = :${port} )`], { encoding: "utf8" });
  const count = (name: string) => Number(new RegExp(`\\b${name}:(\\d+)`).exec(info)?.[1] ?? Number.NaN);
  return count("bytes_sent") + count("bytes_received") + headerBytes * (count("segs_out") + count("segs_in"));
}

async function connect(options: BrokerOptions): Promise<BrokerSession> {
  const result = await makeBroker().connect(options, new AbortController().signal);
  if (result.kind === "failed") throw new Error(result.detail);
  return result.session;
}

export async function wireFigures(cameras: number): Promise<readonly Figure[]> {
  const seconds = await quietHours(cameras);
  const station = await makeStation(address.commune);
  const services = await startServices(station.place);
  const { cert, key } = enlist(station, address.site);
  const port = station.register().ports.mqtts;
  const session = await connect({
    ...{ url: `mqtts://127.0.0.1:${port}`, ca: readFileSync(filesOf(station.place).ca, "utf8"), cert, key, credential: null },
    ...{ clientId: address.site, willDelaySeconds, subscriptions: subscriptionsOf(address) },
    will: stateMessage(address, "lost", "boot", 1, Date.now()),
  });
  await sleep(1_000);
  const connected = bytesOn(port);
  for (const messages of seconds) {
    for (const message of messages) await session.publish(message);
    await sleep(apartMs);
  }
  const told = bytesOn(port) - connected;
  const state = () => session.publish(stateMessage(address, "online", "boot", 1, Date.now()));
  const before = bytesOn(port);
  await state();
  await sleep(apartMs);
  const stateBytes = bytesOn(port) - before;
  for (let minute = 0; minute < minutes; minute += 1) {
    await state();
    await sleep(heartbeatMs);
  }
  // A ping goes only where nothing else did: it is watched between the words that are sent each minute.
  const pings = (bytesOn(port) - before - stateBytes * (minutes + 1)) / minutes;
  await session.end(1_000);
  await services.stop();
  const kilobytes = (bytes: number) => [bytes / 1_000];
  const [tolds, idles] = [(told * dayMs) / quietMs, (pings * dayMs) / heartbeatMs];
  return [
    {
      name: `on the line of an idle site in a day, TLS and TCP, ${cameras} cameras`,
      unit: "kB",
      values: kilobytes(tolds + idles),
      most: mostKilobytes,
    },
    { name: "of which messages and their confirmations", unit: "kB", values: kilobytes(tolds), most: null },
    { name: "of which keep-alive", unit: "kB", values: kilobytes(idles), most: null },
    { name: "on the line for one connection", unit: "kB", values: kilobytes(connected), most: null },
  ];
}
