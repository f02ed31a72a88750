import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
import { openMemoryDatabase } from '../meta/index.ts';
import { lsetxattr } from '../sys/index.ts';
import { openOverlaySnapshotter, type Snapshotter, type SnapshotterOptions } from './index.ts';
import { makeLayer, mounted, type Opened, snapshotterSuite } from './suite.ts';

/** Overlay's upper directory can't lie on overlay; /var/tmp is a real filesystem where /tmp may not be. */
function opened(open: (options: SnapshotterOptions) => Snapshotter, below = ''): Opened {
  const top = mkdtempSync('/var/tmp/wharf-snap-');
  const root = join(top, below, 'snapshots');
  const database = openMemoryDatabase();
  return {
    root,
    snapshots: open({ root, database }),
    again: () => open({ root, database }),
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      rmSync(top, { recursive: true, force: true });
    },
  };
}
const overlay = (below?: string) => opened(openOverlaySnapshotter, below);

snapshotterSuite('overlay', () => overlay());

test('overlay: 125 layers can be mounted below a long path', async () => {
  using home = overlay('a-folder-with-a-long-name/'.repeat(4));
  const { snapshots } = home;
  let parent: string | undefined;
  for (let layer = 0; layer < 125; layer += 1) {
    await snapshots.prepare('next', parent);
    writeFileSync(join(snapshots.directory('next'), `file-${layer}`), String(layer));
    writeFileSync(join(snapshots.directory('next'), 'top'), String(layer));
    await snapshots.commit(`layer-${layer}`, 'next');
    parent = `layer-${layer}`;
  }
  await snapshots.prepare('c', parent);
  await mounted(snapshots.mount('c'), (root) => {
    assert.equal(readdirSync(root).length, 126);
    assert.equal(readFileSync(join(root, 'file-0'), 'utf8'), '0');
    assert.equal(readFileSync(join(root, 'top'), 'utf8'), '124');
    writeFileSync(join(root, 'file-7'), 'changed');
  });
  assert.deepEqual(await snapshots.changes('c'), [{ path: '/file-7', kind: 'modified' }]);
});

test('overlay: a layer can’t show files of another by redirects', async () => {
  using home = overlay();
  const { snapshots } = home;
  await makeLayer(snapshots, 'base', undefined, { '/secret/key': 'secret' });
  await snapshots.prepare('make', 'base');
  mkdirSync(join(snapshots.directory('make'), 'shown'));
  lsetxattr(join(snapshots.directory('make'), 'shown'), 'trusted.overlay.redirect', Buffer.from('/secret'));
  writeFileSync(join(snapshots.directory('make'), 'meta'), '');
  lsetxattr(
    join(snapshots.directory('make'), 'meta'),
    'trusted.overlay.redirect',
    Buffer.from('/secret/key'),
  );
  lsetxattr(join(snapshots.directory('make'), 'meta'), 'trusted.overlay.metacopy', Buffer.alloc(0));
  await snapshots.commit('two', 'make');
  await snapshots.prepare('c', 'two');
  await mounted(snapshots.mount('c'), (root) => {
    assert.throws(() => readdirSync(join(root, 'shown')));
    assert.throws(() => assert.equal(readFileSync(join(root, 'meta'), 'utf8'), 'secret'));
  });
});

test('overlay: the options say what must be off', async () => {
  using home = overlay();
  await makeLayer(home.snapshots, 'base', undefined, {});
  await home.snapshots.prepare('c', 'base');
  const { options, type, flags } = home.snapshots.mount('c');
  assert.equal(type, 'overlay');
  assert.deepEqual(flags, []);
  for (const word of ['index=off', 'metacopy=off', 'redirect_dir=nofollow'])
    assert.ok(options.includes(word), word);
});

test('overlay: a folder whose name would break the options is refused', () => {
  using database = openMemoryDatabase();
  for (const root of ['/var/tmp/a:b', '/var/tmp/a,b', '/var/tmp/a\\b', 'relative']) {
    assert.throws(
      () => openOverlaySnapshotter({ root, database }),
      (thrown) => isKind(thrown, 'invalid'),
    );
  }
});
