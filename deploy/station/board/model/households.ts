/** A list `code,name` of households, read in the browser; it never leaves it. Pure. */

export type Households = ReadonlyMap<string, string>;

/** More lines than any commune has. */
const mostLines = 5_000;
const codeForm = /^[A-Za-z0-9-]{2,32}$/;

/** Reads `code,name` or `code;name`, quoted or not, with or without a head. Lines that are none are counted. */
export function readHouseholds(text: string): { readonly households: Households; readonly skipped: number } {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .slice(0, mostLines)
    .filter((line) => line.trim() !== "");
  const households = new Map<string, string>();
  let skipped = 0;
  for (const [i, line] of lines.entries()) {
    const [code = "", name = ""] = fieldsOf(line);
    if (codeForm.test(code) && name !== "") households.set(code, name);
    // The first one may be the head of the table.
    else if (i > 0) skipped += 1;
  }
  return { households, skipped };
}

function fieldsOf(line: string): readonly string[] {
  const separator = line.includes(";") ? ";" : line.includes("\t") ? "\t" : ",";
  const fields = line.match(new RegExp(`("([^"]|"")*"|[^${separator}]*)(${separator}|$)`, "g")) ?? [];
  return fields.map((field) => {
    const bare = field.endsWith(separator) ? field.slice(0, -1) : field;
    const quoted = /^\s*"(.*)"\s*$/.exec(bare)?.[1];
    return (quoted?.replaceAll('""', '"') ?? bare).trim().normalize("NFC").slice(0, 100);
  });
}
