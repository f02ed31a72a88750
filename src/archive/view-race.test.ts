import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { WharfError } from '../base/index.ts';
import { extractView, packView, type TarInput, TarPacker } from './index.ts';
import { descriptors, entries, place } from './testing/views.ts';

/** Turns of each test; the exchanges meanwhile are hundreds of thousands. */
const TURNS = 1000;

/** Exchanges pairs of names without end, as a hostile container would (CVE-2018-15664, CVE-2026-41568). */
const swapper = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.index).then(({ openat2, renameat2, O }) => {
    const pairs = workerData.pairs.map(([folder, one, other]) => [openat2('/', folder, { flags: O.PATH | O.DIRECTORY }), one, other]);
    let count = 0;
    const turn = () => {
      for (let left = 100; left > 0; left--)
        for (const [dir, one, other] of pairs) {
          try { renameat2(dir, one, dir, other, { exchange: true }); count += 1; } catch {}
        }
      next = setImmediate(turn);
    };
    let next;
    parentPort.on('message', () => {
      clearImmediate(next);
      for (const [dir] of pairs) dir.close();
      parentPort.postMessage(count);
    });
    turn();
    parentPort.postMessage('swapping');
  });
`;

async function swapping(
  pairs: [folder: string, one: string, other: string][],
  work: () => Promise<void>,
): Promise<number> {
  const index = new URL('../sys/index.ts', import.meta.url).href;
  const worker = new Worker(swapper, { eval: true, workerData: { index, pairs } });
  const answer = () =>
    new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await answer();
  try {
    await work();
    const count = answer();
    worker.postMessage('');
    return Number(await count);
  } finally {
    await worker.terminate();
  }
}

/** A root with folders that swap with links to the canary, in the root and on a mount; and mounts below what swaps. */
function hostile(home: ReturnType<typeof place>) {
  const up = `${'../'.repeat(12)}${home.canary.slice(1)}`;
  for (const [base, target] of [
    [home.root, home.canary],
    [home.one, up],
  ] as const) {
    mkdirSync(join(base, 'dir/inner'), { recursive: true });
    writeFileSync(join(base, 'dir/inner/file'), 'container');
    writeFileSync(join(base, 'dir/file'), 'container');
    symlinkSync(target, join(base, 'link'));
  }
  mkdirSync(join(home.root, 'dir/vol'));
  mkdirSync(join(home.root, 'vol'));
  writeFileSync(join(home.root, 'plain'), 'container');
  symlinkSync(join(home.canary, 'file'), join(home.root, 'plain-link'));
  const pairs: [string, string, string][] = [
    [home.root, 'dir', 'link'],
    [home.one, 'dir', 'link'],
    [home.root, 'plain', 'plain-link'],
  ];
  return { pairs, view: home.view(['/vol', home.one], ['/dir/vol', home.two], ['/dir/inner', home.one]) };
}

/** Refusals of the system are fine in a race; anything else is not. */
async function attempt(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (thrown) {
    if (!(thrown instanceof WharfError)) throw thrown;
    return false;
  }
}

it('packing gives nothing of the host while folders and links are swapped', async () => {
  using home = place();
  const { pairs, view } = hostile(home);
  await entries(packView(view, { path: '/plain', name: 'x' }));
  const [before, hash] = [descriptors(), home.hash()];
  let whole = 0;
  const paths = [
    '/',
    '/dir',
    '/dir/',
    '/dir/file',
    '/vol/dir/inner',
    '/vol/dir/file',
    '/plain',
    '/dir/vol/../inner/dir/',
  ];
  const swaps = await swapping(pairs, async () => {
    for (let turn = 0; turn < TURNS; turn++) {
      const path = paths[turn % paths.length] as string;
      const packed = (async () => {
        const options = { path, name: 'x', followRoot: turn % 3 === 0 };
        for (const { content, name } of await entries(packView(view, options)))
          assert.ok(!content.includes('CANARY'), `${path}: ${name}`);
        whole += 1;
      })();
      await attempt(packed);
    }
  });
  assert.ok(swaps > TURNS, `${swaps} swaps`);
  assert.ok(whole > TURNS / 10, `${whole} were packed`);
  assert.equal(home.hash(), hash);
  assert.equal(descriptors(), before);
});

it('extracting changes nothing of the host while folders and links are swapped', async () => {
  using home = place();
  const { pairs, view } = hostile(home);
  const body = Buffer.from('written');
  const list: TarInput[] = [
    { name: 'dir/', type: 'directory', mode: 0o777, uid: 7, gid: 7 },
    { name: 'dir/file', body, mode: 0o4777, uid: 7 },
    { name: 'dir/inner/file', body },
    { name: 'dir/inner/', type: 'directory', mode: 0o701, uid: 8 },
    { name: 'link/file', body },
    { name: 'link/made/deep/file', body },
    { name: 'dir/vol/file', body },
    { name: 'hard', type: 'link', linkName: 'dir/file' },
    { name: 'plain', body },
    { name: 'dir/link', type: 'symlink', linkName: home.canary },
    { name: 'dir/link/file', body },
    { name: 'dir/gone/', type: 'directory' },
    { name: 'dir/gone', body },
  ];
  const archives = list.map((_, at) => {
    const packer = new TarPacker();
    for (const entry of [...list.slice(at), ...list.slice(0, at)])
      packer.add(entry as TarInput & { body?: Uint8Array });
    return packer.finish();
  });
  await attempt(extractView(view, '/', once(archives[0] as Buffer), { overwriteDirNonDir: true }));
  const [before, hash] = [descriptors(), home.hash()];
  const swaps = await swapping(pairs, async () => {
    for (let turn = 0; turn < TURNS; turn++) {
      const path = ['/', '/dir', '/vol', '/vol/dir', '/link'][turn % 5] as string;
      const bytes = archives[turn % archives.length] as Buffer;
      await attempt(extractView(view, path, once(bytes), { overwriteDirNonDir: turn % 2 === 0 }));
    }
  });
  assert.ok(swaps > TURNS, `${swaps} swaps`);
  assert.equal(home.hash(), hash);
  assert.deepEqual(readdirSync(home.top).sort(), ['canary', 'one', 'root', 'two']);
  assert.equal(descriptors(), before);
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
