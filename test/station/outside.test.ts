/** The proof that a port is closed from outside, in a network namespace of its own with real rules. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { firewallText } from "../../deploy/station/firewall.ts";
import { repository } from "../lib/cameras.ts";
import { tempFolder } from "../lib/temp.ts";

test("a port that listens everywhere is seen until the station's rules close it; loopback is never closed", () => {
  const folder = tempFolder("outside");
  const ports = { mqtts: 8883, https: 443, websocket: 9001 };
  writeFileSync(join(folder, "firewall.nft"), firewallText(ports, { kind: "none" }));
  const script = `
    import { execFileSync } from "node:child_process";
    import { createServer } from "node:net";
    import { portsOpenOutside } from "${repository}/dist/deploy/station/outside.js";
    import { answers } from "${repository}/dist/deploy/station/services.js";
    const listen = (port, host) => new Promise((resolve) => createServer().listen(port, host, resolve));
    await Promise.all([listen(8883, "0.0.0.0"), listen(443, "0.0.0.0"), listen(9001, "0.0.0.0"), listen(9002, "127.0.0.1")]);
    const look = () => portsOpenOutside([8883, 443, 9001, 9002]).open ?? portsOpenOutside([]).why;
    const before = look();
    for (let twice = 0; twice < 2; twice += 1) execFileSync("nft", ["-f", "${folder}/firewall.nft"]);
    console.log(JSON.stringify({ before, after: look(), inside: await answers("127.0.0.1", 9001) }));
    process.exit(0);`;
  const inside = ["--mount", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "_"];
  const said = execFileSync("unshare", [...inside, process.execPath, "--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 120_000,
  });
  expect(JSON.parse(said)).toEqual({ before: [8883, 443, 9001], after: [8883, 443], inside: true });
});
