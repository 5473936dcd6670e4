/** The broker's suite, on Mosquitto and on the scripted driver; then certificates, permissions, liars and old brokers. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { queryObjects } from "node:v8";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBroker } from "../../hal/broker.ts";
import type { Broker, BrokerOptions, BrokerSession, ConnectResult, Message } from "../../hal/ports.ts";
import { scriptBroker } from "../../hal/script.ts";
import { sleep, until } from "../lib/agent.ts";
import { listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const message = (topic: string, more: Partial<Message> = {}): Message => ({
  topic,
  payload: "{}",
  qos: 1,
  retain: false,
  expirySeconds: null,
  ...more,
});
const optionsFor = (url: string, more: Partial<BrokerOptions> = {}): BrokerOptions => ({
  ...{ url, clientId: `site-${Math.random().toString(36).slice(2, 8)}`, ca: null, cert: null, key: null, credential: null },
  ...{ will: message("a/state", { payload: "lost", retain: true }), willDelaySeconds: 0, subscriptions: ["to/me/#"], ...more },
});
const sessionOf = (result: ConnectResult): BrokerSession => {
  if (result.kind === "failed") throw new Error(`${result.reason}: ${result.detail}`);
  return result.session;
};
const reasonOf = (result: ConnectResult) => (result.kind === "failed" ? result.reason : "connected");
const quick = makeBroker({ connectMs: 2_000, confirmMs: 2_000 });

let mosquitto: Mosquitto;
beforeAll(async () => {
  mosquitto = await startMosquitto();
});
afterAll(() => mosquitto.stop());

describe.each([
  ["real", (): Broker => quick, (): string => mosquitto.url],
  ["scripted", (): Broker => scriptBroker(), (): string => "mqtt://script"],
] as const)("the %s broker", (_, make, url) => {
  test("confirms what it takes and ends in order", async () => {
    const session = sessionOf(await make().connect(optionsFor(url()), never));
    expect(await session.publish(message("a/b"))).toBe("ok");
    expect(await session.publish(message("a/c", { qos: 0, retain: true, expirySeconds: 5 }))).toBe("ok");
    await session.end(2_000);
    expect(typeof (await session.ended)).toBe("string");
    expect(await session.publish(message("a/b"))).toBe("lost");
  });

  test("counts what it sends, and still tells when it is over", async () => {
    const session = sessionOf(await make().connect(optionsFor(url()), never));
    const before = session.traffic();
    const payload = "x".repeat(10_000);
    expect(await session.publish(message("a/b", { payload }))).toBe("ok");
    const sent = session.traffic().sentBytes - before.sentBytes;
    expect(sent).toBeGreaterThanOrEqual(payload.length);
    expect(sent).toBeLessThan(payload.length + 200);
    await session.end(2_000);
    const after = session.traffic();
    expect(after.sentBytes).toBeGreaterThanOrEqual(before.sentBytes + sent);
    expect(after.receivedBytes).toBeGreaterThanOrEqual(before.receivedBytes);
  });

  test("an attempt that was stopped says so", async () => {
    expect(reasonOf(await make().connect(optionsFor(url()), AbortSignal.abort()))).toBe("stopped");
  });
});

describe("with Mosquitto", () => {
  test("speaks MQTT 5, and a message is confirmed whether anybody listens or not", async () => {
    const session = sessionOf(await quick.connect(optionsFor(mosquitto.url), never));
    expect(session.mqtt).toBe("5");
    expect(await session.publish(message("nobody/listens"))).toBe("ok");
    const listener = await listen(mosquitto.url, ["somebody/#"]);
    expect(await session.publish(message("somebody/listens"))).toBe("ok");
    await listener.stop();
    await session.end(2_000);
  });

  test("is known again by its name, until the broker has lost what it kept", async () => {
    const own = await startMosquitto();
    const options = optionsFor(own.url);
    const isResumed = async () => {
      const session = sessionOf(await quick.connect(options, never));
      await session.end(2_000);
      return session.resumed;
    };
    expect([await isResumed(), await isResumed()]).toEqual([false, true]);
    await own.stop();
    await own.start();
    expect(await isResumed()).toBe(true);
    await own.kill();
    own.forget();
    await own.start();
    expect(await isResumed()).toBe(false);
    await own.stop();
  });

  test("a session keeps nothing of what was confirmed", async () => {
    const session = sessionOf(await quick.connect(optionsFor(mosquitto.url), never));
    const some = async (count: number) => {
      for (let i = 0; i < count; i += 1) expect(await session.publish(message("a/b"))).toBe("ok");
      return queryObjects(Promise, { format: "count" });
    };
    const before = await some(50);
    expect((await some(500)) - before).toBeLessThan(100);
    await session.end(2_000);
  });

  test("hears its subscriptions with their correlation", async () => {
    const session = sessionOf(await quick.connect(optionsFor(mosquitto.url), never));
    const heard: (string | null)[][] = [];
    session.onMessage((topic, payload, correlation) => heard.push([topic, payload, correlation]));
    const other = await listen(mosquitto.url, []).catch(() => listen(mosquitto.url, ["x"]));
    await sleep(200);
    await other.publish("to/me/command/ping", "{}", { correlation: "c1" });
    await until("it is heard", 5_000, () => heard.length > 0);
    expect(heard).toEqual([["to/me/command/ping", "{}", "c1"]]);
    await other.stop();
    await session.end(2_000);
  });

  test("a message that is too large is rejected here, and the session goes on", async () => {
    const session = sessionOf(await quick.connect(optionsFor(mosquitto.url), never));
    expect(await session.publish(message("a/b", { payload: "x".repeat(65_537) }))).toBe("rejected");
    expect(await session.publish(message("a/b"))).toBe("ok");
    await session.end(2_000);
  });

  test("a broker that hangs ends the session within its deadline; one that is killed at once", async () => {
    const own = await startMosquitto();
    const session = sessionOf(await quick.connect(optionsFor(own.url), never));
    own.hang(true);
    expect(await session.publish(message("a/b"))).toBe("lost");
    expect(await session.ended).toContain("confirms nothing");
    own.hang(false);
    const second = sessionOf(await quick.connect(optionsFor(own.url), never));
    await own.kill();
    expect(await second.ended).not.toBe("");
    expect(reasonOf(await quick.connect(optionsFor(own.url), never))).toBe("unreachable");
    await own.stop();
  });

  test("a topic that is not allowed is denied; a login that is not known is refused", async () => {
    const folder = tempFolder("acl");
    const passwords = join(folder, "passwords");
    execFileSync("mosquitto_passwd", ["-b", "-c", passwords, "an-dai-1", "dung"], { stdio: "ignore" });
    const acl = join(folder, "acl");
    writeFileSync(acl, "pattern write from/%u/#\n");
    for (const file of [passwords, acl]) execFileSync("chmod", ["644", file]);
    execFileSync("chmod", ["755", folder]);
    const own = await startMosquitto({ lines: ["allow_anonymous false", `password_file ${passwords}`, `acl_file ${acl}`] });
    const as = (password: string) => optionsFor(own.url, { credential: { username: "an-dai-1", password } });
    const session = sessionOf(await quick.connect(as("dung"), never));
    expect(await session.publish(message("from/an-dai-1/event"))).toBe("ok");
    expect(await session.publish(message("from/an-dai-2/event"))).toBe("denied");
    await session.end(2_000);
    expect(reasonOf(await quick.connect(as("sai"), never))).toBe("refused");
    expect(reasonOf(await quick.connect(optionsFor(own.url), never))).toBe("refused");
    await own.stop();
  });
});

describe("with certificates", () => {
  const folder = tempFolder("tls");
  const at = (name: string) => join(folder, name);
  const read = (name: string) => readFileSync(at(name), "utf8");
  const openssl = (...args: readonly string[]) => execFileSync("openssl", [...args], { cwd: folder, stdio: "ignore" });
  const sign = (name: string, ca: string, days: string) => {
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    writeFileSync(at("ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      `${ca}.crt`,
      "-CAkey",
      `${ca}.key`,
      "-CAcreateserial",
      "-out",
      `${name}.crt`,
      "-days",
      days,
      "-extfile",
      "ext",
    );
  };
  let own: Mosquitto;
  beforeAll(async () => {
    for (const ca of ["ca", "other-ca"])
      openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        `${ca}.key`,
        "-out",
        `${ca}.crt`,
        "-days",
        "2",
        "-subj",
        `/CN=${ca}`,
      );
    sign("broker", "ca", "2");
    sign("an-dai-1", "ca", "2");
    sign("stranger", "other-ca", "2");
    execFileSync("sh", ["-c", `chmod 755 ${folder}; chmod 644 ${folder}/*`]);
    const port = await freePort();
    own = await startMosquitto({
      ...{ port, scheme: "mqtts" },
      lines: [
        ...[`cafile ${at("ca.crt")}`, `certfile ${at("broker.crt")}`, `keyfile ${at("broker.key")}`],
        ...["require_certificate true", "use_identity_as_username true", "allow_anonymous false"],
      ],
    });
  });
  afterAll(() => own.stop());
  const withFiles = (ca: string, name: string | null) =>
    optionsFor(own.url, {
      ca: read(`${ca}.crt`),
      cert: name === null ? null : read(`${name}.crt`),
      key: name === null ? null : read(`${name}.key`),
    });

  test("a site with its certificate is let in", async () => {
    const session = sessionOf(await quick.connect(withFiles("ca", "an-dai-1"), never));
    expect(await session.publish(message("a/b"))).toBe("ok");
    await session.end(2_000);
  });
  test("a broker that another authority signed is not trusted", async () => {
    expect(reasonOf(await quick.connect(withFiles("other-ca", "an-dai-1"), never))).toBe("certificate");
  });
  test.each([["stranger"], [null]])("a site with the certificate of %s stays outside", async (name) => {
    expect(["certificate", "unreachable", "refused"]).toContain(reasonOf(await quick.connect(withFiles("ca", name), never)));
  });
  test("a certificate that is none is said to be", async () => {
    expect(reasonOf(await quick.connect({ ...withFiles("ca", "an-dai-1"), cert: "garbage", key: "garbage" }, never))).toBe("certificate");
  });
});

/** A server of our own making; `answer` gets the bytes that came. */
async function server(
  answer: (socket: Socket, data: Buffer, connection: number) => void,
): Promise<{ url: string; close(): void; open(): number }> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let connections = 0;
  const made = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.on("data", (data) => answer(socket, data, connection));
  });
  await new Promise<void>((resolve) => made.listen(port, "127.0.0.1", resolve));
  return {
    url: `mqtt://127.0.0.1:${port}`,
    open: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      made.close();
    },
  };
}

test("a broker that refuses version 5 is spoken to in 3.1.1", async () => {
  const old = await server((socket, data) => {
    // CONNECT carries its version after the protocol's name; PUBLISH with QoS 1 its packet id after the topic.
    if (data[0] === 0x10) socket.write(data[8] === 5 ? Buffer.from([0x20, 2, 0, 1]) : Buffer.from([0x20, 2, 0, 0]));
    if (data[0] === 0x10 && data[8] === 5) socket.end();
    if (data[0] === 0x32) socket.write(Buffer.from([0x40, 2, data[4 + (data[3] ?? 0)] ?? 0, data[5 + (data[3] ?? 0)] ?? 0]));
  });
  const session = sessionOf(await quick.connect(optionsFor(old.url, { subscriptions: [] }), never));
  expect(session.mqtt).toBe("3.1.1");
  expect(await session.publish(message("a/b", { expirySeconds: 9 }))).toBe("ok");
  old.close();
  expect(await session.ended).not.toBe("");
});

test.each([
  ["says nothing", (): void => undefined, "timeout"],
  ["talks another language", (socket: Socket): void => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), "unreachable"],
  ["hangs up", (socket: Socket): void => void socket.destroy(), "unreachable"],
] as const)("a server that %s fails the attempt in time", async (_, answer, reason) => {
  const liar = await server(answer);
  expect(reasonOf(await quick.connect(optionsFor(liar.url), never))).toBe(reason);
  await until("its connections are closed", 3_000, () => liar.open() === 0);
  liar.close();
});

test("many failed attempts leave no timer and no socket behind", async () => {
  const busy = () => process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name)).length;
  const url = `mqtt://127.0.0.1:${await freePort()}`;
  await quick.connect(optionsFor(url), never);
  const before = busy();
  for (let i = 0; i < 50; i += 1) expect(reasonOf(await quick.connect(optionsFor(url), never))).toBe("unreachable");
  await sleep(300);
  expect(busy()).toBeLessThanOrEqual(before + 2);
});
