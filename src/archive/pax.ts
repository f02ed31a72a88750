import { decodeName } from '../sys/index.ts';
import { corrupt, refuse } from './limits.ts';
import type { RawHeader } from './tar-format.ts';
import type { TarHeader } from './types.ts';

/** PAX records by key; GNU's long names are kept as the records they stand for. */
export type Extensions = Map<string, Buffer>;

const XATTR = 'SCHILY.xattr.';

/** Reads the records of a PAX header: "<length> <key>=<value>\n" each. Errors: `corrupt`. */
export function parsePax(bytes: Buffer): Extensions {
  const records: Extensions = new Map();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 || blank - at > 10 ? '' : bytes.toString('latin1', at, blank);
    const length = /^[1-9]\d*$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = bytes.indexOf(0x3d, blank);
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      corrupt('a PAX header is malformed');
    }
    records.set(decodeName(bytes.subarray(blank + 1, equals)), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** The header of an entry with its extension records put over it; local ones win, empty ones are taken as absent. */
export function applyExtensions(
  raw: RawHeader,
  global: Extensions,
  local: Extensions,
): Omit<TarHeader, 'type'> {
  if (global.size === 0 && local.size === 0) return plainHeader(raw);
  const get = (key: string): string | undefined => {
    const value = local.get(key) ?? global.get(key);
    return value === undefined || value.length === 0 ? undefined : decodeName(value);
  };
  const whole = (key: string, otherwise: number): number => {
    const value = get(key);
    if (value === undefined) return otherwise;
    if (!/^\d{1,16}$/.test(value)) corrupt(`the PAX record ${key} is not a number`);
    return Number(value);
  };
  const xattrs = new Map<string, Buffer>();
  for (const records of [global, local]) {
    for (const [key, value] of records) {
      if (key.startsWith('GNU.sparse.'))
        refuse(`${JSON.stringify(raw.name)} is a GNU sparse file, which is not supported`);
      if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), value);
    }
  }
  const mtime = get('mtime');
  return {
    name: get('path') ?? raw.name,
    linkName: get('linkpath') ?? raw.linkName,
    mode: raw.mode & 0o7777,
    uid: whole('uid', raw.uid),
    gid: whole('gid', raw.gid),
    size: whole('size', raw.size),
    mtimeNs: mtime === undefined ? BigInt(raw.mtime) * 1_000_000_000n : nanoseconds(mtime),
    devMajor: raw.devMajor,
    devMinor: raw.devMinor,
    xattrs,
  };
}

function plainHeader(raw: RawHeader): Omit<TarHeader, 'type'> {
  return {
    name: raw.name,
    linkName: raw.linkName,
    mode: raw.mode & 0o7777,
    uid: raw.uid,
    gid: raw.gid,
    size: raw.size,
    mtimeNs: BigInt(raw.mtime) * 1_000_000_000n,
    devMajor: raw.devMajor,
    devMinor: raw.devMinor,
    xattrs: new Map(),
  };
}

function nanoseconds(text: string): bigint {
  const match = /^(-?)(\d{1,12})(?:\.(\d{0,30}))?$/.exec(text);
  if (!match) corrupt('the PAX record mtime is not a time');
  const nanos =
    BigInt(match[2] as string) * 1_000_000_000n + BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  return match[1] === '-' ? -nanos : nanos;
}
