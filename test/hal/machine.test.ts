/** The operating system's answers, from trees and programs of our own and from real sockets. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { makeMachine } from "../../hal/machine.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("machine");
const write = (path: string, text: string) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
  return join(folder, path);
};
const script = (name: string, body: string) => {
  const path = write(`bin/${name}`, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
};
const none = { systemctl: "/none/systemctl", smartctl: "/none/smartctl", vcgencmd: "/none/vcgencmd" };

test("the deepest mount point counts, blanks and all", async () => {
  write(
    "proc/self/mountinfo",
    ["22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,data=ordered", "30 22 8:17 / /srv/my\\040disk ro,noatime - ext4 /dev/sdb1 rw", ""].join(
      "\n",
    ),
  );
  const machine = makeMachine(folder, none);
  expect(await machine.mountOf("/srv/my disk/footage")).toEqual({
    ...{ point: "/srv/my disk", type: "ext4", device: "/dev/sdb1" },
    options: ["ro", "noatime", "rw"],
  });
  expect(await machine.mountOf("/srv/my disk2")).toMatchObject({ point: "/", device: "/dev/sda1" });
  expect(await makeMachine(join(folder, "nowhere"), none).mountOf("/")).toBeNull();
});

describe("SMART", () => {
  const ask = (body: string) => makeMachine("", { ...none, smartctl: script(`smart-${Math.random()}`, body) }).smart("/dev/sda");
  const ata = (passed: boolean, sectors: number) =>
    `echo '${JSON.stringify({
      smart_status: { passed },
      ata_smart_attributes: {
        table: [
          { id: 5, raw: { value: sectors } },
          { id: 9, raw: { value: 40_000 } },
        ],
      },
    })}'; exit 64`;
  test.each([
    ["well, whatever the exit code", ata(true, 0), { kind: "told", passed: true, badSectors: 0, wornPercent: null, temperatureC: null }],
    ["worn", ata(true, 8), { kind: "told", passed: true, badSectors: 8, wornPercent: null, temperatureC: null }],
    ["failing", ata(false, 0), { kind: "told", passed: false, badSectors: 0, wornPercent: null, temperatureC: null }],
    [
      "an NVMe that warns",
      `echo '{"smart_status":{"passed":true},"nvme_smart_health_information_log":{"critical_warning":4,"media_errors":2,"percentage_used":12},"temperature":{"current":45}}'`,
      { kind: "told", passed: false, badSectors: 2, wornPercent: 12, temperatureC: 45 },
    ],
    [
      "a card reader",
      `echo '{"smartctl":{"messages":[{"string":"Unknown USB bridge"}]}}'; exit 1`,
      { kind: "unsupported", detail: "Unknown USB bridge" },
    ],
    [
      "a bridge that passes the disk's own language on",
      `case "$*" in *"-d sat"*) echo '{"smart_status":{"passed":true},"endurance_used":{"current_percent":7}}';; *) echo '{"smartctl":{"messages":[{"string":"Unknown USB bridge"}]}}'; exit 1;; esac`,
      { kind: "told", passed: true, badSectors: 0, wornPercent: 7, temperatureC: null },
    ],
    [
      "a disk asleep, which nobody wakes for that",
      `echo '{"smartctl":{"messages":[{"string":"Device is in STANDBY mode, exit(2)"}]}}'; exit 2`,
      { kind: "unknown", detail: "Device is in STANDBY mode, exit(2)" },
    ],
    ["rubbish", "echo rubbish", { kind: "unknown", detail: expect.any(String) }],
  ] as const)("%s", async (_, body, answer) => {
    expect(await ask(body)).toEqual(answer);
  });

  test("a disk that lets smartctl hang is unknown, and nobody waits for ever", async () => {
    expect(await ask("exec sleep 60")).toMatchObject({ kind: "unknown", detail: expect.stringContaining("did not answer") });
  });

  test("without smartctl it says what to install", async () => {
    expect(await makeMachine("", none).smart("/dev/sda")).toMatchObject({
      kind: "unsupported",
      detail: expect.stringContaining("apt-get install"),
    });
  });
});

test("the service's state and restarts; none where systemd does not know it", async () => {
  const ask = (body: string) => makeMachine("", { ...none, systemctl: script(`ctl-${Math.random()}`, body) }).service("matghi");
  expect(await ask("printf 'LoadState=loaded\\nActiveState=active\\nNRestarts=3\\n'")).toEqual({ state: "active", restarts: 3 });
  expect(await ask("printf 'LoadState=not-found\\nActiveState=inactive\\nNRestarts=0\\n'")).toBeNull();
  expect(await ask("exit 1")).toBeNull();
  expect(await makeMachine("", none).service("matghi")).toBeNull();
});

test("ports that listen to others, not those of the loopback", async () => {
  const head = "  sl  local_address rem_address   st";
  write(
    "proc/net/tcp",
    [head, "   0: 0100007F:1F90 00000000:0000 0A", "   1: 00000000:0016 00000000:0000 0A", "   2: 0501A8C0:0277 00000000:0000 01", ""].join(
      "\n",
    ),
  );
  write(
    "proc/net/tcp6",
    [head, "   0: 00000000000000000000000001000000:0050 0:0 0A", "   1: 00000000000000000000000000000000:22B3 0:0 0A", ""].join("\n"),
  );
  expect(await makeMachine(folder, none).listening()).toEqual([22, 0x22b3]);
});

test("a Raspberry Pi's low voltage; nothing where there is no such sense", async () => {
  expect(await makeMachine(join(folder, "pc"), none).hasUnderVoltage()).toBeNull();
  for (const [word, answer] of [
    ["1", true],
    ["0", false],
  ] as const) {
    write("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
    write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", `${word}\n`);
    expect(await makeMachine(folder, none).hasUnderVoltage()).toBe(answer);
  }
});

test("a Raspberry Pi's throttling bits; nothing where there is no such program", async () => {
  const ask = (body: string) => makeMachine("", { ...none, vcgencmd: script(`vc-${Math.random()}`, body) }).throttled();
  expect(await ask("echo throttled=0x50005")).toBe(0x50005);
  expect(await ask("echo throttled=0x0")).toBe(0);
  expect(await ask("echo 'VCHI initialization failed'; exit 255")).toBeNull();
  expect(await makeMachine("", none).throttled()).toBeNull();
});

describe("the way to a server", () => {
  const machine = makeMachine("", none);
  const look = (port: number, host = "127.0.0.1") => machine.door({ host, port, tls: null }, 2_000);
  test("no name, no port, a port", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await look(1883, "tram.invalid")).toMatchObject({ kind: "no-name" });
    expect(await look(1)).toEqual({ kind: "no-port", detail: "ECONNREFUSED" });
    expect(await look((server.address() as { port: number }).port)).toEqual({ kind: "open", certificateEndsAt: null });
    server.close();
  });

  test("a server that accepts and says nothing is not trusted, in time", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const place = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
    expect(await machine.door({ ...place, tls: { ca: null, cert: null, key: null } }, 1_000)).toEqual({
      kind: "no-trust",
      detail: "no answer",
    });
    server.close();
  });

  test("a certificate of our own authority opens, with its end; any other does not", async () => {
    const [key, cert] = [join(folder, "s.key"), join(folder, "s.crt")];
    const make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10", "-subj", "/CN=x"];
    execFileSync("openssl", [...make, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], { stdio: "ignore" });
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const place = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
    const ask = (ca: string | null) => machine.door({ ...place, tls: { ca, cert: null, key: null } }, 5_000);
    const open = await ask(readFileSync(cert, "utf8"));
    expect(open.kind).toBe("open");
    if (open.kind === "open") expect(Math.round(((open.certificateEndsAt ?? 0) - Date.now()) / 86_400_000)).toBe(10);
    expect(await ask(null)).toMatchObject({ kind: "no-trust", detail: expect.stringMatching(/SELF_SIGNED|UNABLE/) });
    server.close();
  });
});
