import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataScene } from './support/data-operations.ts';
import { disturbByCuts, disturbByFullDisk } from './support/disturb.ts';
import { type FilesystemLab, lacksFilesystem } from './support/filesystem-lab.ts';
import { needsOwnDaemon, type TestDaemon } from './support/index.ts';
import { useDisk } from './support/power-cut.ts';

const DISK = 400 << 20;

async function startsFull(lab: FilesystemLab, engine: TestDaemon, scene: DataScene): Promise<void> {
  await engine.ok('create', '--name', 'spare', 'busybox', 'true');
  lab.fill(0);
  await engine.kill();
  await engine.run();
  await engine.ok('rm', 'spare');
  lab.relieve();
  await scene.unharmed('after a start on a full disk');
}

describe('a disk of ext4', { skip: needsOwnDaemon || lacksFilesystem('ext4') }, () => {
  const { lab, engine } = useDisk('ext4', DISK);
  const scene = new DataScene(engine);
  before(() => scene.build());

  for (const operation of scene.operations()) {
    it(`loses power, ${operation.title}: what was there stays, and the same command again succeeds`, async () => {
      assert.equal(await disturbByCuts(lab, engine, scene, operation, [0.4]), 2);
    });

    it(`is full, ${operation.title}: ${operation.onlyReads ? 'succeeds' : 'fails with a clear text, and succeeds when there is room'}`, async () => {
      const rooms = operation.onlyReads ? [0] : [0, 256 << 10];
      const refused = await disturbByFullDisk(lab, engine, scene, operation, rooms);
      assert.ok(refused <= (operation.onlyReads ? 0 : rooms.length));
    });
  }

  it('does not keep a daemon from starting when it is full, nor from giving room back', () =>
    startsFull(lab, engine, scene));
});

/** What leaves most to the filesystem; `npm run soak:data` tries all, in their middle, too. */
const ON_XFS = /^(cp into a volume|commit|create with copy-up|volume create with)/;

describe('a disk of xfs', { skip: needsOwnDaemon || lacksFilesystem('xfs') }, () => {
  const { lab, engine } = useDisk('xfs', DISK);
  const scene = new DataScene(engine);
  before(() => scene.build());

  for (const operation of scene.operations())
    if (ON_XFS.test(operation.title))
      it(`loses power after the answer, ${operation.title}: what was there stays`, async () => {
        assert.equal(await disturbByCuts(lab, engine, scene, operation, []), 1);
      });

  it('does not keep a daemon from starting when it is full, nor from giving room back', () =>
    startsFull(lab, engine, scene));
});
