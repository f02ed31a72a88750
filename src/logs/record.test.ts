import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNanos, isRecord, parseTimestamp, recordAt, utcTime } from './record.ts';

test('times are read with any fraction and zone', () => {
  const base = BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1_000_000n;
  assert.equal(parseTimestamp('2026-01-02T03:04:05Z'), base);
  assert.equal(parseTimestamp('2026-01-02T03:04:05.5Z'), base + 500_000_000n);
  assert.equal(parseTimestamp('2026-01-02T03:04:05.000000001+00:00'), base + 1n);
  assert.equal(parseTimestamp('2026-01-02T05:04:05+02:00'), base);
  for (const bad of ['', 'now', '2026-01-02', '2026-01-02T03:04:05.Z']) assert.equal(parseTimestamp(bad), 0n);
});

test('times are written with nine digits, and never outside of four-digit years', () => {
  for (const text of ['1969-12-31T23:59:59.999999999Z', '2026-01-02T03:04:05.000000010Z']) {
    assert.equal(formatNanos(parseTimestamp(text)), text);
  }
  assert.match(formatNanos(-(10n ** 30n)), /^0000-01-01T/);
  assert.match(formatNanos(10n ** 30n), /^9999-12-31T/);
});

test('a record is taken apart in place', () => {
  const text = '2026-01-02T03:04:05.000000001+01:00 stderr P half\n';
  const block = Buffer.from(`..${text}`);
  assert.ok(isRecord(block, 2, block.length - 1));
  assert.ok(!isRecord(block, 1, block.length - 1));
  assert.ok(!isRecord(block, 2, 30));
  assert.equal(utcTime(block, 2), '2026-01-02T02:04:05.000000001Z');
  const { data, ...rest } = recordAt(block, 2, block.length - 1);
  assert.deepEqual(rest, { time: '2026-01-02T02:04:05.000000001Z', stream: 'stderr', partial: true });
  assert.equal(data.toString(), 'half');
});
