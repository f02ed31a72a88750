import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../api/index.ts';
import { ServerFixture } from './testing/fixture.ts';

const PLAN: Plan = {
  Items: [{ Kind: 'container', ID: 'c', Name: 'web', Bytes: 5 }],
  Bytes: 5,
};

/** A server whose backends write down what reaches them. */
async function recording() {
  const calls: unknown[][] = [];
  const plan = async (...call: unknown[]) => {
    calls.push(call.map((one) => (one instanceof Map ? [...one] : one)));
    return PLAN;
  };
  const fixture = await ServerFixture.start({
    plans: { prune: plan, remove: plan },
    system: {
      pruneBuildCache: async (filters) => {
        calls.push([...filters]);
        return { deleted: filters.size > 0 ? ['cache'] : [], spaceReclaimed: 7 };
      },
    },
  });
  return { fixture, calls };
}

test('plans reach the backend with what they ask', async () => {
  const { fixture, calls } = await recording();
  await using _ = fixture;
  const filters = encodeURIComponent('{"label":["a"]}');
  for (const [path, call] of [
    ['prune/system', ['system', [], { all: false, volumes: false }]],
    [
      `prune/volumes?all=1&volumes=1&filters=${filters}`,
      ['volumes', [['label', ['a']]], { all: true, volumes: true }],
    ],
    ['remove/images?name=a&name=b%3A1', ['images', ['a', 'b:1'], { force: false, volumes: false }]],
    ['remove/containers?name=a&force=1&volumes=1', ['containers', ['a'], { force: true, volumes: true }]],
  ] as [string, unknown[]][]) {
    const answer = await fixture.ask('GET', `/wharf/plan/${path}`);
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, PLAN], path);
    assert.deepEqual(calls.pop(), call, path);
  }
});

test('there is no plan for what can not be pruned or removed, and none to be posted', async () => {
  const { fixture, calls } = await recording();
  await using _ = fixture;
  for (const path of ['prune/plugins', 'remove/system', 'remove/builder']) {
    const answer = await fixture.ask('GET', `/wharf/plan/${path}`);
    assert.equal(answer.status, 400);
    assert.deepEqual(JSON.parse(answer.body), { message: `there is no plan for "${path.split('/')[1]}"` });
  }
  const posted = await fixture.ask('POST', '/wharf/plan/prune/system');
  assert.notEqual(posted.status, 200);
  assert.deepEqual(calls, []);
});

test('the build cache is pruned; limits are whole numbers of bytes', async () => {
  const { fixture, calls } = await recording();
  await using _ = fixture;
  const prune = (query: string) => fixture.ask('POST', `/build/prune${query}`);
  assert.deepEqual(JSON.parse((await prune('')).body), { CachesDeleted: null, SpaceReclaimed: 7 });
  const filters = encodeURIComponent('{"until":["24h"]}');
  const done = await prune(`?all=1&keep-storage=5&filters=${filters}`);
  assert.deepEqual(JSON.parse(done.body), { CachesDeleted: ['cache'], SpaceReclaimed: 7 });
  assert.deepEqual(calls, [[], [['until', ['24h']]]]);
  for (const name of ['keep-storage', 'reserved-space', 'max-used-space', 'min-free-space']) {
    const answer = await prune(`?${name}=1GB`);
    const message = `${name} is in bytes and expects an integer, got 1GB: strconv.Atoi: parsing "1GB": invalid syntax`;
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [400, { message }]);
  }
  assert.equal(calls.length, 2);
});
