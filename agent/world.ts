/** What the agent touches outside of its state folder, and which drivers a configuration chooses. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { makeBox } from "../hal/box.ts";
import { makeBroker } from "../hal/broker.ts";
import { calendar } from "../hal/calendar.ts";
import { makeCameraPort } from "../hal/camera.ts";
import { makeClock } from "../hal/clock.ts";
import { makeDiscovery } from "../hal/discovery.ts";
import { makeDisks } from "../hal/disks.ts";
import { makeFootage } from "../hal/footage.ts";
import { makeGauge } from "../hal/gauge.ts";
import { makeGpio } from "../hal/gpio.ts";
import { makeInspections } from "../hal/inspection.ts";
import { knock } from "../hal/knock.ts";
import { makeLadder } from "../hal/ladder.ts";
import { makeMachine } from "../hal/machine.ts";
import { makeNut } from "../hal/nut.ts";
import { makePicture } from "../hal/picture.ts";
import type {
  Box,
  Broker,
  Calendar,
  CameraClock,
  CameraPort,
  Clock,
  Discovery,
  Disks,
  Footage,
  Inspections,
  Knock,
  LinkValue,
  Machine,
  Picture,
  PowerValue,
  Probe,
  Recorder,
  Service,
  Shutdown,
  Wires,
  Witness,
} from "../hal/ports.ts";
import { firstTelling, makeLink, makePower } from "../hal/probe.ts";
import { findTools, makeRecorder } from "../hal/recorder.ts";
import { makeService } from "../hal/service.ts";
import { makeShutdown } from "../hal/shutdown.ts";
import { makeSupply } from "../hal/supply.ts";
import { makeWifi } from "../hal/wifi.ts";
import { makeWires } from "../hal/wires.ts";
import { makeWitness } from "../hal/witness.ts";
import type { Settings } from "./config/schema.ts";
import type { UtcMs } from "./core/dating.ts";

/** All that the agent touches outside of its state folder. The suites of the whole agent put scripted drivers here. */
export type World = {
  readonly clock: Clock;
  readonly box: Box;
  readonly footage: Footage;
  readonly disks: Disks;
  readonly inspections: Inspections;
  readonly recorder: Recorder;
  readonly picture: Picture;
  readonly knock: Knock & CameraClock;
  readonly cameras: CameraPort;
  readonly discovery: Discovery;
  readonly broker: Broker;
  readonly power: Probe<PowerValue>;
  readonly link: Probe<LinkValue>;
  readonly witness: Witness;
  readonly wires: Wires;
  readonly shutdown: Shutdown;
  readonly machine: Pick<Machine, "door">;
  readonly calendar: Calendar;
  readonly service: Service;
  readonly random: () => number;
};

/** The drivers of this machine. `notBefore`: what is known to have passed. `warn` takes what a driver has to say to nobody in particular. */
export function realWorld(settings: Settings, notBefore: UtcMs, warn: (line: string) => void): World {
  const clock = makeClock({ ...settings.clock, notBefore });
  const witness = makeWitness();
  const isLadder = settings.link.driver === "auto";
  const tools = findTools(realpathSync(settings.site.state));
  return {
    ...{ clock, box: makeBox(), footage: makeFootage(settings.recording.folder), knock, broker: makeBroker() },
    ...{ cameras: makeCameraPort({ clock }), discovery: makeDiscovery(), disks: makeDisks() },
    inspections: makeInspections(settings.inspection.path),
    machine: makeMachine(),
    shutdown: makeShutdown(join(settings.site.state, "poweroff")),
    recorder: makeRecorder(tools, clock),
    picture: makePicture(tools),
    ...{
      power: powerOf(settings),
      link: isLadder ? makeLadder(settings.link, { ask: witness.ask, wifi: makeWifi().count }, clock.monoMs) : makeLink(settings.link),
      witness,
      wires: makeWires(),
      calendar,
      service: makeService(process.env, warn),
      random: Math.random,
    },
  };
}

/** A UPS in NUT knows more than the kernel's own supplies. */
function powerOf({ power }: Settings): Probe<PowerValue> {
  const { driver, gauge, chip = "gpiochip0", line } = power;
  const mains = driver === "gpio" && line !== undefined ? makeGpio({ ...power, chip, line }) : null;
  if (gauge !== "none" && (mains !== null || driver === "i2c")) return makeGauge({ ...power, gauge }, mains);
  if (mains !== null) return mains;
  if (power.driver === "nut") return makeNut(power);
  if (power.driver === "sysfs") return makeSupply();
  return power.driver === "auto" ? firstTelling([makeNut(power), makeSupply()]) : makePower(power);
}
