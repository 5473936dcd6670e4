/** What goes to the station fits through a broker, however large a site is. */
import { expect, test } from "vitest";
import { type Birth, birthMessage } from "../../agent/core/message.ts";
import { payloadProblems } from "../lib/messages.ts";

const at = Date.parse("2026-11-24T00:00:00Z");
const address = { commune: "nghia-phuong", site: "an-dai-1" };
/** As much as the station's broker takes. */
const mostBytes = 65_536;

function born(cameras: number, id: string, name: string, group: string | null) {
  const camera = {
    id,
    name,
    group,
    kind: 1,
    priority: false,
    household: id,
    manual: { checkedAt: at, keepsMs: 3650 * 86_400_000 },
    sinceAt: at,
  };
  const birth: Birth = {
    ...{
      versions: { agent: "1", node: "v24", ffmpeg: "7", os: "Debian", model: "Pi" },
      config: "0123456789abcdef",
      boot: "b.1",
      startedAt: at,
    },
    ...{
      cameras: Array.from({ length: cameras }, () => camera),
      keep: { minMs: 1, maxMs: 2 },
      previous: null,
      db: "d",
      firstG: 1,
      lastG: 2,
    },
    ...{ name: "n".repeat(500), key: `-----BEGIN PUBLIC KEY-----\n${"k".repeat(80)}` },
  };
  const { topic, payload } = birthMessage(address, birth);
  expect(payloadProblems(topic, payload)).toEqual([]);
  return {
    bytes: Buffer.byteLength(payload),
    cameras: (JSON.parse(payload) as { cameras: { name: string; group: string | null }[] }).cameras,
  };
}

test.each([
  ["ids and names as they are", 256, "cho-001", "Quốc lộ 1A – Ngã ba chợ Tre", "Quốc lộ 1A"],
  ["all as long as the configuration takes it", 256, "c".repeat(32), "ệ".repeat(500), '"\\'.repeat(250)],
  ["no groups", 256, "c".repeat(32), "ệ".repeat(500), null],
])("a birth tells every camera: %s", (_, count, id, name, group) => {
  const { bytes, cameras } = born(count, id, name, group);
  expect(cameras).toHaveLength(count);
  expect(bytes).toBeLessThanOrEqual(mostBytes);
});

test("names give way only where there is no room, and show that they did", () => {
  expect(born(26, "cho-01", "ệ".repeat(200), "Chợ").cameras[0]).toMatchObject({ name: "ệ".repeat(200), group: "Chợ" });
  expect(born(150, "cho-01", "ệ".repeat(200), "Chợ").cameras[0]).toMatchObject({ name: `${"ệ".repeat(50)}…`, group: "Chợ" });
});
