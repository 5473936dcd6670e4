/** Puts facts into a sentence of words.ts. Pure. */
export const fill = (text: string, facts: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (all, name: string) => facts[name] ?? all);
