/** Free text that people write: one line, and otherwise whatever they like. Pure. */

/** Would it not stay on its line? Quotes, slashes, signs and accents, composed or not, are text like any other. */
export const breaksLine = (text: string): boolean => /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);

/** For a terminal: no control character, no second line, no end of it. */
export const onOneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\ufffd");

/** As `onOneLine`, of what a system or a library said on several lines: each follows the one before it. */
export const joinedLine = (text: string): string => onOneLine(text.trim().replace(/\s*\n\s*/g, "; "));
