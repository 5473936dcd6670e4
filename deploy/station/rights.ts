/** Mosquitto's access list, from the register: who may write and read what (contract §7). What is not named is forbidden. Pure. */
import { ownName, type Person, type Reach, type Register } from "./register.ts";

export function rightsText(register: Register): string {
  const root = `matghi/v1/${register.commune}`;
  const blocks = [
    [`user ${ownName}`, `topic readwrite ${root}/#`],
    ...register.sites.map(({ id }) => siteLines(root, id)),
    ...register.people.map((person) => personLines(root, person)),
  ];
  return `# Made from station.json; what is written here by hand is lost.\n${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** Its own branch to write, another to read: it can forge neither a command nor an acknowledgement to itself. */
const siteLines = (root: string, id: string): readonly string[] => [
  `user ${id}`,
  `topic write ${root}/from/${id}/#`,
  // By it a box finds another one that goes by its name.
  `topic read ${root}/from/${id}/state`,
  `topic read ${root}/to/${id}/#`,
  `topic read ${root}/station/state`,
];

function personLines(root: string, { name, role, reach }: Person): readonly string[] {
  const officer = [`to/+/officer/hold/+`, "station/note/+/+", "station/answered/+"].map((topic) => `topic readwrite ${root}/${topic}`);
  return [`user ${name}`, ...readLines(root, reach), ...(role === "officer" ? officer : [])];
}

function readLines(root: string, reach: Reach): readonly string[] {
  if (reach.kind === "all") return [`topic read ${root}/from/#`, `topic read ${root}/station/#`];
  const whole = reach.sites.flatMap((site) => [`from/${site}/#`, `station/note/${site}/+`]);
  const recorders = [...new Set(reach.cameras.map(({ site }) => site))].map((site) => `from/${site}/state`);
  // A camera of a recorder that serves several hamlets: nothing that names another's (birth, events, power of the place).
  const single = reach.cameras.flatMap(({ site, camera }) => [
    ...[`camera/${camera}`, `day/+/${camera}`, `month/+/${camera}`, `alarm/+/${camera}`].map((topic) => `from/${site}/${topic}`),
    `station/note/${site}/${camera}`,
  ]);
  return ["station/state", ...whole, ...recorders, ...single].map((topic) => `topic read ${root}/${topic}`);
}
