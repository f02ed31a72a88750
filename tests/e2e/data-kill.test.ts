import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataScene } from './support/data-operations.ts';
import { disturbByKills, type KillSteps } from './support/disturb.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

/** Calls of the daemon's main thread: the database, names of files; `npm run soak:data` takes many more. */
const STEPS: KillSteps = [
  ['pwrite64', [3]],
  ['rename', [1]],
];
/** Of operations whose data goes over the socket, in its middle: on the way in, on the way out. */
const STREAMING: KillSteps = [
  ['read', [12]],
  ['writev', [3]],
];

describe('a daemon that is killed while data moves', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const scene = new DataScene(engine);
  before(() => scene.build());

  for (const operation of scene.operations())
    it(`${operation.title}: what was there stays, and the same command again succeeds`, async () => {
      const steps = operation.streams ? STREAMING : STEPS;
      const kills = await disturbByKills(engine, scene, operation, steps);
      assert.ok(kills > 0, 'it was killed before it answered');
    });

  it('nothing is left by all of it but volumes that prune takes', async () => {
    await engine.ok('volume', 'prune', '--force');
    assert.deepEqual((await engine.ok('volume', 'ls', '-q')).split('\n').sort(), ['free', 'shared', 'used']);
    await scene.unharmed('at the end');
  });
});
