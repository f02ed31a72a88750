import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isErrno, lsetxattr, mkfifo, mount, O, openat2, umount, utimensat } from '../sys/index.ts';
import { packTree, packView } from './index.ts';
import { descriptors, entries, place } from './testing/views.ts';

const names = async (tar: AsyncIterable<Uint8Array>) => (await entries(tar)).map(({ name }) => name);

/** `cap_net_raw+ep`, revision 2 (capabilities(7)). */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

describe('the tar of a view', () => {
  it('has the name it is given, and what is below it in order', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd/a'), { recursive: true });
    for (const name of ['d/a.b', 'd/a/z', 'd/b']) writeFileSync(join(home.root, name), name);
    symlinkSync('d', join(home.root, 'link'));
    const view = home.view();
    const below = (prefix: string) => ['', 'a/', 'a/z', 'a.b', 'b'].map((name) => prefix + name);
    assert.deepEqual(await names(packView(view, { path: '/d', name: 'x' })), below('x/'));
    assert.deepEqual(await names(packView(view, { path: '/d/.', name: '.' })), below('./'));
    assert.deepEqual(await names(packView(view, { path: '/d', name: '/' })), below('/'));
    assert.deepEqual(await names(packView(view, { path: '/link/', name: 'l' })), below('l/'));
    assert.deepEqual(
      await names(packView(view, { path: '/link', name: 'l', followRoot: true })),
      below('l/'),
    );
    assert.deepEqual(
      await names(packView(view, { path: '/d', name: '', contentsOnly: true })),
      below('').slice(1),
    );
    const [link] = await entries(packView(view, { path: '/link', name: 'l' }));
    assert.deepEqual([link?.name, link?.type, link?.linkName], ['l', 'symlink', 'd']);
    const [file] = await entries(packView(view, { path: '/link/b', name: 'only' }));
    assert.deepEqual([file?.name, file?.content.toString()], ['only', 'd/b']);
  });

  it('keeps owners to the last number, modes, attributes, capabilities, nodes and hard links', async () => {
    using home = place();
    const at = (name: string) => join(home.root, name);
    writeFileSync(at('file'), 'x');
    chownSync(at('file'), 4_294_967_294, 2_097_152);
    chmodSync(at('file'), 0o6755);
    lsetxattr(at('file'), 'user.note', Buffer.from('n'));
    lsetxattr(at('file'), 'security.capability', CAPABILITY);
    lsetxattr(at('file'), 'trusted.overlay.origin', Buffer.from('o'));
    linkSync(at('file'), at('second'));
    execFileSync('mknod', [at('char'), 'c', '259', '70000']);
    execFileSync('mknod', [at('block'), 'b', '7', '5']);
    mkfifo(at('fifo'), 0o600);
    const socket = createServer().listen(at('socket'));
    const found = new Map(
      (await entries(packView(home.view(), { path: '/', name: '', contentsOnly: true }))).map((entry) => [
        entry.name,
        entry,
      ]),
    );
    socket.close();
    assert.deepEqual([...found.keys()], ['block', 'char', 'fifo', 'file', 'second']);
    const file = found.get('file');
    assert.deepEqual([file?.uid, file?.gid, file?.mode], [4_294_967_294, 2_097_152, 0o6755]);
    assert.deepEqual([...(file?.xattrs ?? [])].map(([name, value]) => [name, value.toString('hex')]).sort(), [
      ['security.capability', CAPABILITY.toString('hex')],
      ['user.note', '6e'],
    ]);
    assert.deepEqual([found.get('second')?.type, found.get('second')?.linkName], ['link', 'file']);
    const { devMajor, devMinor, type } = found.get('char') ?? {};
    assert.deepEqual([type, devMajor, devMinor], ['char', 259, 70_000]);
    assert.equal(found.get('fifo')?.type, 'fifo');
  });

  it('has whole seconds, rounded down also before 1970', async () => {
    using home = place();
    writeFileSync(join(home.root, 'new'), '');
    utimesSync(join(home.root, 'new'), 1.9, 1.9);
    symlinkSync('x', join(home.root, 'old'));
    using root = openat2(home.root, '.', { flags: O.PATH });
    utimensat(root, 'old', { atimeNs: 0n, mtimeNs: -1_500_000_000n });
    const [fresh, old] = await entries(packView(home.view(), { path: '/', name: '', contentsOnly: true }));
    assert.deepEqual([fresh?.mtimeNs, old?.mtimeNs], [1_000_000_000n, -2_000_000_000n]);
  });

  it('has sparse files whole, read by their data alone', async () => {
    using home = place();
    const path = join(home.root, 'sparse');
    const fd = openSync(path, 'w');
    truncateSync(path, 64 << 20);
    writeSync(fd, 'middle', 33_333_333);
    writeSync(fd, 'end', (64 << 20) - 3);
    closeSync(fd);
    const [file] = await entries(packView(home.view(), { path: '/sparse', name: 'sparse' }));
    assert.equal(file?.content.length, 64 << 20);
    assert.equal(file.content.toString('latin1', 33_333_333, 33_333_339), 'middle');
    assert.equal(file.content.toString('latin1', (64 << 20) - 3), 'end');
    assert.equal(
      file.content.subarray(0, 33_333_333).every((byte) => byte === 0),
      true,
    );
  });

  it('shows what is mounted, and not what that hides; also where the root has nothing', async () => {
    using home = place();
    for (const path of ['d/vol', 'd/vol/hidden', 'd/sub'])
      mkdirSync(join(home.root, path), { recursive: true });
    writeFileSync(join(home.root, 'd/hosts'), 'image');
    writeFileSync(join(home.one, 'hosts'), 'mounted');
    mkdirSync(join(home.one, 'deep'));
    writeFileSync(join(home.two, 'inner'), 'inner');
    const view = home.view(
      ['/d/hosts', join(home.one, 'hosts')],
      ['/d/vol', home.one],
      ['/d/vol/deep', home.two, true],
      ['/d/fresh', home.two],
      ['/elsewhere/x', home.two],
    );
    const found = await entries(packView(view, { path: '/d', name: 'd' }));
    assert.deepEqual(
      found.map(({ name }) => name),
      [
        'd/',
        'd/fresh/',
        'd/fresh/inner',
        'd/hosts',
        'd/sub/',
        'd/vol/',
        'd/vol/deep/',
        'd/vol/deep/inner',
        'd/vol/hosts',
      ],
    );
    assert.equal(found.find(({ name }) => name === 'd/hosts')?.content.toString(), 'mounted');
    assert.deepEqual(await names(packView(view, { path: '/d/vol/deep', name: 'deep' })), [
      'deep/',
      'deep/inner',
    ]);
  });

  it('crosses what is mounted on the host beneath, as a container with it would', async () => {
    using home = place();
    mkdirSync(join(home.one, 'sub'));
    writeFileSync(join(home.two, 'file'), 'x');
    mount({ source: home.two, target: join(home.one, 'sub'), flags: ['bind'] });
    try {
      assert.deepEqual(
        await names(packView(home.view(['/vol', home.one]), { path: '/', name: '', contentsOnly: true })),
        ['vol/', 'vol/sub/', 'vol/sub/file'],
      );
    } finally {
      umount(join(home.one, 'sub'));
    }
  });

  it('is read by GNU tar as it was', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd'));
    writeFileSync(join(home.root, 'd', 'n'.repeat(200)), 'long');
    writeFileSync(join(home.root, 'd/ünïcödé'), 'text');
    const parts: Buffer[] = [];
    for await (const part of packView(home.view(), { path: '/d', name: 'd' })) parts.push(part);
    execFileSync('tar', ['xf', '-', '-C', home.two], { input: Buffer.concat(parts) });
    execFileSync('diff', ['-r', join(home.root, 'd'), join(home.two, 'd')]);
  });
});

describe('the packing', () => {
  it('holds nothing once it ended, was left, failed or was cancelled', async () => {
    using home = place();
    mkdirSync(join(home.root, 'a/b/c'), { recursive: true });
    writeFileSync(join(home.root, 'a/b/c/file'), Buffer.alloc(8 << 20));
    const view = home.view();
    await names(packView(view, { path: '/a', name: 'a' }));
    const before = descriptors();
    for (let stop = 1; stop < 8; stop++) {
      let seen = 0;
      for await (const _piece of packView(view, { path: '/a', name: 'a' })) if (++seen === stop) break;
      assert.equal(descriptors(), before, `left after ${stop} pieces`);
    }
    const missing = names(packView(view, { path: '/none/x', name: 'x' }));
    await assert.rejects(
      missing,
      (thrown) => isErrno(thrown, 'ENOENT') && (thrown as { kind?: string }).kind === 'not-found',
    );
    await assert.rejects(names(packView(view, { path: '/none', name: 'x' })), (thrown) =>
      isErrno(thrown, 'ENOENT'),
    );
    const cancel = new AbortController();
    await assert.rejects(async () => {
      for await (const _piece of packView(view, { path: '/a', name: 'a', signal: cancel.signal }))
        cancel.abort();
    }, /cancelled/);
    await assert.rejects(
      names(packView(view, { path: '/a', name: 'a', signal: cancel.signal })),
      /cancelled/,
    );
    assert.equal(descriptors(), before);
  });

  it('of many at once goes on for each while others rest', async () => {
    using home = place();
    writeFileSync(join(home.root, 'file'), Buffer.alloc(8 << 20, 'x'));
    const view = home.view();
    const resting = Array.from({ length: 6 }, () => packView(view, { path: '/file', name: 'f' }));
    for (const one of resting) await one.next();
    assert.deepEqual(await names(packView(view, { path: '/file', name: 'f' })), ['f']);
    for (const one of resting)
      assert.equal((await entries(one as AsyncIterable<Buffer>).catch(() => [])).length, 0);
  });

  it('clamps times when asked, so that the same content has the same bytes', async () => {
    using home = place();
    const bytes = async () => {
      const parts: Buffer[] = [];
      for await (const part of packTree(home.root, { mode: 'tree', clampTimeNs: 5_000_000_000n }))
        parts.push(part);
      return Buffer.concat(parts);
    };
    writeFileSync(join(home.root, 'a'), 'x');
    writeFileSync(join(home.root, 'early'), 'x');
    utimesSync(join(home.root, 'early'), 3, 3);
    const first = await bytes();
    utimesSync(join(home.root, 'a'), 1_000_000, 1_000_000);
    assert.ok(first.equals(await bytes()));
    const times = (await entries(packTree(home.root, { mode: 'tree', clampTimeNs: 5_000_000_000n }))).map(
      (entry) => entry.mtimeNs,
    );
    assert.deepEqual(times, [5_000_000_000n, 3_000_000_000n]);
  });
});
