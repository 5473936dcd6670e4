/** `matghi audit [--check]`: who did what with footage and settings. */
import { auditKinds } from "../core/audit.ts";
import { inVietnam, vietnamTime } from "../core/time.ts";
import { fill, wordOf, wordsIn } from "../core/words.ts";
import { checkAuditOf, readAudit } from "../store/audit.ts";
import { type Context, exit, reading } from "./context.ts";

export type AuditOptions = { readonly check?: boolean };

export function audit(context: Context, options: AuditOptions): number {
  return reading(context, ({ reads, settings }) => {
    const { state, language } = settings.site;
    const words = wordsIn(language);
    if (options.check !== true) {
      const entries = readAudit(state).filter(({ what }) => (auditKinds as readonly string[]).includes(what));
      const lines = entries.map(({ at, what, data }) => {
        const facts = Object.entries(data).map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(", ") : value}`);
        return `${vietnamTime(Date.parse(at))}  ${wordOf(words.audit.kinds, what)}  ${inVietnam(facts.join("; "))}`;
      });
      context.out(context.json ? JSON.stringify({ entries }) : lines.join("\n") || words.audit.empty);
      return exit.fine;
    }
    const { entries, head, problems } = checkAuditOf(state, reads.meta("audit"));
    const result = problems.length === 0 ? "whole" : "broken";
    const text = [
      fill(words.audit[result], { entries, head: head.hash.slice(0, 16) }),
      ...problems.map(({ line, what }) => `  ${fill(words.audit.problem, { line, what: wordOf(words.audit.problems, what) })}`),
    ];
    context.out(context.json ? JSON.stringify({ result, entries, head: head.hash, problems }) : text.join("\n"));
    return problems.length === 0 ? exit.fine : exit.needsPerson;
  });
}
