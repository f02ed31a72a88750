import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { O } from './fd.ts';
import { mkdirAllInRoot, readFileInRoot } from './in-root.ts';
import { openInRoot } from './openat2.ts';

/** Swaps a directory for a link to the host without end, as a hostile container would (CVE-2018-15664). */
const swapper = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.index).then(({ openat2, renameat2, O }) => {
    const dir = openat2('/', workerData.root, { flags: O.PATH | O.DIRECTORY });
    const turn = () => {
      for (let left = 200; left > 0; left--) renameat2(dir, 'dir', dir, 'link', { exchange: true });
      setImmediate(turn);
    };
    turn();
    parentPort.postMessage('swapping');
  });
`;

for (const up of ['absolute', '..'] as const) {
  it(`stays in the root while a directory and an ${up} link out are swapped`, async (t) => {
    const base = mkdtempSync(join(tmpdir(), 'wharf-race-'));
    const [root, outside] = [join(base, 'root'), join(base, 'outside')];
    t.after(() => rmSync(base, { recursive: true, force: true }));
    for (const path of [root, outside, join(root, 'dir')]) mkdirSync(path);
    writeFileSync(join(outside, 'canary'), 'host');
    writeFileSync(join(root, 'dir/canary'), 'container');
    symlinkSync(up === 'absolute' ? outside : '../outside', join(root, 'link'));

    const index = new URL('./index.ts', import.meta.url).href;
    const worker = new Worker(swapper, { eval: true, workerData: { index, root } });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    try {
      for (let at = 0; at < 400; at++) {
        attempt(() => assert.notEqual(readFileInRoot(root, 'dir/canary', 100)?.toString(), 'host'));
        attempt(() => mkdirAllInRoot(root, `dir/made-${at}/x`, 0o755).close());
        attempt(() => openInRoot(root, `dir/file-${at}`, O.WRONLY | O.CREAT, 0o600).close());
      }
    } finally {
      await worker.terminate();
    }
    assert.deepEqual(readdirSync(outside), ['canary']);
    assert.deepEqual(readdirSync(base).sort(), ['outside', 'root']);
  });
}

/** The kernel's refusals are fine in a race; a failed assertion is not. */
function attempt(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof assert.AssertionError) throw thrown;
  }
}
