#!/usr/bin/env node
/** The command line. One file a command under cli/; each is loaded only when it is asked for. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type Context, exit, Refusal, stopOnSignals } from "./cli/context.ts";
import { addRegister } from "./cli/registering.ts";
import { usualFile } from "./config/place.ts";
import { joinedLine, onOneLine } from "./core/text.ts";
import { version } from "./version.ts";

const lingerMs = 2_000;

type Global = { readonly config?: string; readonly json?: boolean };

function contextOf(program: Command): Context {
  const { config, json } = program.opts<Global>();
  return {
    ...{ configFile: config ?? (process.env.MATGHI_CONFIG || usualFile), json: json ?? false },
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** What a command is made with. `done` is given its exit code. */
type Desk = {
  readonly program: Command;
  readonly add: <O>(name: string, text: string, run: (context: Context, options: O) => number | Promise<number>) => Command;
  readonly done: (code: number) => void;
};

/** Builds the commands, in the order in which the help lists them; `done` is given each one's exit code. */
function build(done: (code: number) => void): Command {
  const program = new Command("matghi");
  program
    .version(version)
    .option("--config <file>", "another configuration (or MATGHI_CONFIG)")
    .option("--json", "machine form on standard output");
  program.description("records the cameras of a site, keeps an honest ledger of gaps, tells the police station");
  const desk: Desk = {
    ...{ program, done },
    add: <O>(name: string, text: string, run: (context: Context, options: O) => number | Promise<number>) =>
      program
        .command(name)
        .description(text)
        .action(async (options: O) => done(await run(contextOf(program), options))),
  };
  addQuestions(desk);
  addEvidence(desk);
  addHolds(desk);
  addPictures(desk);
  addPapers(desk);
  addSetup(desk);
  addCare(desk);
  return program;
}

/** The daemon, and what is asked of its settings and its books. */
function addQuestions({ add }: Desk): void {
  add("run", "the daemon", async (context) => (await import("./main.ts")).runAgent(context.configFile, context.err));
  add("check-config", "checks the configuration, nothing else", async (context) =>
    (await import("./cli/check-config.ts")).checkConfig(context),
  );
  add("status", "what is true now, worst first", async (context) => (await import("./cli/status.ts")).status(context));
  add("footage", "what exists of a stretch", async (context, options: import("./cli/ledger.ts").FootageOptions) =>
    (await import("./cli/ledger.ts")).footage(context, options),
  )
    .requiredOption("--camera <id>", "camera")
    .requiredOption("--from <time>", "begin: 2026-11-24T14:05, 14:05 (today), or ISO with offset")
    .requiredOption("--to <time>", "end");
  add("gaps", "the ledger: where there is no footage and why", async (context, options: import("./cli/ledger.ts").GapsOptions) =>
    (await import("./cli/ledger.ts")).gaps(context, options),
  )
    .option("--camera <id>", "one camera")
    .option("--from <time>", "begin")
    .option("--to <time>", "end");
  add("events", "the journal: what happened", async (context, options: import("./cli/ledger.ts").EventsOptions) =>
    (await import("./cli/ledger.ts")).events(context, options, stopOnSignals()),
  )
    .option("--from <time>", "begin")
    .option("--to <time>", "end")
    .option("--type <type>", "one type")
    .option("--follow", "goes on with what happens next");
  add(
    "repair",
    "settles files against rows; builds a lost index anew from the folder",
    async (context, options: import("./cli/repair.ts").RepairOptions) =>
      (await import("./cli/repair.ts")).repair(context, options, stopOnSignals()),
  ).option("--dry-run", "looks and counts, changes nothing");
  add("report", "hours due and recorded, losses by cause, faults", async (context, options: import("./cli/report.ts").ReportOptions) =>
    (await import("./cli/report.ts")).report(context, options),
  )
    .requiredOption("--period <period>", "2026-11, 2026-Q4, 2026-H2, 2026, 2026-11-01..2026-11-15, last-24h")
    .option("--format <format>", "text, html, csv or json")
    .option("--out <file>", "writes there instead of printing");
  add("discover", "cameras on the local networks", async (context, options: import("./cli/discover.ts").DiscoverOptions) =>
    (await import("./cli/discover.ts")).discover(context, options, stopOnSignals()),
  )
    .option("--interface <name>", "one network interface instead of all")
    .option("--knock", "looks for cameras that answer no search too, at ports 554 and 8554 of the local networks")
    .option("--yaml", "prints a cameras: block for the configuration")
    .option("--username <user>", "asks the cameras with this login")
    .option("--password-file <file>", "file with its password, mode 0600 or 0400");
}

/** What leaves the box, and how it is checked; and what the station gave to it. */
function addEvidence({ program, add, done }: Desk): void {
  add("export", "hands footage out as evidence", async (context, options: import("./cli/export.ts").ExportOptions) =>
    (await import("./cli/export.ts")).exportFootage(context, options, stopOnSignals()),
  )
    .option("--camera <id>", "camera; again for each", (id: string, ids: readonly string[] | undefined) => [...(ids ?? []), id])
    .option("--from <time>", "begin: 2026-11-24T14:05, 14:05 (today), or ISO with offset")
    .option("--to <time>", "end")
    .option("--request <text>", "paper that asks for it: number, date")
    .option("--agency <text>", "agency that asks")
    .option("--officer <text>", "officer")
    .option("--purpose <text>", "what for")
    .option("--case <kind>", "tngt, trom-cap, xo-xat, ma-tuy or khac")
    .option("--witness <text>", "who was there")
    .option("--hold <id>", "the hold that it belongs to")
    .option("--out <folder>", "the folder to make; where it is there already, a new one is made in it")
    .option("--seal", "one file sealed with a passphrase instead of a folder; WinRAR and 7-Zip open it")
    .option("--passphrase-file <file>", "file with the passphrase, mode 0600; else it is asked for");
  add(
    "look",
    "a contact sheet: one picture each half minute, to find the moment",
    async (context, options: import("./cli/look.ts").LookOptions) =>
      (await import("./cli/look.ts")).look(context, options, stopOnSignals()),
  )
    .requiredOption("--camera <id>", "camera")
    .requiredOption("--from <time>", "begin: 2026-11-24T14:05, 14:05 (today), or ISO with offset")
    .requiredOption("--to <time>", "end")
    .option("--every <duration>", "step between two pictures", "30s")
    .requiredOption("--request <text>", "paper that asks for it: number, date")
    .requiredOption("--officer <text>", "who looks")
    .requiredOption("--out <file>", "the page to write");
  program
    .command("verify <folder>")
    .description("checks an evidence folder, offline")
    .action(async (folder: string) => done(await (await import("./cli/verify.ts")).verify(contextOf(program), folder)));
  program
    .command("enroll <file>")
    .description("takes in the station's enrolment file: certificate, key, address and tunnel")
    .option("--code-file <file>", "file with the one-time code, instead of asking for it (- reads standard input)")
    .option("--tunnel-file <file>", "where WireGuard's wg-quick finds the tunnel; the interface has its name", "/etc/wireguard/matghi.conf")
    .action(async (file: string, options: import("./cli/enroll.ts").EnrollOptions) =>
      done(await (await import("./cli/enroll.ts")).enroll(contextOf(program), file, options)),
    );
}

function addHolds({ program, done }: Desk): void {
  const hold = program.command("hold").description("footage that may not be overwritten");
  hold
    .command("add")
    .description("holds a stretch of a camera, past or to come")
    .requiredOption("--camera <id>", "camera")
    .requiredOption("--from <time>", "begin: 2026-11-24T14:05, 14:05 (today), or ISO with offset")
    .requiredOption("--to <time>", "end")
    .requiredOption("--request <text>", "paper that asks for it: number, date")
    .requiredOption("--officer <text>", "who holds it")
    .option("--until <time>", "when to be reminded of it; nothing is deleted then")
    .action(async (options: import("./cli/hold.ts").AddOptions) =>
      done((await import("./cli/hold.ts")).addHold(contextOf(program), options)),
    );
  hold
    .command("list")
    .description("what is held")
    .action(async () => done((await import("./cli/hold.ts")).listHolds(contextOf(program))));
  hold
    .command("lift <id>")
    .description("ends a hold; the footage rotates again")
    .requiredOption("--officer <text>", "who lifts it")
    .requiredOption("--reason <text>", "why")
    .action(async (id: string, options: import("./cli/hold.ts").LiftOptions) =>
      done((await import("./cli/hold.ts")).liftHold(contextOf(program), id, options)),
    );
}

function addPictures({ program, done }: Desk): void {
  const picture = program.command("picture").description("what the cameras show: covered, dark, turned, blurred");
  picture
    .command("list")
    .description("how each camera's picture was found, by day and at night")
    .action(async () => done((await import("./cli/picture.ts")).listPictures(contextOf(program))));
  picture
    .command("accept")
    .description("what a camera shows now is right: a suspicion of it ends, and how it usually looks is learnt anew")
    .requiredOption("--camera <id>", "camera")
    .requiredOption("--officer <text>", "who has looked at it")
    .action(async (options: import("./cli/picture.ts").AcceptOptions) =>
      done((await import("./cli/picture.ts")).acceptPicture(contextOf(program), options)),
    );
}

/** What is done with footage on a paper's word, and who did it. */
function addPapers({ program, add, done }: Desk): void {
  add("delete", "deletes footage by hand, on a paper's word", async (context, options: import("./cli/delete.ts").DeleteOptions) =>
    (await import("./cli/delete.ts")).deleteFootage(context, options),
  )
    .requiredOption("--camera <id>", "camera")
    .requiredOption("--from <time>", "begin: 2026-11-24T14:05, 14:05 (today), or ISO with offset")
    .requiredOption("--to <time>", "end")
    .requiredOption("--reason <text>", "why, and the paper that asks for it")
    .requiredOption("--officer <text>", "who deletes it")
    .option("--yes", "deletes without asking");
  add("notice", "the page that a household is given about its camera", async (context, options: import("./cli/notice.ts").NoticeOptions) =>
    (await import("./cli/notice.ts")).notice(context, options),
  )
    .requiredOption("--household <id>", "household")
    .requiredOption("--out <file>", "the page to write");
  addRegister(program, (run) => run(contextOf(program)).then(done));
  add("audit", "who did what with footage and settings", async (context, options: import("./cli/audit.ts").AuditOptions) =>
    (await import("./cli/audit.ts")).audit(context, options),
  ).option("--check", "walks the chain: altered, removed, reordered and missing entries");
}

function addSetup({ add }: Desk): void {
  add(
    "setup",
    "from nothing to recording: asks for what is not said, writes the configuration, starts, waits for footage",
    async (context, options: import("./cli/setup/desk.ts").SetupOptions) =>
      (await import("./cli/setup.ts")).setup(context, options, stopOnSignals()),
  )
    .option("--enroll <file>", "what add-site made at the station: it says site, commune and station")
    .option("--enroll-code-file <file>", "file with its one-time code, instead of asking for it")
    .option("--tunnel-file <file>", "where wg-quick finds the tunnel, if the enrolment file has one", "/etc/wireguard/matghi.conf")
    .option("--id <id>", "the site, for instance an-dai-1")
    .option("--commune <id>", "the commune, for instance nghia-phuong")
    .option("--name <text>", "the site as people say it")
    .option("--language <language>", "of texts for people: vi or en")
    .option("--state <folder>", "for database and keys; default /var/lib/matghi")
    .option("--folder <folder>", "for the footage; default: on the one mounted disk that is not the system's")
    .option("--allow-system-disk", "footage may lie on the system's disk")
    .option("--segment <duration>", "length of a file")
    .option("--keep-max <duration>", "footage is deleted at that age")
    .option("--size <size>", "most that the footage may take")
    .option(
      "--camera <values>",
      "id=…,name=…,group=…,url=rtsp://…,username=…,password-file=…; again for each",
      (text: string, texts: readonly string[] | undefined) => [...(texts ?? []), text],
    )
    .option("--table <file>", "cameras from a CSV file of Excel, with headers in Vietnamese or English")
    .option("--discover", "takes the cameras that answer on the local networks")
    .option("--interface <name>", "looks on one network interface instead of all")
    .option("--username <user>", "at every camera that was given none of its own")
    .option("--password-file <file>", "file with its password, mode 0600; copied into one file for each camera")
    .option("--station <url>", "broker of the police station, where there is no enrolment file")
    .option("--no-station", "the box works alone; nobody is asked")
    .option("--station-ca <file>", "its certificate authority")
    .option("--station-cert <file>", "this site's certificate")
    .option("--station-key <file>", "this site's key")
    .option("--station-username <user>", "where there is no certificate")
    .option("--station-password-file <file>", "file with its password, mode 0600")
    .option("--replace", "a configuration that is there is kept beside the new one")
    .option("--yes", "writes without asking")
    .option("--no-start", "starts nothing")
    .option(
      "--trial <seconds>",
      "how long each camera is recorded before its recorder is killed and the disk read again; 0: not at all",
      "60",
    )
    .option("--sheet", "writes nothing: prints the acceptance sheet of a site that is set up")
    .option("--wait <seconds>", "how long footage of every camera is waited for; 0: not at all", "180");
}

/** What keeps a box well: examined, backed up, updated; and what runs by itself. */
function addCare({ program, add, done }: Desk): void {
  add("doctor", "examines everything, worst first, with the next step", async (context, options: import("./cli/doctor.ts").DoctorOptions) =>
    (await import("./cli/doctor.ts")).doctor(context, options, stopOnSignals()),
  ).option("--default-passwords", "tries the maker's own login at each camera too, once");
  add("inspect", "asks the disks about their own health, as root, and writes it down for the agent", async (context) =>
    (await import("./cli/inspect.ts")).inspect(context),
  );
  add(
    "support",
    "one file with all that a developer needs: no secret, no footage, no person",
    async (context, options: import("./cli/support.ts").SupportOptions) =>
      (await import("./cli/support.ts")).support(context, options, stopOnSignals()),
  )
    .requiredOption("--out <file>", "the archive to make, for instance matghi-support.tar.gz; it must not be there yet")
    .option("--log <file>", "the end of this log too, where the agent does not write to the system's journal");
  add(
    "backup",
    "all that makes a box this site's, in one file sealed with a passphrase",
    async (context, options: import("./cli/backup.ts").BackupOptions) =>
      (await import("./cli/backup.ts")).backup(context, options, stopOnSignals()),
  )
    .requiredOption("--out <file>", "the backup to make, for instance an-dai-1.age; it must not be there yet")
    .option("--passphrase-file <file>", "file with the passphrase, mode 0600; else it is asked for");
  program
    .command("restore <file>")
    .description("puts a backup onto a new box; replaces nothing")
    .option("--passphrase-file <file>", "file with the passphrase, mode 0600; else it is asked for")
    .option("--yes", "does not ask")
    .action(async (file: string, options: import("./cli/backup.ts").RestoreOptions) =>
      done(await (await import("./cli/backup.ts")).restore(contextOf(program), file, options)),
    );
  program
    .command("update [file]")
    .description(
      "takes a new version from a package, matghi update ./matghi_0.2.0_arm64.deb; kept once it has recorded ten minutes and reached the station, else left again by itself",
    )
    .option("--status", "which version is in use, and how a trial stands")
    .option("--back", "to the version before: at once during a trial, later as an update of its own")
    .option("--allow-unsigned", "a package without a signature too; one that is signed wrongly never")
    .option("--allow-downgrade", "an older version too")
    .option("--yes", "goes back although the ledger must go back too")
    .addOption(new Option("--root <folder>", "another folder of versions").hideHelp())
    .addOption(new Option("--steady <duration>", "another length of the trial").hideHelp())
    .action(async (file: string | undefined, options: import("./cli/update.ts").UpdateOptions) =>
      done(await (await import("./cli/update.ts")).update(contextOf(program), file, options)),
    );
  add(
    "errand",
    "what sshd runs for an officer's key: looks at footage and hands it over, nothing else",
    async (context, options: { key: string }) =>
      (await import("./cli/errand.ts")).runErrand(context, options.key, process.env.SSH_ORIGINAL_COMMAND, stopOnSignals()),
  ).requiredOption("--key <name>", "name of the key, as register key add wrote it");
  add("adopt-disk", "takes a blank or replaced footage disk into service", async (context) =>
    (await import("./cli/adopt-disk.ts")).adopt(context, stopOnSignals()),
  );
}

/** Every failure is one line that names the next step, and a code. */
function codeOf(error: unknown): number {
  if (error instanceof Refusal) {
    process.stderr.write(`${error.message}\n`);
    return error.code;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.fine : exit.wrongUse;
  process.stderr.write(`${joinedLine(error instanceof Error ? error.message : String(error))}; see matghi status\n`);
  return exit.needsPerson;
}

/** Of two values the first would be passed over in silence; the options that may come again gather theirs themselves. */
const once = (command: Command, option: Option) => (text: string) => {
  const name = option.attributeName();
  if (command.getOptionValueSource(name) !== "cli") return text;
  const before: unknown = command.getOptionValue(name);
  const said = typeof before === "string" ? before : `--no-${option.name()}`;
  throw new InvalidArgumentError(`${said} was said before; say ${option.long ?? option.name()} once.`);
};

async function main(args: readonly string[]): Promise<void> {
  let code: number = exit.fine;
  const program = build((result) => {
    code = result;
  });
  const strict = (command: Command, called: string) => {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(`${onOneLine(text.trim().replace(/\s*\n\s*/g, " "))}; see ${called} --help\n`),
    });
    for (const option of command.options) if (option.parseArg === undefined) option.argParser(once(command, option));
    for (const inner of command.commands) strict(inner, `${called} ${inner.name()}`);
  };
  strict(program, program.name());
  // A reader that goes away (`| head`) is no fault of ours.
  process.stdout.on("error", () => process.exit(code));
  try {
    if (args.length === 0) program.help({ error: true });
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    code = codeOf(error);
  }
  process.exitCode = code;
  // Whatever a package forgot to let go of, a command that has ended ends.
  setTimeout(() => process.exit(code), lingerMs).unref();
}

await main(process.argv.slice(2));
