import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataScene } from './support/data-operations.ts';
import { lacksFilesystem } from './support/filesystem-lab.ts';
import { needsOwnDaemon } from './support/index.ts';
import { cutDuring, powerCut, useDisk } from './support/power-cut.ts';

const MIB = 1 << 20;
const DISK = 400 * MIB;

for (const kind of ['ext4', 'xfs'] as const)
  describe(`a power cut on ${kind}`, { skip: needsOwnDaemon || lacksFilesystem(kind) }, () => {
    const { lab, engine } = useDisk(kind, DISK);
    const scene = new DataScene(engine);
    before(() => scene.build());

    for (const operation of scene.operations())
      it(`${operation.title}: what was there stays, and the same command again succeeds`, async () => {
        await operation.setUp?.();
        lab.sync();
        const begin = performance.now();
        await scene.succeeds(operation, 'undisturbed');
        const took = performance.now() - begin;
        await powerCut(lab, engine);
        await scene.recovers(operation, 'after its end');
        await operation.undo();
        await operation.setUp?.();
        lab.sync();
        await cutDuring(lab, engine, operation.command, took / 2);
        await scene.recovers(operation, 'in its middle');
        await operation.undo();
      });
  });

describe('a full disk', { skip: needsOwnDaemon || lacksFilesystem('ext4') }, () => {
  const { lab, engine } = useDisk('ext4', DISK);
  const scene = new DataScene(engine);
  before(() => scene.build());

  for (const operation of scene.operations())
    it(`${operation.title}: ${operation.onlyReads ? 'succeeds' : 'fails with a clear text, and succeeds when there is room'}`, async () => {
      for (const room of [0, 64 << 10, MIB]) {
        await operation.setUp?.();
        lab.fill(room);
        const { code, stderr } = await engine.docker(...operation.command);
        const when = `with ${room} bytes left`;
        if (operation.onlyReads) assert.equal(code, 0, `${when}: ${stderr}`);
        if (code !== 0) assert.match(stderr, /no space left on device|disk quota exceeded/i, when);
        await scene.unharmed(when);
        lab.relieve();
        await scene.recovers(operation, when);
        await operation.undo();
      }
    });
});
