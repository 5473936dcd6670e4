/** Every fault of the field that one machine can make, by name, with what must hold afterwards and the suite that makes it. */

export type Fault = {
  /** As `--only` takes it. */
  readonly name: string;
  readonly must: string;
  readonly suite: string;
  /** Names of the tests that show it. */
  readonly tests: RegExp;
  /** Made with namespaces or loop devices. */
  readonly needsRoot?: true;
  readonly env?: Readonly<Record<string, string>>;
};

const causes = { suite: "test/faults/causes.test.ts", needsRoot: true } as const;
const disk = { suite: "test/faults/disk.test.ts", needsRoot: true } as const;
const gone = { suite: "test/faults/camera-gone.test.ts", needsRoot: true } as const;
const station = { suite: "test/station/station.test.ts" } as const;
const backlog = { suite: "test/faults/backlog.test.ts", env: { MATGHI_BACKLOG: "10000" } } as const;
const weak = { suite: "test/faults/weak-line.test.ts", needsRoot: true } as const;
const peculiar = { suite: "test/faults/peculiar.test.ts" } as const;
const recover = { suite: "test/agent/recover.test.ts" } as const;
const nut = { suite: "test/hal/power.test.ts" } as const;

export const catalogue: readonly Fault[] = [
  {
    name: "power-cut",
    must: "≤ 3 s lost a camera, no event, no file; the hole is the box's power",
    ...{ suite: "test/faults/power-cut.test.ts", tests: /./, needsRoot: true },
  },
  {
    name: "handed-out",
    must: "an export states the span that rotation took, the power cut and the clock's step",
    ...{ suite: "test/faults/handed-out.test.ts", tests: /./, needsRoot: true },
  },
  {
    name: "agent-killed",
    must: "no recorder left behind, no event changed, holes are the box's",
    suite: "test/faults/agent-killed.test.ts",
    tests: /./,
  },
  { name: "ffmpeg-killed", must: "half a second lost, records again within 4 s", suite: "test/faults/recorder-killed.test.ts", tests: /./ },
  { name: "broker-killed", must: "nothing is missing after its return", ...station, tests: /broker killed while|kill lets the broker/ },
  { name: "broker-away", must: "every event once it is back, in order, without a hole", ...station, tests: /was away for 1,000/ },
  {
    name: "broker-lies",
    must: "records and stops as ever with one that hangs, refuses or talks nonsense",
    ...station,
    tests: /with a broker that is/,
  },
  { name: "backlog", must: "10,000 events in order with 64 MiB of heap", ...backlog, tests: /backlog of thousands/ },
  { name: "memory-pressure", must: "as backlog: records on, nothing lost", ...backlog, tests: /little memory/ },
  { name: "half-open", must: "noticed by deadlines of our own; nothing lost", ...backlog, tests: /falls silent half-way/ },
  { name: "takeover", must: "two agents of one name lose no event", ...backlog, tests: /under the same name/ },
  {
    name: "full-queue",
    must: "the least important go first, each drop is a numbered record",
    ...{ suite: "test/store/store.test.ts", tests: /journal's bound|beyond memory's bound/ },
  },
  { name: "state-disk-full", must: "decisions wait in order; room cures it", suite: "test/store/store.test.ts", tests: /a full disk/ },
  { name: "packet-loss", must: "30 % lost: the others record, all files play, records again", ...weak, tests: /three of ten/ },
  { name: "starved-bitrate", must: "a third of the bitrate: as with packet loss", ...weak, tests: /carries a third/ },
  {
    name: "thin-line",
    must: "the smaller stream within 60 s, the main one again once the line is good, the sums hold",
    suite: "test/faults/weak-stream.test.ts",
    tests: /smaller stream/,
    needsRoot: true,
  },
  {
    name: "no-main-stream",
    must: "recorded in the smaller one, and said",
    ...peculiar,
    tests: /without the main stream/,
  },
  { name: "black-hole", must: "noticed in seconds, recorded again, the cause is the camera", ...gone, tests: /./ },
  { name: "house-without-power", must: "one fault, cause house-power", ...causes, tests: /house without power/ },
  { name: "house-without-network", must: "one fault, cause house-network", ...causes, tests: /without wifi/ },
  { name: "camera-dead", must: "one fault, cause camera", ...causes, tests: /one camera dead/ },
  { name: "box-cable", must: "one fault of all cameras", ...causes, tests: /own cable/ },
  { name: "switch-dead", must: "one fault of all cameras", ...causes, tests: /switch dead/ },
  {
    name: "camera-moved",
    must: "recorded at its new address, no stranger taken for it",
    suite: "test/faults/moved.test.ts",
    tests: /./,
    needsRoot: true,
  },
  {
    name: "camera-peculiar",
    must: "no sound, UDP only, frozen times: recorded all the same",
    ...peculiar,
    tests: /pictures go to disk|over UDP|stand still/,
  },
  { name: "wrong-password", must: "named, not recording, the camera is its cause", ...peculiar, tests: /no-entry/ },
  { name: "camera-clock", must: "found, told, never trusted for the time of footage", suite: "test/agent/patrol.test.ts", tests: /clock/ },
  { name: "disk-full", must: "told, nothing else written, records again", ...disk, tests: /a full disk/ },
  { name: "disk-read-only", must: "told, records again", ...disk, tests: /read-only/ },
  { name: "disk-unmounted", must: "nothing goes into the empty mount point", ...disk, tests: /pulled under way|without the disk/ },
  { name: "disk-replaced", must: "refused until adopted; the old footage is deleted in the ledger", ...disk, tests: /replaced/ },
  {
    name: "disk-slow",
    must: "freezes of 3 s end no session and lose nothing",
    suite: "test/faults/slow-disk.test.ts",
    tests: /./,
    needsRoot: true,
  },
  { name: "rotation", must: "under its limit, oldest first, over kills too", suite: "test/faults/rotation.test.ts", tests: /./ },
  { name: "database-damaged", must: "set aside or healed; every file in the index again", suite: "test/fuzz/database.test.ts", tests: /./ },
  { name: "clock-steps", must: "rows keep their order, files their age; dated anew by one row", ...recover, tests: /back|1970|ahead/ },
  {
    name: "ups",
    must: "battery within 2 s; stale or hung is unknown, never mains",
    ...nut,
    tests: /mains, battery|driver that died|server that hangs/,
  },
  { name: "smartctl-hangs", must: "unknown; nobody waits", suite: "test/hal/machine.test.ts", tests: /hang/ },
  {
    name: "slow-probes",
    must: "all senses on, smartctl hanging: the agent's turns late by 50 ms at most (p99)",
    suite: "test/faults/slow-probes.test.ts",
    tests: /99 of a hundred/,
    needsRoot: true,
  },
  { name: "evidence-changed", must: "never called unaltered", suite: "test/fuzz/evidence.test.ts", tests: /./ },
  { name: "day", must: "24 h: each hole has its cause, edges within 5 s", suite: "test/agent/day.test.ts", tests: /./ },
  { name: "soak", must: "drawn faults on virtual time: all laws after each", suite: "test/soak/soak.test.ts", tests: /./ },
];
