import { decodeName, encodeName } from '../sys/index.ts';
import { corrupt, refuse } from './limits.ts';
import type { TarEntryType, TarHeader } from './types.ts';

/** A tar is made of blocks of this many bytes. */
export const BLOCK = 512;

/** A header block as it is, before extension headers are applied. `type` is its typeflag as a character. */
export interface RawHeader {
  type: string;
  name: string;
  linkName: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  devMajor: number;
  devMinor: number;
}

const TYPES: Record<string, TarEntryType> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};
const FLAGS: Record<TarEntryType, string> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** True for a block of zeros. */
export function isZeroBlock(block: Buffer): boolean {
  return block.equals(ZEROS);
}

const ZEROS = Buffer.alloc(BLOCK);

/** Reads a header block of ustar, GNU or v7 format. Errors: `corrupt` when its checksum or a number is wrong. */
export function decodeHeader(block: Buffer): RawHeader {
  if (!checksumHolds(block)) corrupt('a header has a wrong checksum: this is not a tar, or it is damaged');
  const magic = block.toString('latin1', 257, 265);
  // Only POSIX ustar has the prefix; GNU keeps times at its place.
  const prefix = magic === 'ustar\u000000' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    type: String.fromCharCode(block[156] as number),
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    mode: number(block, 100, 8),
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
    devMajor: magic.startsWith('ustar') ? number(block, 329, 8) : 0,
    devMinor: magic.startsWith('ustar') ? number(block, 337, 8) : 0,
  };
}

/** The entry type of a typeflag. Errors: `invalid` for what can't be unpacked. */
export function entryType(raw: RawHeader): TarEntryType {
  // v7 archives mark directories by the slash alone.
  if ((raw.type === '\0' || raw.type === '0') && raw.name.endsWith('/')) return 'directory';
  const type = TYPES[raw.type];
  if (type) return type;
  if (raw.type === 'S') refuse(`${JSON.stringify(raw.name)} is a GNU sparse file, which is not supported`);
  return refuse(`${JSON.stringify(raw.name)} has the unknown entry type ${JSON.stringify(raw.type)}`);
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return decodeName(block.subarray(at, end < 0 || end > at + length ? at + length : end));
}

/** An octal number, or GNU's base-256 when the first bit is set. */
function number(block: Buffer, at: number, length: number): number {
  const first = block[at] as number;
  if (first & 0x80) return base256(block.subarray(at, at + length));
  const end = at + length;
  let place = at;
  while (place < end && isBlank(block[place])) place += 1;
  let value = 0;
  for (; place < end; place += 1) {
    const digit = (block[place] as number) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  // A NUL ends the number, whatever follows; blanks may only be followed by blanks.
  if (place < end && block[place] !== 0) {
    for (let rest = place; rest < end; rest += 1)
      if (!isBlank(block[rest]))
        corrupt(`a header holds ${JSON.stringify(block.toString('latin1', at, end))} for a number`);
  }
  return value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20;
}

function base256(bytes: Buffer): number {
  const negative = ((bytes[0] as number) & 0x40) !== 0;
  let value = BigInt((bytes[0] as number) & 0x7f);
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  if (negative) value -= 1n << BigInt(bytes.length * 8 - 1);
  const result = Number(value);
  if (!Number.isSafeInteger(result)) corrupt('a header holds a number out of bounds');
  return result;
}

function checksumHolds(block: Buffer): boolean {
  const stated = number(block, 148, 8);
  // The field itself counts as blanks.
  let sum = 8 * 32;
  for (let at = 0; at < 148; at += 1) sum += block[at] as number;
  for (let at = 156; at < BLOCK; at += 1) sum += block[at] as number;
  if (stated === sum) return true;
  // Some old writers summed signed bytes (POSIX pax, "chksum").
  for (let at = 0; at < BLOCK; at += 1)
    if ((at < 148 || at >= 156) && (block[at] as number) > 127) sum -= 256;
  return stated === sum;
}

/** The blocks of a header, a PAX header before it when a value doesn't fit into ustar's fields. */
export function encodeHeader(header: TarHeader): Buffer {
  const records = paxRecords(header);
  if (records.length === 0) return ustar(header, FLAGS[header.type]);
  const body = Buffer.concat(records);
  const base = header.name.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const name = Buffer.from(`PaxHeaders.0/${base}`)
    .subarray(0, 100)
    .toString('latin1')
    .replace(/[^ -~]/g, '_');
  const extension = ustar(
    {
      ...header,
      name,
      linkName: '',
      size: body.length,
      mtimeNs: 0n,
      uid: 0,
      gid: 0,
      mode: 0o644,
      devMajor: 0,
      devMinor: 0,
    },
    'x',
  );
  return Buffer.concat([extension, body, padding(body.length), ustar(header, FLAGS[header.type])]);
}

/** The zeros that fill the last block of a body. */
export function padding(size: number): Buffer {
  return ZEROS.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}

const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;
const BILLION = 1_000_000_000n;

function paxRecords(header: TarHeader): Buffer[] {
  const records: [string, Uint8Array | string][] = [];
  if (!fits(header.name, 100)) records.push(['path', header.name]);
  if (!fits(header.linkName, 100)) records.push(['linkpath', header.linkName]);
  if (header.size > MAX_OCTAL_11) records.push(['size', String(header.size)]);
  if (header.uid > MAX_OCTAL_7) records.push(['uid', String(header.uid)]);
  if (header.gid > MAX_OCTAL_7) records.push(['gid', String(header.gid)]);
  if (
    header.mtimeNs < 0n ||
    header.mtimeNs % BILLION !== 0n ||
    header.mtimeNs / BILLION > BigInt(MAX_OCTAL_11)
  ) {
    records.push(['mtime', seconds(header.mtimeNs)]);
  }
  for (const name of [...header.xattrs.keys()].sort()) {
    // A PAX keyword ends at the first `=`: such a name would be read as another one, so it is left out.
    if (name.includes('=')) continue;
    records.push([`SCHILY.xattr.${name}`, header.xattrs.get(name) as Buffer]);
  }
  return records.map(([key, value]) => paxRecord(key, value));
}

/** "<length> <key>=<value>\n", where the length counts itself (POSIX pax, "pax Extended Header"). */
function paxRecord(key: string, value: Uint8Array | string): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`),
    typeof value === 'string' ? encodeName(value) : value,
    Buffer.from('\n'),
  ]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function seconds(nanos: bigint): string {
  const sign = nanos < 0n ? '-' : '';
  const positive = nanos < 0n ? -nanos : nanos;
  const fraction = (positive % BILLION).toString().padStart(9, '0').replace(/0+$/, '');
  return `${sign}${positive / BILLION}${fraction === '' ? '' : `.${fraction}`}`;
}

function fits(value: string, length: number): boolean {
  return value.length <= length && /^[\x01-\x7f]*$/.test(value);
}

function ustar(header: TarHeader, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    block.write(Math.max(0, value).toString(8).padStart(digits, '0').slice(-digits), at, 'latin1');
  const put = (value: string, at: number) =>
    block.write(value.replace(/[^\x01-\x7f]/g, '_').slice(0, 100), at, 'latin1');
  put(header.name, 0);
  octal(header.mode & 0o7777, 100, 7);
  octal(header.uid > MAX_OCTAL_7 ? 0 : header.uid, 108, 7);
  octal(header.gid > MAX_OCTAL_7 ? 0 : header.gid, 116, 7);
  octal(header.size > MAX_OCTAL_11 ? 0 : header.size, 124, 11);
  const mtime = header.mtimeNs < 0n ? 0 : Number(header.mtimeNs / BILLION);
  octal(mtime > MAX_OCTAL_11 ? 0 : mtime, 136, 11);
  block.write('        ', 148, 'latin1');
  block.write(flag, 156, 'latin1');
  put(header.linkName, 157);
  block.write('ustar\u000000', 257, 'latin1');
  octal(header.devMajor, 329, 7);
  octal(header.devMinor, 337, 7);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
