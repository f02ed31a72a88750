import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WharfError } from '../base/index.ts';
import { isErrno, lsetxattr } from '../sys/index.ts';
import { type CopyStep, copyView, extractView, packView, type TreeView } from './index.ts';
import { descriptors, entries, place } from './testing/views.ts';

const rules = { overwriteDirNonDir: false };

/** A folder with one of each kind of entry. */
function fill(root: string): void {
  const at = (name: string) => join(root, 'from', name);
  mkdirSync(at('sub/empty'), { recursive: true });
  writeFileSync(at('sub/file'), 'x'.repeat(300_000), { mode: 0o640 });
  writeFileSync(at('sub/none'), '');
  writeFileSync(at('holes'), 'begin');
  truncateSync(at('holes'), 8 << 20);
  linkSync(at('sub/file'), at('hard'));
  symlinkSync('/etc/passwd', at('link'));
  lsetxattr(at('sub/file'), 'user.note', Buffer.from('kept'));
  execFileSync('mkfifo', [at('fifo')]);
  execFileSync('chown', ['1234:70000', at('sub/none')]);
  execFileSync('chmod', ['4711', at('sub/none')]);
  execFileSync('touch', ['-h', '-d', '2020-01-02T03:04:05Z', at('link'), at('sub/file'), at('sub')]);
}

async function last(steps: AsyncIterable<CopyStep>): Promise<CopyStep> {
  let step: CopyStep = { bytes: 0 };
  for await (step of steps);
  return step;
}

const listed = async (view: TreeView, path: string) =>
  (await entries(packView(view, { path, name: 'x' }))).map(({ content, ...header }) => ({
    ...header,
    // The folder that is copied into keeps its own.
    mtimeNs: header.name === 'x/' ? 0n : header.mtimeNs,
    content: content.toString('base64').slice(-40),
  }));

describe('a copy from view to view', () => {
  it('is what the tar of one is in the other, and tells its bytes', async () => {
    using home = place();
    fill(home.root);
    for (const folder of ['direct', 'by-tar']) mkdirSync(join(home.root, folder));
    const view = home.view();
    const source = { view, path: '/from', name: 'from' };
    const step = await last(copyView(source, { view, path: '/direct', ...rules }));
    let bytes = 0;
    const counted = async function* () {
      for await (const piece of packView(view, source)) {
        bytes += piece.length;
        yield piece;
      }
    };
    await extractView(view, '/by-tar', counted(), rules);
    assert.deepEqual(step, { bytes });
    const copied = await listed(view, '/direct');
    assert.equal(copied.length, 10);
    assert.deepEqual(copied, await listed(view, '/by-tar'));
    assert.equal(statSync(join(home.root, 'direct/from/hard')).nlink, 2);
    assert.ok(statSync(join(home.root, 'direct/from/holes')).blocks < 100, 'holes stay holes');
  });

  it('gives a file another name and other owners', async () => {
    using home = place();
    fill(home.root);
    const view = home.view();
    const source = { view, path: '/from/sub/none', name: 'new' };
    await last(copyView(source, { view, path: '/', owner: { uid: 5, gid: 6 }, ...rules }));
    const { uid, gid, mode } = statSync(join(home.root, 'new'));
    assert.deepEqual([uid, gid, mode & 0o7777], [5, 6, 0o4711]);
  });

  it('says at which end it failed, and holds nothing then', async () => {
    using home = place();
    fill(home.root);
    mkdirSync(join(home.root, 'to/from'), { recursive: true });
    writeFileSync(join(home.root, 'to/from/sub'), 'in the way');
    const view = home.view();
    const before = descriptors();
    const missing = await last(
      copyView({ view, path: '/nowhere', name: 'n' }, { view, path: '/to', ...rules }),
    );
    assert.equal(missing.fault?.end, 'source');
    assert.ok(isErrno(missing.fault?.reason, 'ENOENT'));
    const refused = await last(
      copyView({ view, path: '/from', name: 'from' }, { view, path: '/to', ...rules }),
    );
    assert.equal(refused.fault?.end, 'target');
    assert.match(refused.fault?.reason.message ?? '', /cannot overwrite non-directory/);
    assert.equal(readFileSync(join(home.root, 'to/from/sub'), 'utf8'), 'in the way');
    assert.equal(descriptors(), before);
  });

  it('ends when it is cancelled, before and within', async () => {
    using home = place();
    mkdirSync(join(home.root, 'to'));
    // A hole that is read for long, and written as one.
    writeFileSync(join(home.root, 'endless'), 'x'.repeat(1 << 20));
    truncateSync(join(home.root, 'endless'), 2 ** 36);
    const view = home.view();
    const copy = (signal: AbortSignal) =>
      last(copyView({ view, path: '/endless', name: 'e' }, { view, path: '/to', ...rules }, signal));
    const isCancelled = (thrown: unknown) => thrown instanceof WharfError && thrown.kind === 'cancelled';
    await assert.rejects(copy(AbortSignal.abort()), isCancelled);
    const cancel = new AbortController();
    const under = copy(cancel.signal);
    setTimeout(() => cancel.abort(), 30);
    await assert.rejects(under, isCancelled);
  });

  it('lets go when its reader turns away', async () => {
    using home = place();
    fill(home.root);
    mkdirSync(join(home.root, 'to'));
    const view = home.view();
    const before = descriptors();
    for await (const _ of copyView({ view, path: '/from', name: 'f' }, { view, path: '/to', ...rules }))
      break;
    assert.equal(descriptors(), before);
  });
});
