/** Text within HTML. Names from configuration and people are text, never markup. Pure. */

/** Safe in an element and in a quoted attribute alike. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
