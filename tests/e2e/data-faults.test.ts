import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataScene } from './support/data-operations.ts';
import { disturbByCuts, disturbByFullDisk } from './support/disturb.ts';
import { lacksFilesystem } from './support/filesystem-lab.ts';
import { needsOwnDaemon } from './support/index.ts';
import { useDisk } from './support/power-cut.ts';

const DISK = 400 << 20;
/** What is tried on xfs, too: what leaves most to the filesystem. `npm run soak:data` tries all. */
const ON_XFS = /^(cp into a volume|commit|create with copy-up|volume create with)/;

for (const kind of ['ext4', 'xfs'] as const)
  describe(`a power cut on ${kind}`, { skip: needsOwnDaemon || lacksFilesystem(kind) }, () => {
    const { lab, engine } = useDisk(kind, DISK);
    const scene = new DataScene(engine);
    before(() => scene.build());

    for (const operation of scene.operations())
      if (kind === 'ext4' || ON_XFS.test(operation.title))
        it(`${operation.title}: what was there stays, and the same command again succeeds`, async () => {
          assert.equal(await disturbByCuts(lab, engine, scene, operation, [0.4]), 2);
        });
  });

describe('a full disk', { skip: needsOwnDaemon || lacksFilesystem('ext4') }, () => {
  const { lab, engine } = useDisk('ext4', DISK);
  const scene = new DataScene(engine);
  before(() => scene.build());

  for (const operation of scene.operations())
    it(`${operation.title}: ${operation.onlyReads ? 'succeeds' : 'fails with a clear text, and succeeds when there is room'}`, async () => {
      const rooms = operation.onlyReads ? [0] : [0, 256 << 10];
      const refused = await disturbByFullDisk(lab, engine, scene, operation, rooms);
      assert.ok(refused <= (operation.onlyReads ? 0 : rooms.length));
    });

  it('does not keep a daemon from starting, nor from giving room back', async () => {
    await engine.ok('create', '--name', 'spare', 'busybox', 'true');
    lab.fill(0);
    await engine.kill();
    await engine.run();
    await engine.ok('rm', 'spare');
    lab.relieve();
    await scene.unharmed('after a start on a full disk');
  });
});
