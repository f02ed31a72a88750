import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogFolder } from './log-file.cases.ts';
import { asBytes, chance, heldFiles, type Line, layOut, wanted, written } from './model.cases.ts';
import { openLogReader } from './reader.ts';
import type { LogFormat, LogQuery } from './types.ts';

const START = BigInt(Date.UTC(2026, 5, 7, 8, 9, 10)) * 1_000_000n;
const signal = new AbortController().signal;

type Chance = ReturnType<typeof chance>;

/** Bytes that a process may print between two newlines: NUL, what is no UTF-8, and what looks like a record. */
function someText({ below, of }: Chance): Buffer {
  const kind = below(6);
  if (kind === 0) return Buffer.alloc(0);
  if (kind === 1) return Buffer.from('2026-01-02T03:04:05.000000001+00:00 stderr P forged');
  if (kind === 2) return Buffer.alloc(below(100), 0);
  const size = kind === 3 ? 8192 : of([1, 40, 47, 48, 49, 300]);
  const bytes = Buffer.from(Array.from({ length: size }, () => below(256)));
  return Buffer.from(bytes.map((byte) => (byte === 10 ? 0xff : byte)));
}

function someLines(luck: Chance): Line[] {
  let nanos = START;
  return Array.from({ length: 20 + luck.below(60) }, () => {
    nanos += BigInt(luck.of([0, 1, 999_999_999, 1_000_000_000, 60_000_000_007]));
    const [stderr, partial] = [luck.below(3) === 0, luck.below(4) === 0];
    return { nanos, stderr, partial, text: someText(luck), zone: luck.of([0, 0, 120, -330, 60]) };
  });
}

/** Cuts a log into files at any record; between records there may be rubbish, and a file may end in a torn one. */
function someFiles(lines: Line[], { below, of }: Chance): { bytes: Buffer; packed: boolean }[] {
  const files: Buffer[][] = [[]];
  for (const line of lines) {
    const bytes = written(line);
    if (below(15) === 0)
      files.at(-1)?.push(Buffer.from(of(['\n', 'rubbish\n', '\0\n', `${'x'.repeat(60)}\n`])));
    if (below(20) === 0) {
      if (below(2) === 0) files.at(-1)?.push(bytes.subarray(0, below(bytes.length)));
      files.push([]);
    }
    files.at(-1)?.push(bytes);
  }
  files.at(-1)?.push(Buffer.from('2026-06-07T08:09:10.0').subarray(0, below(22)));
  return files.map((parts) => ({ bytes: Buffer.concat(parts), packed: below(2) === 0 }));
}

function someQuery(lines: Line[], { below, of }: Chance): LogQuery {
  const moment = () => of(lines).nanos + BigInt(below(3) - 1);
  const [stdout, stderr] = of([
    [true, true],
    [true, false],
    [false, true],
  ] as const);
  return {
    stdout,
    stderr,
    ...(below(2) === 0 && { since: moment() }),
    ...(below(2) === 0 && { until: moment() }),
    ...(below(2) === 0 && { tail: below(lines.length + 3) }),
    ...(below(3) === 0 && { follow: { ended: Promise.resolve() } }),
  };
}

function someFormat({ below, of }: Chance): LogFormat {
  const details = of(['', ' ', 'a=b ', `long=${'v'.repeat(200)} `]);
  return { framed: below(2) === 0, timestamps: below(2) === 0, details };
}

async function recordsOf(log: LogFolder, query: LogQuery) {
  const found: { nanos: string; stderr: boolean; partial: boolean; data: Buffer }[] = [];
  for await (const { time, stream, data, partial } of openLogReader().read(log.path, query, signal)) {
    found.push({ nanos: time, stderr: stream === 'stderr', partial, data });
  }
  return found;
}

describe('random logs', () => {
  for (let seed = 1; seed <= 24; seed++) {
    it(`are read as the definition says (seed ${seed})`, async () => {
      using log = new LogFolder();
      const luck = chance(seed);
      const lines = someLines(luck);
      layOut(log, someFiles(lines, luck));
      for (let round = 0; round < 8; round++) {
        const [query, format] = [someQuery(lines, luck), someFormat(luck)];
        const expected = wanted(lines, query);
        const hint = `seed ${seed}, round ${round}`;
        assert.deepEqual(await log.encoded(query, format), asBytes(expected, format), hint);
        const records = await recordsOf(log, query);
        assert.deepEqual(
          records.map(({ data, stderr, partial }) => ({ data, stderr, partial })),
          expected.map(({ text, stderr, partial }) => ({
            data: Buffer.concat([text, Buffer.from(partial ? '' : '\n')]),
            stderr,
            partial,
          })),
          hint,
        );
        const stamps = asBytes(
          expected.map((line) => ({ ...line, text: Buffer.alloc(0), partial: false })),
          {
            framed: false,
            timestamps: true,
            details: '',
          },
        );
        assert.equal(records.map(({ nanos }) => `${nanos} \n`).join(''), stamps.toString(), hint);
      }
      assert.deepEqual(heldFiles(log), []);
    });
  }

  it('of lines of 1 MiB come back whole, piece by piece', async () => {
    using log = new LogFolder();
    const luck = chance(99);
    const lines: Line[] = [];
    for (let line = 0; line < 3; line++) {
      for (let piece = 0; piece < 128; piece++) {
        const text = Buffer.alloc(8192, luck.of([0, 0xc3, 0xff, 65]));
        lines.push({
          nanos: START + BigInt(lines.length),
          stderr: line === 1,
          partial: piece < 127,
          text,
          zone: 0,
        });
      }
    }
    const all = lines.map(written);
    const bytes = [Buffer.concat(all.slice(0, 200)), Buffer.concat(all.slice(200))];
    layOut(
      log,
      bytes.map((one, at) => ({ bytes: one, packed: at === 0 })),
    );
    const format = { framed: true, timestamps: true, details: 'a=b ' };
    for (const tail of [undefined, 0, 1, 2, 3]) {
      const query = { stdout: true, stderr: true, ...(tail !== undefined && { tail }) };
      const found = await log.encoded(query, format);
      assert.ok(
        found.equals(asBytes(lines.slice(tail === undefined ? 0 : (3 - tail) * 128), format)),
        `${tail}`,
      );
    }
  });

  it('rubbish of 1 MiB between records hides none of them', async () => {
    using log = new LogFolder();
    log.write(`${log.record('before')}${'\0'.repeat(1024 * 1024)}\n${log.record('after')}`);
    assert.equal(await log.text(), 'before\nafter\n');
    assert.equal(await log.text({ tail: 1 }), 'after\n');
    assert.equal(await log.text({ tail: 2 }), 'before\nafter\n');
  });
});
