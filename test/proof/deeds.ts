/** The faults that are drawn: each makes it and mends it again. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gapsOf } from "../../agent/query.ts";
import { sleep, until } from "../lib/agent.ts";
import { forceReadOnly } from "../lib/disk.ts";
import { markedBy, signalRecorders } from "../lib/footage.ts";
import { inspect } from "../lib/inspect.ts";
import { rival } from "../lib/listener.ts";
import { type Disks, felt, names, recordingAgain, type Scene, site } from "./scene.ts";

/** Resolves with what the agent did wrong under way, apart from the laws that are looked at after every fault; rejects where the fault could not be made. */
export type Deed = (scene: Scene) => Promise<readonly string[] | undefined>;
type DiskDeed = (scene: Scene, disks: Disks) => Promise<readonly string[] | undefined>;

const minuteMs = 60_000;

/** Between, some time passes; it is mended whatever happens meanwhile. */
async function lasting<T>(ms: number, make: () => T | Promise<T>, mend: () => void | Promise<void>): Promise<T> {
  try {
    const made = await make();
    await sleep(ms);
    return made;
  } finally {
    await mend();
  }
}

/** The clock is wrong, as of a box without one of its own, and is set right after a while: one step away, one back. */
const wrongClock =
  (sign: 1 | -1): Deed =>
  async (scene) => {
    const before = stepsOf(scene);
    await lasting(
      scene.draw.between(5_000, 20_000),
      () => scene.set("offset", String(sign * scene.draw.between(1, 40) * minuteMs)),
      () => scene.set("offset", "0"),
    );
    return until("two steps", 10_000, () => stepsOf(scene) - before === 2).then(
      () => [],
      () => [`the clock was set twice, and ${stepsOf(scene) - before} steps are told`],
    );
  };

const stepsOf = ({ agent }: Scene): number =>
  inspect(
    agent(),
    ({ reads }) => reads.events({ fromAt: 0, toAt: Number.MAX_SAFE_INTEGER, type: "clock.step", afterG: 0, limit: 1_000_000 }).length,
  );

/** A link is a number for people: the station is spoken to as long as it answers. */
const poorLink =
  (word: "weak" | "down"): Deed =>
  async (scene) => {
    const found = await lasting(
      scene.draw.between(3_000, 15_000),
      async () => {
        scene.set("link", word);
        return felt(scene, "link", word);
      },
      () => scene.set("link", "up"),
    );
    return [...found, ...(await felt(scene, "link", "up"))];
  };

export const deeds: Readonly<Record<string, Deed>> = {
  "agent killed": async ({ agent, draw, start }) => {
    await agent().kill9();
    await sleep(draw.between(0, 5_000));
    start();
  },
  "agent stopped": async ({ agent, start }) => {
    await agent().stop();
    start();
  },
  "ffmpeg killed": async ({ draw, footage }) => {
    for (const name of draw.some(names)) signalRecorders(join(footage, name), "SIGKILL");
  },
  "ffmpeg hangs": async ({ draw, footage }) => {
    signalRecorders(join(footage, draw.one(names)), "SIGSTOP");
  },
  "camera stalls": async ({ draw, control }) => {
    await control(`stall ${draw.one(names)} ${draw.between(3, 20)}`);
  },
  "cameras reboot": async ({ draw, control }) => {
    const seconds = draw.between(3, 15);
    await control(`reboot ${seconds}`);
    await sleep(seconds * 1_000);
  },
  "broker killed": async ({ broker, draw }) => {
    await lasting(draw.between(500, 10_000), broker.kill, broker.start);
  },
  "broker hangs": async ({ broker, draw }) => {
    await lasting(
      draw.between(1_000, 20_000),
      () => broker.hang(true),
      () => broker.hang(false),
    );
  },
  // Its session at the broker is gone each time, and with it what it has subscribed to.
  "name taken over": async ({ broker, draw, wire }) => {
    const before = wire.made();
    const other = await rival(broker.url, site);
    await lasting(draw.between(2_000, 15_000), () => undefined, other.end);
    await until("the agent connects anew", 10_000, () => wire.made() > before);
  },
  "line half-open": async ({ wire }) => {
    wire.halfOpen();
  },
  "line dark": async ({ wire, draw }) => {
    await lasting(draw.between(5_000, 30_000), wire.blackHole, wire.mend);
  },
  "link weak": poorLink("weak"),
  "link down": poorLink("down"),
  // A nearly empty battery hurries the flushing after five seconds.
  "power from the battery": async (scene) => {
    const found = await lasting(
      scene.draw.between(6_000, 15_000),
      async () => {
        scene.set("power", "battery");
        const onBattery = await felt(scene, "power", "battery");
        scene.set("power", "low");
        return [...onBattery, ...(await felt(scene, "power", "low"))];
      },
      () => scene.set("power", "mains"),
    );
    return [...found, ...(await felt(scene, "power", "mains"))];
  },
  "clock ahead": wrongClock(1),
  "clock behind": wrongClock(-1),
};

export const diskDeeds: Readonly<Record<string, DiskDeed>> = {
  "disk full": async ({ draw }, { footage }) => {
    await lasting(draw.between(3_000, 15_000), footage.fill, footage.makeRoom);
  },
  "disk read-only": async (scene, { footage }) => {
    const folders = names.map((name) => join(scene.footage, name));
    await lasting(
      scene.draw.between(3_000, 15_000),
      () => forceReadOnly(footage, folders),
      () => footage.readOnly(false),
    );
  },
  "disk unmounted": async ({ draw }, { footage }) => {
    let underneath: readonly string[] = [];
    await lasting(draw.between(3_000, 15_000), footage.unmount, () => {
      underneath = readdirSync(footage.mountPoint);
      footage.mount();
    });
    return underneath.map((name) => `${name} was written into the empty mount point`);
  },
  "disk slow": async ({ draw }, { footage }) => {
    await lasting(
      draw.between(1_000, 5_000),
      () => footage.freeze(true),
      () => footage.freeze(false),
    );
  },
  "box's own disk full": async ({ draw }, { state }) => {
    await lasting(draw.between(3_000, 20_000), state.fill, state.makeRoom);
  },
  "power cut": cutPower,
  "power cut while the station is away": async (scene, disks) => {
    await scene.broker.kill();
    return cutPower(scene, disks).finally(scene.broker.start);
  },
};

/** Of a camera, at a power cut (the project's bound). */
const mostLostMs = 3_000;

/** The state's disk first: what the agent decides in the moment between is not written down, as it would not be with both gone. */
async function cutPower(scene: Scene, { state, footage }: Disks): Promise<readonly string[]> {
  const { draw, set, agent, start } = scene;
  // A camera that had only just begun loses to the fault before, and to this one no more than it had.
  await sleep(mostLostMs + 1_000);
  const cutAt = await state.cut();
  await footage.cut();
  await agent().kill9();
  for (const pid of markedBy(scene.state)) process.kill(pid, "SIGKILL");
  await until("the recorders are gone", 10_000, () => markedBy(scene.state).length === 0, 10);
  await state.restore();
  await footage.restore();
  await sleep(draw.between(0, 10_000));
  const wrongMs = draw.share() < 0.3 ? draw.between(-40, 40) * minuteMs : 0;
  set("offset", String(wrongMs));
  start(true);
  await recordingAgain(scene);
  set("offset", "0");
  return until("the hole is told", 20_000, () => complaintsAfterCut(scene, cutAt).length === 0).then(
    () => [],
    () => complaintsAfterCut(scene, cutAt),
  );
}

/** Each camera has lost three seconds at most before the cut, and the hole is the box's power. */
function complaintsAfterCut({ agent }: Scene, cutAt: number): readonly string[] {
  const span = { fromAt: cutAt - minuteMs, toAt: cutAt + 5_000 };
  const gaps = inspect(agent(), (asking) => gapsOf(asking, null, span));
  return names.flatMap((name) => {
    const over = gaps.find(({ camera, fromAt, toAt }) => camera === name && fromAt <= cutAt + 1_000 && (toAt ?? cutAt) >= cutAt);
    if (over === undefined) return [`${name}: no hole where the power was cut`];
    const wrong = over.blame.cause === "box-power" ? [] : [`${name}: the hole of the power cut is called ${over.blame.cause}`];
    return over.fromAt >= cutAt - mostLostMs
      ? wrong
      : [...wrong, `${name}: lost ${((cutAt - over.fromAt) / 1_000).toFixed(1)} s at the power cut`];
  });
}
