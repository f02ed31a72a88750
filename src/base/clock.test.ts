import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rfc3339Nano, systemClock, ZERO_TIME } from './clock.ts';
import { isKind } from './errors.ts';

describe('rfc3339Nano', () => {
  const cases: [bigint, string][] = [
    [0n, '1970-01-01T00:00:00Z'],
    [1_777_630_830_123_456_789n, '2026-05-01T10:20:30.123456789Z'],
    [1_777_630_830_120_000_000n, '2026-05-01T10:20:30.12Z'],
    [1_777_630_830_000_000_001n, '2026-05-01T10:20:30.000000001Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [-1_500_000_000n, '1969-12-31T23:59:58.5Z'],
    [-86_400_000_000_000n, '1969-12-31T00:00:00Z'],
  ];
  for (const [nanos, text] of cases) it(text, () => assert.equal(rfc3339Nano(nanos), text));

  it("has Go's zero time", () => assert.ok(Number.isFinite(Date.parse(ZERO_TIME))));
});

describe('systemClock', () => {
  it('agrees with the wall clock and does not run backwards by itself', () => {
    const before = BigInt(Date.now()) * 1_000_000n;
    const now = systemClock.nowNanos();
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    const slack = 3_000_000n;
    assert.ok(now >= before - slack && now <= after + slack);
    const first = systemClock.monotonic();
    assert.ok(first <= systemClock.monotonic());
  });

  it('follows a jump of the wall clock', (t) => {
    const jumped = Date.now() + 86_400_000;
    t.mock.method(Date, 'now', () => jumped);
    assert.equal(systemClock.nowNanos(), BigInt(jumped) * 1_000_000n);
  });

  it('sleeps, and wakes with cancelled when told', async () => {
    await systemClock.sleep(1);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, controller.signal);
    controller.abort();
    await assert.rejects(sleeping, (e) => isKind(e, 'cancelled'));
    await assert.rejects(systemClock.sleep(1, controller.signal), (e) => isKind(e, 'cancelled'));
  });
});
