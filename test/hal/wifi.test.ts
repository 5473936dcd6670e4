/** The suite of `Wifi`, on the scripted and the real driver: what iw prints, and whatever else a program in its place may do. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { WifiCount } from "../../hal/ports.ts";
import { scriptWifi } from "../../hal/script.ts";
import { makeWifi } from "../../hal/wifi.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const folder = tempFolder("wifi");
const iw = (name: string, ...lines: string[]) => makeWifi(writeProgram(join(folder, name), lines));
const print = (text: string) => `cat <<'X'\n${text}\nX`;

/** As iw 5.19 of Debian 12 prints it. */
const dump = (more = "") => `Station 02:fc:00:00:00:05 (on wlan0)
	inactive time:	16 ms
	rx bytes:	81237
	rx packets:	712
	tx bytes:	53120
	tx packets:	401
	tx retries:	37
	tx failed:	2
	beacon loss:	0
	signal:  	-61 [-63, -66] dBm
	signal avg:	-60 [-62, -65] dBm
	tx bitrate:	65.0 MBit/s MCS 7
	rx bitrate:	72.2 MBit/s MCS 7 short GI
	expected throughput:	32.123Mbps${more}`;
const told: WifiCount = { signalDbm: -61, packets: 401, retries: 37, bitrateMbps: 65 };

describe.each(["real", "scripted"] as const)("the %s wifi", (kind) => {
  const make = (count: WifiCount | null) =>
    kind === "real" ? iw(`suite-${count === null}`, count === null ? "exit 237" : print(dump())) : scriptWifi(() => count);

  test("tells what the card has counted, and null where nobody tells", async () => {
    expect(await make(told).count("wlan0", never)).toEqual(told);
    expect(await make(null).count("wlan0", never)).toBeNull();
    expect(await make(told).count("wlan0", AbortSignal.abort())).toBeNull();
  });
});

describe("iw", () => {
  test.each([
    [
      "a card that counts neither retries nor rates (brcmfmac)",
      print(dump().replace(/\ttx (retries|bitrate).*\n/g, "")),
      { ...told, retries: null, bitrateMbps: null },
    ],
    ["an access point of our own: two stations", print(`${dump()}\n${dump()}`), null],
    ["nobody joined", "true", null],
    ["nonsense", print("Station x\n:::\nsignal: strong"), { signalDbm: null, packets: null, retries: null, bitrateMbps: null }],
    ["endless output", "yes 'Station x'", null],
    ["a program that hangs", "exec sleep 100", null],
  ] as const)("%s", async (name, body, expected) => {
    expect(await iw(name.replace(/\W/g, "-"), body).count("wlan0", never)).toEqual(expected);
  });

  test("is given the interface as a name only, and need not be there", async () => {
    const seen = join(folder, "seen");
    const wifi = iw("args", `echo "$*" >> ${seen}`);
    for (const name of ["", "-h", "a b", "a;b", "x".repeat(16), "wlan0"]) await wifi.count(name, never);
    expect(readFileSync(seen, "utf8")).toBe("dev wlan0 station dump\n");
    expect(existsSync("/none/iw")).toBe(false);
    expect(await makeWifi("/none/iw").count("wlan0", never)).toBeNull();
  });
});
