import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exactLimits, rlimitsOf } from './rlimits.ts';
import { hostOf } from './spec.cases.ts';

const strong = hostOf();
const weak = hostOf({ sysResource: false });
const one = (Name: string, Soft: number, Hard: number) => [{ Name, Soft, Hard }];
const written = (...limits: Parameters<typeof rlimitsOf>) =>
  JSON.stringify(exactLimits(rlimitsOf(...limits).rlimits));
const ENDLESS = '18446744073709551615';

describe('ulimits', () => {
  it('are known by all the names that Docker takes, in any case', () => {
    const names =
      'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack';
    for (const name of names.split(' ')) {
      const expected = [{ type: `RLIMIT_${name.toUpperCase()}`, soft: 1, hard: 2 }];
      assert.deepEqual(rlimitsOf(one(name, 1, 2), [], strong).rlimits, expected);
      assert.deepEqual(rlimitsOf(one(name.toUpperCase(), 1, 2), [], strong).rlimits, expected);
    }
  });

  it('of no known name are refused, also as the daemon’s', () => {
    for (const name of ['', 'x', 'RLIMIT_NOFILE', 'nofile ', '__proto__', 'constructor']) {
      const message = `invalid ulimit type: ${name.toLowerCase()}`;
      assert.throws(() => rlimitsOf(one(name, 1, 1), [], strong), { kind: 'invalid', message });
      assert.throws(() => rlimitsOf([], one(name, 1, 1), strong), { kind: 'invalid', message });
    }
    assert.throws(() => rlimitsOf([{}], [], strong), { message: 'invalid ulimit type: ' });
  });

  it('with a soft one above the hard one are refused with the numbers that were asked', () => {
    for (const [soft, hard] of [
      [2, 1],
      [-1, 5],
      [1, 0],
    ] as const)
      assert.throws(() => rlimitsOf(one('core', soft, hard), [], strong), {
        kind: 'invalid',
        message: `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
      });
    for (const [soft, hard] of [
      [5, -1],
      [-1, -1],
      [0, 0],
    ] as const)
      assert.doesNotThrow(() => rlimitsOf(one('core', soft, hard), [], strong));
  });

  it('of the request take the place of the daemon’s of that name only, the last counts', () => {
    const defaults = [...one('NOFILE', 1, 1), ...one('core', 2, 2)];
    const { rlimits } = rlimitsOf([...one('nofile', 3, 3), ...one('nofile', 4, 4)], defaults, strong);
    assert.deepEqual(rlimits, [
      { type: 'RLIMIT_NOFILE', soft: 4, hard: 4 },
      { type: 'RLIMIT_CORE', soft: 2, hard: 2 },
    ]);
  });

  it('without end are the kernel’s greatest number', () => {
    assert.equal(
      written(one('core', -1, -1), [], strong),
      `[{"type":"RLIMIT_CORE","soft":${ENDLESS},"hard":${ENDLESS}}]`,
    );
    assert.equal(
      written(one('core', 7, -1), [], strong),
      `[{"type":"RLIMIT_CORE","soft":7,"hard":${ENDLESS}}]`,
    );
  });

  it('are left as asked where this process may raise them, and where its own are without end', () => {
    assert.deepEqual(rlimitsOf(one('nofile', 1001, 99999), [], strong).warnings, []);
    const endless = hostOf({
      sysResource: false,
      hardLimits: { RLIMIT_NOFILE: Number.POSITIVE_INFINITY },
    });
    assert.equal(
      written(one('nofile', -1, -1), [], endless),
      `[{"type":"RLIMIT_NOFILE","soft":${ENDLESS},"hard":${ENDLESS}}]`,
    );
    assert.deepEqual(rlimitsOf(one('nofile', -1, -1), [], endless).warnings, []);
    assert.deepEqual(rlimitsOf(one('core', 5, 5), [], weak), {
      rlimits: [{ type: 'RLIMIT_CORE', soft: 5, hard: 5 }],
      warnings: [],
    });
  });

  it('come down to what this process has, with one warning each', () => {
    const cases: [number, number, number, number][] = [
      [5, 1001, 5, 1000],
      [1001, 1001, 1000, 1000],
      [-1, -1, 1000, 1000],
      [7, -1, 7, 1000],
    ];
    for (const [askedSoft, askedHard, soft, hard] of cases) {
      const { rlimits, warnings } = rlimitsOf(one('nofile', askedSoft, askedHard), [], weak);
      assert.deepEqual(rlimits, [{ type: 'RLIMIT_NOFILE', soft, hard }]);
      assert.deepEqual(warnings, [
        "The ulimit nofile can't be raised above this host's hard limit of 1000 without CAP_SYS_RESOURCE. Limited to 1000.",
      ]);
    }
    assert.deepEqual(rlimitsOf(one('nofile', 1000, 1000), [], weak).warnings, []);
  });
});
