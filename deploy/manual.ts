/** The man page and bash's completion, made from what the commands say of themselves with `--help`. */

/** One command as its help describes it. */
export type CommandHelp = {
  /** Words after `matghi`; empty for the program itself. */
  readonly name: string;
  readonly usage: string;
  readonly text: string;
  readonly options: readonly Item[];
  readonly commands: readonly Item[];
};
export type Item = { readonly term: string; readonly text: string };

/** Reads commander's help text. Throws where it is not one. */
export function readHelp(name: string, help: string): CommandHelp {
  const [usage = "", ...rest] = help.trim().split("\n");
  if (!usage.startsWith("Usage: ")) throw new Error(`matghi ${name} --help begins with: ${usage}`);
  const sections = rest.join("\n").split(/\n(?=[A-Z]\w+:\n)/);
  const section = (title: string) => itemsOf(sections.find((part) => part.startsWith(`${title}:\n`)) ?? "");
  return {
    ...{ name, usage: usage.slice("Usage: ".length), text: (sections[0] ?? "").replace(/\s+/g, " ").trim() },
    ...{ options: section("Options"), commands: section("Commands") },
  };
}

/** `  term   text`, and lines that continue a text further in. */
function itemsOf(section: string): Item[] {
  const items: { term: string; text: string }[] = [];
  for (const line of section.split("\n").slice(1)) {
    const begun = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line);
    const last = items.at(-1);
    if (begun !== null) items.push({ term: begun[1] ?? "", text: begun[2] ?? "" });
    else if (last !== undefined && line.trim() !== "") last.text = `${last.text} ${line.trim()}`.trim();
  }
  return items;
}

/** Names of the commands in a help's list, without `help` itself. */
export const namesIn = ({ commands }: CommandHelp): string[] =>
  commands.map(({ term }) => term.split(/[ |]/, 1)[0] ?? "").filter((name) => name !== "help");

const exits = [
  ["0", "fine"],
  ["1", "something needs a person"],
  ["2", "wrong use or configuration"],
  ["3", "not found"],
] as const;
const files = [
  ["/etc/matghi/site.yaml", "configuration; an example stands in /usr/share/doc/matghi"],
  ["/etc/matghi/secrets", "passwords of cameras and station, each a file of mode 0600"],
  ["/var/lib/matghi", "database, journal and the box's key"],
] as const;

/** matghi(1) as roff (man(7)). `date` stands in its foot. */
export function manPage(program: CommandHelp, commands: readonly CommandHelp[], version: string, date: string): string {
  const paragraph = (term: string, text: string) => `.TP\n\\fB${roff(term)}\\fR\n${roff(text)}`;
  const command = ({ name, usage, text, options }: CommandHelp) =>
    [
      `.SS "matghi ${name}"`,
      roff(text),
      ".PP",
      `\\fI${roff(usage)}\\fR`,
      ...ownOptions(options).map((item) => paragraph(item.term, item.text)),
    ].join("\n");
  return `${[
    // Long options in narrow columns: neither stretched nor hyphenated. groff 1.23 asks the string, 1.22 the request.
    ".ds AD l",
    `.TH MATGHI 1 "${date}" "matghi ${version}"`,
    ".nh",
    ".ad l",
    `.SH NAME\nmatghi \\- ${roff(program.text)}`,
    ".SH SYNOPSIS\n\\fBmatghi\\fR [\\fIoptions\\fR] \\fIcommand\\fR",
    `.SH OPTIONS\nOf every command, before or after its name.\n${program.options.map((item) => paragraph(item.term, item.text)).join("\n")}`,
    `.SH COMMANDS\n${commands.map(command).join("\n")}`,
    `.SH EXIT STATUS\n${exits.map(([code, text]) => paragraph(code, text)).join("\n")}`,
    `.SH FILES\n${files.map(([path, text]) => paragraph(path, text)).join("\n")}`,
    `.SH ENVIRONMENT\n${paragraph("MATGHI_CONFIG", "another configuration than /etc/matghi/site.yaml")}`,
  ].join("\n")}\n`;
}

const ownOptions = (options: readonly Item[]) => options.filter(({ term }) => !term.includes("--help"));

/** Text as roff takes it literally. */
const roff = (text: string) =>
  text
    .replace(/\\/g, "\\e")
    .replace(/-/g, "\\-")
    .replace(/^([.'])/gm, "\\&$1");

/** bash completion: commands, their options, files after options that take one. */
export function completion(program: CommandHelp, commands: readonly CommandHelp[]): string {
  const words = (items: readonly Item[]) => items.flatMap(({ term }) => /--[\w-]+/.exec(term)?.[0] ?? []).join(" ");
  const cases = commands.map((help) => {
    const inner = namesIn(help).join(" ");
    return `    "${help.name}") words="${[inner, words(help.options)].filter((part) => part !== "").join(" ")}" ;;`;
  });
  const names = namesIn(program).join(" ");
  return `# bash completion of matghi, made from its commands.
_matghi() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command="" inner="" words i
  case "$before" in --config | --out | --password-file | --*-file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;; esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in --config) ((i++)) ;; -*) ;; *) if [ -z "$command" ]; then command=\${COMP_WORDS[i]}; elif [ -z "$inner" ]; then inner=\${COMP_WORDS[i]}; fi ;; esac
  done
  words="${names}"
  case "$command" in
    "") words="$words ${words(program.options)}" ;;
${cases.filter((line) => !/^ {4}"\S+ \S+"/.test(line)).join("\n")}
    *) words="" ;;
  esac
  case "$command $inner" in
${cases.filter((line) => /^ {4}"\S+ \S+"/.test(line)).join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words --config --json --help" -- "$word")
}
complete -F _matghi matghi
`;
}
