/** POSIX ustar (IEEE Std 1003.1, pax: "ustar Interchange Format"): a 512-byte header before each file, its bytes filled up to 512, 1,024 zeros at the end. */

const blockBytes = 512;
/** `name` and `prefix` have 100 and 155 bytes; we never need the second. */
const mostNameBytes = 100;

/** A header for one plain file of mode 0600. The name: ASCII, relative, at most 100 bytes, else it throws. */
export function tarHeader(name: string, bytes: number, modifiedMs: number): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > mostNameBytes || /^\/|(^|\/)\.\.(\/|$)/.test(name))
    throw new Error(`${name} cannot stand in an archive`);
  const header = new Uint8Array(blockBytes);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => `${Math.floor(value).toString(8).padStart(digits, "0")}\0`;
  put(0, name);
  put(100, octal(0o600, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(bytes, 11));
  put(136, octal(modifiedMs / 1_000, 11));
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)} `);
  return header;
}

/** Zeros after a file's bytes. */
export const tarPadding = (bytes: number): Uint8Array => new Uint8Array((blockBytes - (bytes % blockBytes)) % blockBytes);
export const tarEnd = (): Uint8Array => new Uint8Array(2 * blockBytes);

/** What a header of ours says; null at the end. Throws where the sum is wrong. */
export function tarRead(header: Uint8Array): { readonly name: string; readonly bytes: number } | null {
  if (header.every((byte) => byte === 0)) return null;
  const text = (from: number, to: number) => new TextDecoder().decode(header.subarray(from, to)).split("\0")[0] ?? "";
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (Number.parseInt(text(148, 154), 8) !== sum) throw new Error("no archive, or a damaged one");
  return { name: text(0, mostNameBytes), bytes: Number.parseInt(text(124, 136), 8) };
}
