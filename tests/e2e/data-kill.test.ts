import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataScene } from './support/data-operations.ts';
import { disturbByKills } from './support/disturb.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

/** Calls of the daemon's main thread: the database, mounts, names of files; `npm run soak:data` takes many more. */
const STEPS = [
  ['pwrite64', [1, 4]],
  ['mount', [1]],
  ['rename', [1]],
] as const;

describe('a daemon that is killed while data moves', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const scene = new DataScene(engine);
  before(() => scene.build());

  for (const operation of scene.operations())
    it(`${operation.title}: what was there stays, and the same command again succeeds`, async (context) => {
      context.diagnostic(`${await disturbByKills(engine, scene, operation, STEPS)} kills`);
    });

  it('nothing is left by all of it but volumes that prune takes', async () => {
    await engine.ok('volume', 'prune', '--force');
    assert.deepEqual((await engine.ok('volume', 'ls', '-q')).split('\n').sort(), ['free', 'shared', 'used']);
    await scene.unharmed('at the end');
  });
});
