import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openLogReader } from './reader.ts';
import type { LogQuery } from './types.ts';

const dir = mkdtempSync(join(tmpdir(), 'wharf-logs-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const line = (second: number, text: string, tag = 'F') =>
  `2026-01-02T03:04:0${second}.000000001+00:00 stdout ${tag} ${text}\n`;

async function text(path: string, query: Partial<LogQuery>): Promise<string> {
  const all: Buffer[] = [];
  const asked = { stdout: true, stderr: true, ...query };
  for await (const record of openLogReader().read(path, asked, AbortSignal.timeout(5000)))
    all.push(record.data);
  return Buffer.concat(all).toString();
}

test('rotated files come first, pieces join without newline, a torn last line is left out', async () => {
  const path = `${dir}/a`;
  writeFileSync(`${path}.1`, line(1, 'one'));
  writeFileSync(path, `${line(2, 'tw', 'P')}${line(2, 'o\0')}2026-01-02T03`);
  assert.equal(await text(path, {}), 'one\ntwo\0\n');
  assert.equal(await text(path, { stdout: false }), '');
});

test('tail counts from the end, across files', async () => {
  const path = `${dir}/b`;
  writeFileSync(`${path}.1`, line(1, 'one') + line(2, 'two'));
  writeFileSync(path, line(3, 'three'));
  assert.equal(await text(path, { tail: 2 }), 'two\nthree\n');
  assert.equal(await text(path, { tail: 0 }), '');
  assert.equal(await text(path, { tail: 9 }), 'one\ntwo\nthree\n');
});

test('since and until bound the records', async () => {
  const path = `${dir}/c`;
  writeFileSync(path, line(1, 'one') + line(2, 'two') + line(3, 'three'));
  const base = BigInt(Date.parse('2026-01-02T03:04:02Z')) * 1_000_000n;
  assert.equal(await text(path, { since: base, until: base + 5n }), 'two\n');
});

test('a follow sees what is appended and ends with the container', async () => {
  const path = `${dir}/d`;
  writeFileSync(path, line(1, 'one'));
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(() => {
    appendFileSync(path, line(2, 'two'));
    resolve();
  }, 20);
  assert.equal(await text(path, { follow: { ended: promise } }), 'one\ntwo\n');
});
