/** The tunnels between boxes and station, each behind a router that lets nobody in: by the station's own commands, real WireGuard, real nft, a real broker. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tunnelText } from "../../agent/core/tunnel.ts";
import { readRegister } from "../../deploy/station/keep.ts";
import { makeKeyPair } from "../../deploy/station/keys.ts";
import { readKeys } from "../../deploy/station/peers.ts";
import { filesOf, folderPlace } from "../../deploy/station/place.ts";
import { freeNumber, type PeerKind, type Register } from "../../deploy/station/register.ts";
import { addressOf, isInTunnel, mostPeers, networkOf, strippedText } from "../../deploy/station/tunnel.ts";
import { hubOf, isPublic } from "../../deploy/station/wanted.ts";
import { program, until, writeSite } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { connect, listenOn, type Machine, makeHome, makeInternet, makeMachine, reaches, tunnelObstacle, wire } from "../lib/internet.ts";
import { tempFolder } from "../lib/temp.ts";

test("keys are WireGuard's: wg finds the same public one", () => {
  const { privateKey, publicKey } = makeKeyPair();
  expect(execFileSync("wg", ["pubkey"], { input: privateKey, encoding: "utf8" }).trim()).toBe(publicKey);
  expect(makeKeyPair().privateKey).not.toBe(privateKey);
});

test("each peer has an address of its kind's part of the range, the lowest that is free", () => {
  const of = (kind: PeerKind, ...numbers: readonly number[]) => numbers.map((number) => addressOf(kind, { number }));
  expect(of("site", 1, 250, 251, mostPeers("site"))).toEqual(["10.203.1.1", "10.203.1.250", "10.203.2.1", "10.203.63.250"]);
  expect(of("phone", 1, mostPeers("phone"))).toEqual(["10.203.128.1", "10.203.190.250"]);
  expect(of("router", 1, 2, 16, 17, mostPeers("router"))).toEqual([
    ...["10.203.192.1", "10.203.192.17", "10.203.192.241", "10.203.193.1", "10.203.254.241"],
  ]);
  expect([1, 2, mostPeers("router")].map((number) => networkOf({ number }))).toEqual([
    ...["10.203.192.0/28", "10.203.192.16/28", "10.203.254.240/28"],
  ]);
  const taken = [1, 2, 4].map((number) => ({ serial: "", endsAt: "", tunnel: { number, key: "" } }));
  const sites = [{ id: "a", certificates: [...taken, { serial: "", endsAt: "" }] }];
  const register = { sites, people: [], routers: [] } as unknown as Register;
  expect([freeNumber(register, "site"), freeNumber(register, "phone")]).toEqual([3, 1]);
});

test("a box's address in the tunnel is told from every other", () => {
  const [first, last, phone] = [
    addressOf("site", { number: 1 }),
    addressOf("site", { number: mostPeers("site") }),
    addressOf("phone", { number: 1 }),
  ];
  expect([first, last].filter(isInTunnel)).toEqual([first, last]);
  expect([phone, "10.203.0.1", "10.204.1.1", "192.168.1.10", "10.203.1.example", "hall.example"].filter(isInTunnel)).toEqual([]);
});

test("what wg itself is told is what wg-quick would leave of the file", () => {
  expect(strippedText("[Interface]\nPrivateKey = x\nAddress = y\nMTU = 1\n\n# a\n[Peer]\nPublicKey = z\n")).toBe(
    "[Interface]\nPrivateKey = x\n\n# a\n[Peer]\nPublicKey = z\n",
  );
});

describe("which way an installer takes", () => {
  test("the station itself where it has a public address, else it must be told", () => {
    expect(hubOf({}, "tram.example", true)).toEqual({ kind: "station", host: "tram.example", port: 51_820 });
    expect(() => hubOf({}, "tram.example", false)).toThrow(/no public address.*--public HOST.*--hub HOST.*--no-vpn, then nobody can ssh/);
    expect(hubOf({ public: "tram.example:4000" }, "x", false)).toEqual({ kind: "station", host: "tram.example", port: 4_000 });
    expect(hubOf({ hub: "203.0.113.9" }, "x", true)).toEqual({ kind: "server", host: "203.0.113.9", port: 51_820 });
    expect(() => hubOf({ hub: "203.0.113.9:65535" }, "x", true)).toThrow(/a port below 65535/);
    expect(hubOf({ "no-vpn": true }, "x", true)).toEqual({ kind: "none" });
    // Boxes dial what their enrolment file says: what a station has stays until another way is said.
    const before = { kind: "station", host: "dyn.example", port: 4_000 } as const;
    expect(hubOf({}, "tram.example", true, before)).toEqual(before);
    expect(hubOf({ hub: "may-chu.example" }, "tram.example", true, before)).toMatchObject({ kind: "server" });
  });

  test.each([
    ...(["14.161.1.2", "171.224.0.1", "222.252.1.1", "223.255.1.1", "100.63.0.1", "100.128.0.1", "172.32.0.1"] as const).map(
      (address) => [address, true] as const,
    ),
    ...(
      [
        "10.0.0.5",
        "192.168.1.9",
        "172.16.0.1",
        "100.64.0.1",
        "100.127.1.1",
        "127.0.0.1",
        "169.254.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
      ] as const
    ).map((address) => [address, false] as const),
  ])("%s is public: %s", (address, answer) => expect(isPublic(address)).toBe(answer));
});

const obstacle = tunnelObstacle();
if (obstacle !== null) process.stderr.write(`SKIPPED: no WireGuard here, so no tunnel was tried between namespaces: ${obstacle}\n`);

describe.skipIf(obstacle !== null)("between households", () => {
  const folder = tempFolder("tunnel");
  const place = folderPlace(folder);
  const [mqtts, https, udp] = [8_883, 8_443, 51_820] as const;
  const stationAddress = "10.203.0.1";
  const machines: Machine[] = [];
  let [station, stationRouter, boxA, boxB, phone, server] = [] as unknown as [Machine, Machine, Machine, Machine, Machine, Machine];

  const machine = async (name: string) => {
    const made = await makeMachine(name);
    machines.push(made);
    return made;
  };
  const home = async (internet: Machine, inside: Machine, address: string, forwarded?: number) => {
    const router = await makeHome(internet, inside, address, forwarded);
    machines.push(router);
    return router;
  };
  const tool = (name: string, ...args: readonly string[]) =>
    station.run(join(repository, "deploy/station", name), ...args, "--folder", folder);
  const install = (...way: readonly string[]) =>
    tool(
      "install",
      ...["--commune", "nghia-phuong", "--name", "Công an xã", "--host", "tram.example"],
      ...way,
      ...["--port", String(mqtts), "--https", String(https)],
    );
  const register = () => readRegister(place) as Register;
  const up = (on: Machine, file: string) => on.run("wg-quick", "up", file);
  const keyOf = (id: string) =>
    register()
      .sites.find((site) => site.id === id)
      ?.certificates.at(-1)?.tunnel?.key ?? "";
  const heardAt = (key: string) =>
    new RegExp(`^${key.replace(/[+/]/g, "\\$&")}\t(\\d+)$`, "m").exec(
      station.run("wg", "show", "matghi-station", "latest-handshakes"),
    )?.[1];

  /** As a technician brings a box into service. */
  function bringIn(box: Machine, id: string): void {
    const file = join(folder, `${id}-${Math.random()}.matghi`);
    const code = /\(.*\): (\S+)\n/.exec(tool("add-site", id, "--out", file))?.[1] ?? "";
    writeFileSync(`${file}.code`, code);
    const config = writeSite({ folder: join(folder, id), cameras: [`id: cho, url: "rtsp://127.0.0.1:9/"`] });
    writeFileSync(config, readFileSync(config, "utf8").replace("id: an-dai-1,", `id: ${id},`));
    const said = box.run(process.execPath, program, "enroll", file, "--config", config, "--code-file", `${file}.code`);
    expect(said).toMatch(/systemctl (enable --now|restart) wg-quick@matghi/);
    box.run("sh", "-c", "! ip link show matghi 2>/dev/null || wg-quick down matghi");
    up(box, "matghi");
  }
  const message = join(folder, "message");
  /** As the agent speaks to its broker: by the names that `enroll` wrote, and more than a packet holds. */
  function publishes(box: Machine, id: string): boolean {
    const text = readFileSync(join(folder, id, "site.yaml"), "utf8");
    const [, host = "", port = ""] = /url: mqtts:\/\/([\d.]+):(\d+)/.exec(text) ?? [];
    const own = join(folder, id, "station");
    const credentials = ["--cafile", `${own}/ca.crt`, "--cert", `${own}/site.crt`, "--key", `${own}/site.key`];
    try {
      box.run(
        "timeout",
        "10",
        "mosquitto_pub",
        "-h",
        host,
        "-p",
        port,
        ...credentials,
        "-q",
        "1",
        "-t",
        `matghi/v1/nghia-phuong/from/${id}/event`,
        "-f",
        message,
      );
      return host === stationAddress;
    } catch {
      return false;
    }
  }

  beforeAll(async () => {
    const internet = await makeInternet();
    machines.push(internet);
    [station, boxA, boxB, phone, server] = [
      await machine("station"),
      await machine("box A"),
      await machine("box B"),
      await machine("phone"),
      await machine("server"),
    ];
    stationRouter = await home(internet, station, "203.0.113.10", udp);
    await home(internet, boxA, "203.0.113.21");
    await home(internet, boxB, "203.0.113.22");
    await home(internet, phone, "203.0.113.23");
    connect(internet, server, "203.0.113.30");
    for (const one of [boxA, boxB, phone]) one.names(["203.0.113.10 tram.example", "203.0.113.30 may-chu.example"]);
    writeFileSync(message, "x".repeat(40_000));
    expect(install("--public", `tram.example:${udp}`)).toContain(`tram.example:${udp} (UDP)`);
    const { brokerConfiguration, webConfiguration, firewall, tunnel } = filesOf(place);
    station.run("nft", "-f", firewall);
    up(station, tunnel);
    station.start("/usr/sbin/mosquitto", "-c", brokerConfiguration);
    station.start("/usr/sbin/nginx", "-e", "stderr", "-c", webConfiguration);
    await Promise.all([listenOn(station, 22), listenOn(boxA, 22, 2222), listenOn(boxB, 22)]);
    await until("broker and page answer", 20_000, () => [mqtts, https].every((port) => reaches(station, "127.0.0.1", port)));
    bringIn(boxA, "an-dai-1");
    bringIn(boxB, "an-dai-2");
  });
  afterAll(() => {
    for (const one of machines) one.remove();
  });

  test("a box reaches the broker and nothing else of the station; the station reaches a box's ssh and nothing else of it", () => {
    expect(publishes(boxA, "an-dai-1")).toBe(true);
    expect([https, 22, 9_001].map((port) => reaches(boxA, stationAddress, port))).toEqual([false, false, false]);
    expect([22, 2222].map((port) => reaches(station, "10.203.1.1", port))).toEqual([true, false]);
    expect(tool("list")).toMatch(/an-dai-1 .*10\.203\.1\.1 \(thấy \d+ phút trước\)/);
  });

  test("a box does not reach another one, even when it makes itself a way; without the station's rules it would", () => {
    const { firewall } = filesOf(place);
    const hub = readKeys(place)?.station.publicKey ?? "";
    for (const box of [boxA, boxB]) {
      box.run("wg", "set", "matghi", "peer", hub, "allowed-ips", "10.203.0.0/16");
      box.run("ip", "route", "replace", "10.203.0.0/16", "dev", "matghi");
    }
    station.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
    expect(reaches(boxA, "10.203.1.2", 22)).toBe(false);
    station.run("nft", "delete", "table", "inet", "matghi_station");
    expect(reaches(boxA, "10.203.1.2", 22)).toBe(true);
    station.run("nft", "-f", firewall);
    expect(reaches(boxA, "10.203.1.2", 22)).toBe(false);
    // Under another one's address nothing comes through at all.
    boxA.run("ip", "addr", "add", "10.203.1.2/32", "dev", "matghi");
    expect(() =>
      boxA.run(
        "timeout",
        "2",
        process.execPath,
        "-e",
        `require("net").connect({port:${mqtts},host:"${stationAddress}",localAddress:"10.203.1.2"}).on("connect",()=>process.exit(0)).on("error",()=>process.exit(1))`,
      ),
    ).toThrow();
    boxA.run("ip", "addr", "del", "10.203.1.2/32", "dev", "matghi");
  });

  test("a phone's tunnel is a picture; it reaches the page only", () => {
    const said = tool("add-viewer", "truc-ban", "--officer", "--phone");
    expect(said).toContain(`https://10.203.0.1:${https};`);
    expect(said).toMatch(/[█▄▀]{8}/);
    expect(register().people[0]?.tunnel?.number).toBe(1);
    // The picture itself is for a camera; the same tunnel from a pair of ours.
    const own = makeKeyPair();
    const keys = readKeys(place);
    station.run("wg", "set", "matghi-station", "peer", own.publicKey, "allowed-ips", "10.203.128.9/32");
    const hub = { key: keys?.station.publicKey ?? "", address: stationAddress, endpoint: `tram.example:${udp}` };
    const file = join(tempFolder("phone"), "phone.conf");
    writeFileSync(file, tunnelText({ key: own.privateKey, address: "10.203.128.9", hub }), { mode: 0o600 });
    up(phone, file);
    expect([https, mqtts, 22].map((port) => reaches(phone, stationAddress, port))).toEqual([true, false, false]);
  });

  test("a household's cameras are pulled through its router, by the station alone; they reach nobody", async () => {
    const [router, camera] = [await machine("WireGuard router"), await machine("camera")];
    await home(machines[0] as Machine, router, "203.0.113.24");
    router.names(["203.0.113.10 tram.example"]);
    wire(router, "lan", camera, "eth0");
    router.run("ip", "addr", "add", "10.203.192.1/28", "dev", "lan");
    router.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
    camera.run("ip", "addr", "add", "10.203.192.2/28", "dev", "eth0");
    camera.run("ip", "route", "add", "default", "via", "10.203.192.1");
    await listenOn(camera, 554);
    const file = join(folder, "ho-01.conf");
    expect(tool("add-router", "ho-01", "--out", file)).toContain("households: [{ id: ho-01, router: 10.203.192.1, reach: wan }]");
    up(router, file);
    await until("the camera is reached", 10_000, () => reaches(station, "10.203.192.2", 554));
    station.run("ping", "-c", "1", "-W", "2", "10.203.192.1");
    expect([https, mqtts, 22].map((port) => reaches(camera, stationAddress, port))).toEqual([false, false, false]);
    expect([reaches(boxA, "10.203.192.2", 554), reaches(phone, "10.203.192.2", 554)]).toEqual([false, false]);
    expect(tool("list")).toMatch(/ho-01 {2}10\.203\.192\.1 \(thấy \d+ phút trước\)/);
    tool("remove-router", "ho-01");
    expect(reaches(station, "10.203.192.2", 554)).toBe(false);
  });

  test("who comes disturbs nobody; who is removed is out at once", async () => {
    const before = heardAt(keyOf("an-dai-1"));
    tool("add-site", "an-dai-3", "--out", join(folder, "three.matghi"));
    expect(heardAt(keyOf("an-dai-1"))).toBe(before);
    expect([publishes(boxA, "an-dai-1"), publishes(boxB, "an-dai-2"), reaches(station, "10.203.1.2", 22)]).toEqual([true, true, true]);
    const key = keyOf("an-dai-2");
    tool("remove-site", "an-dai-2");
    expect(station.run("wg", "show", "matghi-station", "peers")).not.toContain(key);
    expect([reaches(station, "10.203.1.2", 22), reaches(boxB, stationAddress, mqtts)]).toEqual([false, false]);
    expect([publishes(boxA, "an-dai-1"), reaches(station, "10.203.1.1", 22)]).toEqual([true, true]);
  });

  test("a renewal has an address of its own, and cuts nobody off before the box takes it in", () => {
    tool("add-site", "an-dai-1", "--out", join(folder, "renewed.matghi"));
    expect(publishes(boxA, "an-dai-1")).toBe(true);
    const peers = register()
      .sites.find(({ id }) => id === "an-dai-1")
      ?.certificates.map(({ tunnel }) => tunnel?.number);
    expect(new Set(peers).size).toBe(2);
  });

  test("the station's own recorder gets no tunnel to itself", () => {
    const peers = () => station.run("wg", "show", "matghi-station", "peers").split("\n").sort();
    const before = peers();
    expect(tool("add-site", "tai-tram", "--here", "--out", join(folder, "here.matghi"))).not.toContain("10.203.");
    expect(peers()).toEqual(before);
    expect(register().sites.find(({ id }) => id === "tai-tram")?.certificates[0]?.tunnel).toBeUndefined();
  });

  test("no private key of a box or a phone is left at the station", () => {
    const text = boxA.run("cat", "/etc/wireguard/matghi.conf");
    const [, key = ""] = /PrivateKey = (\S+)/.exec(text) ?? [];
    expect(key).toHaveLength(44);
    const files = [place.etc, place.tunnels].flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
      ),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => readFileSync(file, "utf8").includes(key))).toEqual([]);
  });

  test("a hub whose address changed is looked up again once it is silent, and not before", async () => {
    const look = (seconds: number) => boxA.run(join(repository, "deploy/tunnel-lookup"), "/etc/wireguard/matghi.conf", String(seconds));
    stationRouter.run("ip", "addr", "del", "203.0.113.10/24", "dev", "eth0");
    stationRouter.run("ip", "addr", "add", "203.0.113.11/24", "dev", "eth0");
    // The old one is somebody else's by now; this router still knows ways that were open under it.
    stationRouter.run("nft", "table ip gone { chain in { type filter hook prerouting priority raw; ip daddr 203.0.113.10 drop; }; }");
    boxA.names(["203.0.113.11 tram.example", "203.0.113.30 may-chu.example"]);
    expect(reaches(boxA, stationAddress, mqtts)).toBe(false);
    expect(look(180)).toBe("");
    expect(boxA.run("wg", "show", "matghi", "endpoints")).toContain("203.0.113.10:");
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(look(1)).toContain("203.0.113.11:");
    const began = performance.now();
    await until("it is reached again", 30_000, () => publishes(boxA, "an-dai-1"));
    process.stdout.write(
      `figure: a hub at another address is reached ${((performance.now() - began) / 1000).toFixed(1)} s after it was looked up\n`,
    );
    // A name that is not found is no failure: the next minute asks again.
    boxA.names([]);
    expect(look(0)).toBe("");
  });

  test("with a server between, behind routers that let nobody in: the same, and the server knows no box", async () => {
    stationRouter.run("nft", "delete table ip home");
    stationRouter.run(
      "nft",
      'table ip home { chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }; chain through { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "home" accept; }; }',
    );
    const { firewall, tunnel, uplink, hub } = filesOf(place);
    expect(install("--hub", "may-chu.example")).toContain("systemctl enable --now wg-quick@matghi-hub");
    server.run("sh", "-c", `cp ${hub}/matghi-hub.* /etc/wireguard/`);
    up(server, "matghi-hub");
    station.names(["203.0.113.30 may-chu.example"]);
    boxA.names(["203.0.113.30 may-chu.example"]);
    station.run("nft", "-f", firewall);
    station.run("wg-quick", "down", tunnel);
    up(station, tunnel);
    up(station, uplink);
    bringIn(boxA, "an-dai-1");
    await until("the box reaches its broker", 30_000, () => publishes(boxA, "an-dai-1"));
    const address = addressOf(
      "site",
      register()
        .sites.find(({ id }) => id === "an-dai-1")
        ?.certificates.at(-1)?.tunnel ?? { number: 0 },
    );
    expect([22, 2222].map((port) => reaches(station, address, port))).toEqual([true, false]);
    expect([https, 22].map((port) => reaches(boxA, stationAddress, port))).toEqual([false, false]);
    const conf = server.run("cat", "/etc/wireguard/matghi-hub.conf");
    expect(conf.match(/\[Peer\]/g)).toHaveLength(1);
    expect(reaches(server, "10.203.255.2", mqtts)).toBe(false);
    const before = heardAt(keyOf("an-dai-1"));
    expect(Number(before)).toBeGreaterThan(0);
    tool("remove-site", "an-dai-1");
    expect(reaches(boxA, stationAddress, mqtts)).toBe(false);
    expect(server.run("cat", "/etc/wireguard/matghi-hub.conf")).toBe(conf);
  });

  test("without tunnels again, their files are gone and the keys stay", () => {
    const keys = JSON.stringify(readKeys(place));
    expect(install("--no-vpn")).toMatch(/không ai ssh/);
    expect(() => readFileSync(filesOf(place).tunnel)).toThrow();
    expect(JSON.stringify(readKeys(place))).toBe(keys);
  });
});
