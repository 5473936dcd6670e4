/** The commands of `register`, each loaded only when it is asked for. */
import type { Command } from "commander";
import type { Context } from "./context.ts";

type Registering = (context: Context) => Promise<number>;
type Deeds = typeof import("./register.ts");
type At = (run: (deeds: Deeds, context: Context) => number | Promise<number>) => Promise<void>;

const several = (id: string, ids: readonly string[] | undefined) => [...(ids ?? []), id];

/** `register` has commands of its own. `act` gives each its context and takes its exit code. */
export function addRegister(program: Command, act: (run: Registering) => Promise<void>): void {
  const at: At = (run) => act(async (context) => run(await import("./register.ts"), context));
  const register = program.command("register").description("requests for footage and what came of them; who may view; what was handed in");
  register
    .command("list")
    .description("the register")
    .option("--period <period>", "2026-11, 2026-Q4, 2026-H2, 2026, 2026-11-01..2026-11-15, last-24h")
    .action((options: import("./register.ts").ListOptions) => at((deeds, context) => deeds.listRegister(context, options)));
  register
    .command("refuse")
    .description("registers a request that was answered: no footage")
    .requiredOption("--request <text>", "paper that asks for it: number, date")
    .requiredOption("--case <kind>", "tngt, trom-cap, xo-xat, ma-tuy or khac")
    .requiredOption("--reason <text>", "why there is none; with a camera and a stretch the ledger's own reason stands beside it")
    .option("--officer <text>", "who answers; otherwise the account")
    .option("--agency <text>", "agency that asks")
    .option("--camera <id>", "camera; again for each", several)
    .option("--from <time>", "begin of the stretch")
    .option("--to <time>", "its end")
    .action((options: import("./register.ts").RefuseOptions) => at((deeds, context) => deeds.refuseRequest(context, options)));
  register
    .command("intake <file>")
    .description("registers a file that somebody hands in, with its hash, and writes the receipt")
    .requiredOption("--source <code>", "code of the household or unit, never a name")
    .requiredOption("--clock-error <text>", "how far its clock is off, as stated")
    .requiredOption("--request <text>", "request that it belongs to: number, date")
    .requiredOption("--officer <text>", "who receives it")
    .option("--device <text>", "device that recorded it")
    .option("--out <file>", "the receipt; otherwise phieu-tiep-nhan-<number>.html here")
    .action((file: string, options: import("./register.ts").IntakeOptions) =>
      at((deeds, context) => deeds.receiveFile(context, file, options)),
    );
  register
    .command("receipt <id>")
    .description("writes the receipt of a file once more")
    .requiredOption("--out <file>", "the page to write")
    .action((id: string, options: { out: string }) => at((deeds, context) => deeds.printReceipt(context, id, options)));
  addViewers(register, at);
  addKeys(register, act);
  addSubjects(register, at);
}

/** Who may view which cameras. */
function addViewers(register: Command, at: At): void {
  const viewer = register.command("viewer").description("who may view which cameras");
  viewer
    .command("add")
    .description("registers that somebody may view from now on")
    .requiredOption("--who <text>", "person or unit")
    .requiredOption("--role <role>", "cong-an, to-bao-ve, ho-dan or khac")
    .option("--camera <id>", "camera; again for each; otherwise all", several)
    .option("--request <text>", "paper that gives leave")
    .requiredOption("--officer <text>", "who registers it")
    .action((options: import("./register.ts").ViewerOptions) => at((deeds, context) => deeds.addViewer(context, options)));
  viewer
    .command("remove <id>")
    .description("registers that he may no more")
    .requiredOption("--officer <text>", "who registers it")
    .requiredOption("--reason <text>", "why")
    .action((id: string, options: { officer: string; reason: string }) => at((deeds, context) => deeds.removeViewer(context, id, options)));
}

/** Officers' keys: who may fetch footage over ssh. */
function addKeys(register: Command, act: (run: Registering) => Promise<void>): void {
  type Deeds = typeof import("./officerkey.ts");
  const at = (run: (deeds: Deeds, context: Context) => number) => act(async (context) => run(await import("./officerkey.ts"), context));
  const key = register.command("key").description("officers' ssh keys that may look at footage and fetch it, nothing else");
  key
    .command("add")
    .description("gives a key leave, dated in the audit")
    .requiredOption("--name <name>", "whose it is, as a code of a-z, 0-9 and -")
    .requiredOption("--file <file>", "the officer's public key (ssh-keygen -t ed25519 makes it)")
    .requiredOption("--officer <text>", "who gives leave")
    .action((options: import("./officerkey.ts").AddKeyOptions) => at((deeds, context) => deeds.addKey(context, options)));
  key
    .command("remove <name>")
    .description("takes it back")
    .requiredOption("--officer <text>", "who takes it back")
    .requiredOption("--reason <text>", "why")
    .action((name: string, options: import("./officerkey.ts").RemoveKeyOptions) =>
      at((deeds, context) => deeds.removeKey(context, name, options)),
    );
  key
    .command("list")
    .description("the keys that have leave")
    .action(() => at((deeds, context) => deeds.listKeys(context)));
}

/** What people ask about pictures of themselves. */
function addSubjects(register: Command, at: At): void {
  const subject = register.command("subject").description("what people ask about pictures of themselves; due in 2 working days");
  subject
    .command("add")
    .description("registers such a request with its due date")
    .requiredOption("--request <text>", "what is asked, with number and date")
    .requiredOption("--officer <text>", "who received it")
    .action((options: { request: string; officer: string }) => at((deeds, context) => deeds.addSubject(context, options)));
  subject
    .command("answer <id>")
    .description("registers that it was answered")
    .requiredOption("--officer <text>", "who answers")
    .requiredOption("--answer <text>", "what was answered")
    .action((id: string, options: { officer: string; answer: string }) =>
      at((deeds, context) => deeds.answerSubject(context, id, options)),
    );
}
