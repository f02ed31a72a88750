import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lgetxattr, lsetxattr } from '../../src/sys/index.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

/** CAP_NET_RAW, permitted and effective (`vfs_cap_data`, revision 2). */
const CAPABILITY = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

const FIRST = `mkdir -p /t/opaque/sub /t/gone/sub /t/again/x /t/folder /t/sticky; chmod 1777 /t/sticky
echo 1 > /t/opaque/f; echo 1 > /t/gone/sub/f; echo 1 > /t/again/x/old; echo 1 > /t/folder/f; echo 1 > /t/file; ln -s opaque /t/link
echo hard > /t/h1; ln /t/h1 /t/h2; echo 1 > /t/cap; chmod 4755 /t/cap; mkfifo -m 622 /t/fifo; mknod /t/node c 1 3
echo 1 > /t/big-id; chown 2147483653:4294967294 /t/big-id; truncate -s 5M /t/sparse; echo end >> /t/sparse
echo 1 > "/t/$(printf 'n%.0s' $(seq 255))"; echo 1 > "$(printf '/t/\\351\\377 latin')"; echo 1 > "$(printf '/t/new\\nline')"
touch -d @86399 /t/file; echo 1 > /t/.wh`;

const SECOND = `rm -r /t/gone /t/opaque /t/again/x /t/folder /t/link; mkdir /t/opaque /t/again/x /t/link; echo 2 > /t/again/x/new
echo 2 > /t/folder; rm /t/file; mkdir /t/file; echo 2 > /t/file/f; rm /t/h2; ln /t/h1 /t/h3; chmod 700 /t/sticky; rm /t/fifo /t/node
echo 2 > /t/node; rm "$(printf '/t/\\351\\377 latin')"; chown 5:6 /t/cap`;

const CHANGED = [
  'A /t/again/x/new',
  'A /t/file/f',
  'A /t/h3',
  'C /t',
  'C /t/again',
  'C /t/again/x',
  'C /t/cap',
  'C /t/file',
  'C /t/folder',
  'C /t/link',
  'C /t/node',
  'C /t/opaque',
  'C /t/sticky',
  'D /t/again/x/old',
  'D /t/fifo',
  'D /t/gone',
  'D /t/h2',
  'D /t/opaque/f',
  'D /t/opaque/sub',
  'D /t/\uFFFD\uFFFD latin',
];

describe('trees in committed images', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const tree = async (container: string) => {
    const file = join(engine.temporary, `${container}.tar`);
    await engine.ok('export', '-o', file, container);
    const listed = execFileSync('tar', ['--numeric-owner', '--full-time', '-tvf', file, 't'], {
      encoding: 'latin1',
    });
    const content = execFileSync('tar', ['-xOf', file, 't'], { maxBuffer: 1 << 24 }).toString('latin1');
    rmSync(file);
    // Which of a file's names is the link, and so its size, is the packer's to choose.
    return { names: listed.trimEnd().split('\n').sort(), content };
  };
  const seen = async (image: string) => {
    await engine.ok('create', '--name', 'seen', image);
    try {
      assert.equal(await engine.ok('diff', 'seen'), '');
      return await tree('seen');
    } finally {
      await engine.ok('rm', 'seen');
    }
  };
  const inside = async (container: string, path: string) =>
    join(`/proc/${await engine.inspect(container, '{{.State.Pid}}')}/root`, path);

  it('are what the container had, layer upon layer, and the same from an archive', async () => {
    await engine.ok('run', '-d', '--name', 'first', 'busybox', 'sleep', '1000');
    await engine.ok('exec', 'first', 'sh', '-c', FIRST);
    lsetxattr(await inside('first', 't/cap'), 'security.capability', CAPABILITY);
    lsetxattr(await inside('first', 't/sparse'), 'user.kept', Buffer.from('a\0=\n'));
    await engine.ok('commit', 'first', 'tree:1');
    assert.deepEqual(await seen('tree:1'), await tree('first'));

    await engine.ok('run', '-d', '--name', 'second', 'tree:1', 'sleep', '1000');
    assert.deepEqual(lgetxattr(await inside('second', 't/cap'), 'security.capability'), CAPABILITY);
    await engine.ok('exec', 'second', 'sh', '-c', SECOND);
    const changed = (await engine.ok('diff', 'second')).split('\n');
    assert.deepEqual(changed.sort(), CHANGED.toSorted());
    await engine.ok('commit', '--pause=false', 'second', 'tree:2');
    const wanted = await tree('second');
    assert.deepEqual(await seen('tree:2'), wanted);

    const archive = join(engine.temporary, 'tree.tar');
    const id = await engine.inspect('tree:2', '{{.Id}}');
    await engine.ok('save', '-o', archive, 'tree:2');
    await engine.ok('rm', '-f', 'first', 'second');
    await engine.ok('rmi', 'tree:2', 'tree:1');
    await engine.ok('load', '-i', archive);
    assert.equal(await engine.inspect('tree:2', '{{.Id}}'), id);
    assert.deepEqual(await seen('tree:2'), wanted);
    await engine.ok('run', '-d', '--name', 'last', 'tree:2', 'sleep', '1000');
    assert.equal(lgetxattr(await inside('last', 't/sparse'), 'user.kept')?.toString('latin1'), 'a\0=\n');
    // A change of owner takes capabilities away, as the kernel does anywhere.
    assert.equal(lgetxattr(await inside('last', 't/cap'), 'security.capability'), undefined);
    await engine.ok('rm', '-f', 'last');
    await engine.ok('rmi', 'tree:2');
  });

  it('are there whole or not at all for a container that starts while its image goes', async () => {
    for (const force of [[], ['-f'], ['-f']]) {
      await engine.ok(
        'run',
        '--name',
        'maker',
        'busybox',
        'sh',
        '-c',
        'dd if=/dev/urandom of=/f bs=1M count=20',
      );
      await engine.ok('commit', 'maker', 'going');
      await engine.ok('rm', 'maker');
      const [run, gone, pruned] = await Promise.all([
        engine.docker('run', '--rm', '--pull', 'never', 'going', 'wc', '-c', '/f'),
        engine.docker('rmi', ...force, 'going'),
        engine.docker('image', 'prune', '-f'),
      ]);
      if (run.code === 0) assert.equal(run.stdout.trim(), '20971520 /f');
      else assert.match(run.stderr, /No such image: going/);
      assert.ok(run.code === 0 || gone.code === 0, gone.stderr);
      assert.equal(pruned.code, 0, pruned.stderr);
      await engine.docker('rmi', '-f', 'going');
      const { code, stdout, stderr } = await engine.wharf('doctor', '--verify');
      assert.equal(code, 0, stdout + stderr);
    }
  });
});
