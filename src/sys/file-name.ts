import { readdirSync } from 'node:fs';
import type { Fd } from './fd.ts';

/** Lone surrogates from here on stand for the bytes 0x80 to 0xff that are no UTF-8, as in Python's `surrogateescape`. */
const ESCAPE = 0xdc00;
const REPLACEMENT = '\ufffd';

/**
 * A file's name as text. Names are bytes to the kernel: what is not UTF-8 is kept as lone surrogates, so that no two names
 * become one, and every call here finds the file by its text again.
 */
export function decodeName(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (!text.includes(REPLACEMENT)) return text;
  let name = '';
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceLength(buffer[at] as number);
    const part = buffer.toString('utf8', at, at + length);
    const whole = Buffer.from(part).equals(buffer.subarray(at, at + length));
    name += whole ? part : String.fromCharCode(ESCAPE + (buffer[at] as number));
    at += whole ? length : 1;
  }
  return name;
}

/** The bytes of such a name. */
export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name);
  const parts = Array.from(name, (char) => {
    const code = char.codePointAt(0) as number;
    return code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff ? Buffer.from([code - ESCAPE]) : Buffer.from(char);
  });
  return Buffer.concat(parts);
}

/** The names in an open folder, in no order. Any descriptor of it will do, but one of O_PATH. */
export function readNames(folder: Fd): string[] {
  const path = `/proc/self/fd/${folder.fd}`;
  const names = readdirSync(path);
  if (!names.some((name) => name.includes(REPLACEMENT))) return names;
  return readdirSync(path, { encoding: 'buffer' }).map(decodeName);
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
