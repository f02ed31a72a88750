import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { LogFolder } from './log-file.cases.ts';
import type { LogFormat, LogQuery } from './types.ts';

/** A record as a test knows it, before it is written into any file. */
export interface Line {
  nanos: bigint;
  stderr: boolean;
  partial: boolean;
  text: Buffer;
  /** Minutes that the monitor's clock is east of UTC. */
  zone: number;
}

/** A seeded source of chance: the same seed gives the same log in every run. */
export function chance(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

function localTime(nanos: bigint, zone: number): string {
  const seconds = new Date(Number(nanos / 1_000_000n) + zone * 60_000).toISOString().slice(0, 19);
  return `${seconds}.${String(nanos % 1_000_000_000n).padStart(9, '0')}`;
}

/** The bytes that conmon writes for a record. */
export function written({ nanos, stderr, partial, text, zone }: Line): Buffer {
  const minutes = Math.abs(zone);
  const clock = [Math.floor(minutes / 60), minutes % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  const head = `${localTime(nanos, zone)}${zone < 0 ? '-' : '+'}${clock} ${stderr ? 'stderr' : 'stdout'} `;
  return Buffer.concat([Buffer.from(`${head}${partial ? 'P' : 'F'} `), text, Buffer.from('\n')]);
}

/** The last lines, pieces that belong together counted once: as simple as can be, from the definition. */
function lastLines(lines: Line[], tail: number | undefined): Line[] {
  if (tail === undefined) return lines;
  const groups: Line[][] = [];
  for (const [at, line] of lines.entries()) {
    if (at === 0 || !lines[at - 1]?.partial) groups.push([]);
    groups.at(-1)?.push(line);
  }
  return groups.slice(Math.max(0, groups.length - tail)).flat();
}

/** What a query must find. */
export function wanted(lines: Line[], query: LogQuery): Line[] {
  const found: Line[] = [];
  for (const line of lastLines(lines, query.tail)) {
    if (query.since !== undefined && line.nanos < query.since) continue;
    if (query.until !== undefined && line.nanos > query.until) break;
    if (line.stderr ? query.stderr : query.stdout) found.push(line);
  }
  return found;
}

/** What a client must get for these records. */
export function asBytes(lines: Line[], format: LogFormat): Buffer {
  const out: Buffer[] = [];
  const open = new Map<boolean, boolean>();
  for (const { nanos, stderr, partial, text } of lines) {
    const parts = [text, Buffer.from(partial ? '' : '\n')];
    if (!open.get(stderr)) {
      if (format.details) parts.unshift(Buffer.from(format.details));
      if (format.timestamps) parts.unshift(Buffer.from(`${localTime(nanos, 0)}Z `));
    }
    open.set(stderr, partial);
    const payload = Buffer.concat(parts);
    const head = Buffer.from([stderr ? 2 : 1, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(payload.length, 4);
    out.push(format.framed ? Buffer.concat([head, payload]) : payload);
  }
  return Buffer.concat(out);
}

/** Writes the files of a log: the oldest first, the last one without a number. */
export function layOut(log: LogFolder, files: readonly { bytes: Buffer; packed?: boolean }[]): void {
  for (const [at, { bytes, packed }] of files.entries()) {
    const index = files.length - 1 - at;
    const path = index === 0 ? log.path : `${log.path}.${index}${packed ? '.gz' : ''}`;
    writeFileSync(path, packed && index > 0 ? gzipSync(bytes) : bytes);
  }
}

/** Files of the folder, also deleted ones, that this process holds open. */
export function heldFiles(log: LogFolder): string[] {
  const held: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      if (path.startsWith(`${log.directory}/`)) held.push(path);
    } catch {
      // The descriptor that listed the folder.
    }
  }
  return held;
}
