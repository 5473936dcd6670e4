/**
 * A zip file whose entries are sealed with a passphrase: AES-256 as WinZip published it (AE-2), stored, zip64. WinRAR, 7-Zip, WinZip, PeaZip
 * and Keka open it; what age seals needs a command line, which an officer's Windows computer has nobody for. Written from front to back without
 * a plain byte on the medium; names and sizes are not hidden, that is the format.
 */
import { createCipheriv, createHmac, type Hmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { vietnamTime } from "./core/time.ts";

/** What the format fixes: PBKDF2-HMAC-SHA1, 1 000 rounds. A passphrase must carry the rest. */
const rounds = 1_000;
const keyBytes = 32;
const saltBytes = 16;
const checkBytes = 2;
const tagBytes = 10;
/** Encrypted, name in UTF-8. */
const flags = 0x0801;
/** zip64 and AES: what opens it must know 5.1. */
const needs = 51;
const aesMethod = 99;
const [huge16, huge32] = [0xffff, 0xffffffff];

export type SealedZip = {
  /** Adds one file; resolves with its plain bytes. `name` in plain letters, with slashes. Rejects with the source's or the system's error. */
  put(name: string, source: AsyncIterable<Uint8Array>): Promise<number>;
  /** Writes the directory, durably, and closes. Without it no program opens the file. */
  finish(): Promise<void>;
  /** Closes what is not finished. */
  drop(): Promise<void>;
};

type Entry = { readonly name: Buffer; readonly at: number; readonly bytes: number; readonly packed: number };

/** Begins a file anew. `atMs`: the time that its entries bear. Rejects with the system's error. */
export async function makeSealedZip(path: string, passphrase: string, atMs: number): Promise<SealedZip> {
  const file = await open(path, "w", 0o600);
  const entries: Entry[] = [];
  const stamp = dosTime(atMs);
  let at = 0;
  const append = async (bytes: Uint8Array) => {
    await writeAll(file, bytes, at);
    at += bytes.length;
  };
  const put = async (name: string, source: AsyncIterable<Uint8Array>) => {
    const begun = at;
    const header = (bytes: number, packed: number) => localHeader({ name: Buffer.from(name), at: begun, bytes, packed }, stamp);
    await append(header(0, 0));
    const dataAt = at;
    const { salt, check, cipher } = makeCipher(passphrase);
    await append(Buffer.concat([salt, check]));
    let bytes = 0;
    for await (const chunk of source) {
      await append(cipher.seal(chunk));
      bytes += chunk.length;
    }
    await append(cipher.tag());
    const entry = { name: Buffer.from(name), at: begun, bytes, packed: at - dataAt };
    // How long it is shows only now.
    await writeAll(file, header(entry.bytes, entry.packed), begun);
    entries.push(entry);
    return bytes;
  };
  const finish = async () => {
    const directoryAt = at;
    for (const entry of entries) await append(directoryEntry(entry, stamp));
    await append(endOf(entries.length, directoryAt, at - directoryAt));
    await file.sync();
    await file.close();
  };
  return { put, finish, drop: () => file.close() };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

type Cipher = { readonly seal: (plain: Uint8Array) => Buffer; readonly tag: () => Buffer };

function makeCipher(passphrase: string): { readonly salt: Buffer; readonly check: Buffer; readonly cipher: Cipher } {
  const salt = randomBytes(saltBytes);
  const keys = pbkdf2Sync(passphrase, salt, rounds, 2 * keyBytes + checkBytes, "sha1");
  const mac: Hmac = createHmac("sha1", keys.subarray(keyBytes, 2 * keyBytes));
  const stream = makeKeyStream(keys.subarray(0, keyBytes));
  const seal = (plain: Uint8Array) => {
    const sealed = stream(plain.length);
    for (let i = 0; i < plain.length; i += 1) sealed[i] = (sealed[i] ?? 0) ^ (plain[i] ?? 0);
    mac.update(sealed);
    return sealed;
  };
  return { salt, check: keys.subarray(2 * keyBytes), cipher: { seal, tag: () => mac.digest().subarray(0, tagBytes) } };
}

const blockBytes = 16;

/** The next so many bytes of the key's stream. The format counts blocks from 1 with the low byte first, unlike OpenSSL's own counter mode. */
function makeKeyStream(key: Buffer): (bytes: number) => Buffer {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  let block = 0;
  let left = Buffer.alloc(0);
  return (bytes) => {
    const blocks = Math.ceil(Math.max(0, bytes - left.length) / blockBytes);
    const counters = Buffer.alloc(blocks * blockBytes);
    for (let i = 0; i < blocks; i += 1) {
      block += 1;
      counters.writeUInt32LE(block % 2 ** 32, i * blockBytes);
      counters.writeUInt32LE(Math.floor(block / 2 ** 32), i * blockBytes + 4);
    }
    const stream = left.length === 0 ? cipher.update(counters) : Buffer.concat([left, cipher.update(counters)]);
    left = stream.subarray(bytes);
    return stream.subarray(0, bytes);
  };
}

/** Extra field 0x9901: AE-2, AES-256, stored. */
const aesExtra = Buffer.from([0x01, 0x99, 0x07, 0x00, 0x02, 0x00, 0x41, 0x45, 0x03, 0x00, 0x00]);

/** Fields in their order, each with its number of bytes: 2, 4 or 8. */
function fields(...list: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer {
  return Buffer.concat(
    list.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      if (bytes === 2) field.writeUInt16LE(value);
      else if (bytes === 4) field.writeUInt32LE(value);
      else field.writeBigUInt64LE(BigInt(value));
      return field;
    }),
  );
}

/** Flags, method, time and date, no CRC (AE-2 has its own check), sizes in the extra field. */
const common = (stamp: number) =>
  [
    [2, flags],
    [2, aesMethod],
    [4, stamp],
    [4, 0],
    [4, huge32],
    [4, huge32],
  ] as const;

function localHeader({ name, bytes, packed }: Entry, stamp: number): Buffer {
  const extra = Buffer.concat([fields([2, 1], [2, 16], [8, bytes], [8, packed]), aesExtra]);
  return Buffer.concat([fields([4, 0x04034b50], [2, needs], ...common(stamp), [2, name.length], [2, extra.length]), name, extra]);
}

function directoryEntry({ name, at, bytes, packed }: Entry, stamp: number): Buffer {
  const extra = Buffer.concat([fields([2, 1], [2, 24], [8, bytes], [8, packed], [8, at]), aesExtra]);
  const rest = fields([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, huge32]);
  return Buffer.concat([fields([4, 0x02014b50], [2, needs], [2, needs], ...common(stamp)), rest, name, extra]);
}

/** The end of the directory as zip64, where it is, and the old end that points there. */
function endOf(count: number, at: number, bytes: number): Buffer {
  return Buffer.concat([
    fields([4, 0x06064b50], [8, 44], [2, needs], [2, needs], [4, 0], [4, 0], [8, count], [8, count], [8, bytes], [8, at]),
    fields([4, 0x07064b50], [4, 0], [8, at + bytes], [4, 1]),
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, huge16], [2, huge16], [4, huge32], [4, huge32], [2, 0]),
  ]);
}

/** As MS-DOS had it: two seconds are one, in the time of the place. */
function dosTime(atMs: number): number {
  const [hour = 0, minute = 0, second = 0, day = 0, month = 0, year = 0] = vietnamTime(atMs).split(/\D/).map(Number);
  const [date, time] = [((year - 1980) << 9) | (month << 5) | day, (hour << 11) | (minute << 5) | (second >> 1)];
  return date * 65_536 + time;
}
