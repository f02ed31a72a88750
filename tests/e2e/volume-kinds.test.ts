import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { mount, umount } from '../../src/sys/index.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

describe('kinds of volumes and mounts', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const run = (...args: string[]) => engine.ok('run', '--rm', ...args);
  const volume = (name: string, ...options: string[]) =>
    engine.ok('volume', 'create', ...options.flatMap((option) => ['-o', option]), name);

  it('a tmpfs and a bind are mounted with their options, and only while they are used', async () => {
    await volume('mem', 'type=tmpfs', 'device=tmpfs', 'o=size=3m,noexec,uid=1000');
    const shown = await run('-v', 'mem:/d', 'busybox', 'sh', '-c', 'grep " /d " /proc/mounts; stat -c %u /d');
    assert.match(shown, /^tmpfs \/d tmpfs \S*noexec\S*size=3072k\S* 0 0\n1000$/);
    const host = join(engine.temporary, 'host');
    mkdirSync(host);
    writeFileSync(join(host, 'file'), 'there');
    await volume('bound', 'type=none', 'o=bind,ro', `device=${host}`);
    assert.equal(await run('-v', 'bound:/d', 'busybox', 'cat', '/d/file'), 'there');
    assert.match(
      await run('-v', 'bound:/d', 'busybox', 'sh', '-c', 'touch /d/x 2>&1; true'),
      /Read-only file system/,
    );
    await engine.ok('volume', 'rm', 'mem', 'bound');
    assert.equal(readFileSync(join(host, 'file'), 'utf8'), 'there');
  });

  it('a size is kept', async () => {
    await volume('small', 'size=8m');
    const written = await run(
      '-v',
      'small:/d',
      'busybox',
      'sh',
      '-c',
      'ls /d; dd if=/dev/zero of=/d/f bs=1M count=20 2>&1; true',
    );
    assert.match(written, /No space left on device|Disk quota exceeded/);
    assert.match(await run('-v', 'small:/d', 'busybox', 'ls', '/d'), /^f$/);
    await engine.ok('volume', 'rm', 'small');
  });

  it('an image is mounted read-only, whole or a part, and kept while its container is there', async () => {
    const mount = ['--mount', 'type=image,src=busybox,dst=/d,image-subpath=bin'];
    assert.match(
      await run(...mount, 'busybox', 'sh', '-c', 'test -e /d/ls && echo there; touch /d/x 2>&1; true'),
      /^there\ntouch: \/d\/x: Read-only file system$/,
    );
    await engine.ok('create', '--name', 'holds', ...mount, 'busybox', 'true');
    assert.equal(await engine.ok('start', '-a', 'holds'), '');
    assert.equal(await engine.ok('start', '-a', 'holds'), '');
    await engine.ok('create', '--name', 'heir', '--volumes-from', 'holds', 'busybox', 'ls', '/d/ls');
    await engine.ok('rm', 'holds');
    assert.equal(await engine.ok('start', '-a', 'heir'), '/d/ls');
    await engine.ok('rm', 'heir');
  });

  it('a subpath follows links within its volume, and none that leave it', async () => {
    await run(
      '-v',
      'sub:/v',
      'busybox',
      'sh',
      '-c',
      'mkdir /v/in; touch /v/in/f; ln -s in /v/link; ln -s /etc /v/out',
    );
    const at = (path: string) => ['--mount', `type=volume,src=sub,dst=/d,volume-subpath=${path}`];
    assert.equal(await run(...at('link'), 'busybox', 'ls', '/d'), 'f');
    const refused = await engine.docker('run', '--rm', ...at('out'), 'busybox', 'true');
    assert.match(refused.stderr, /path concatenation escapes the base directory/);
    await engine.ok('volume', 'rm', 'sub');
  });

  it('what the mount of a bound folder forbids stays forbidden, of the mounts below it, too', async () => {
    const top = join(engine.temporary, 'restricted');
    mkdirSync(top);
    mount({ source: 'tmpfs', target: top, type: 'tmpfs', flags: ['nosuid', 'nodev', 'noexec'] });
    try {
      const below = join(top, 'below');
      mkdirSync(below);
      mount({ source: 'tmpfs', target: below, type: 'tmpfs', flags: ['nosuid', 'nodev', 'noexec'] });
      mount({ source: 'none', target: below, flags: ['remount', 'bind', 'ro', 'nosuid', 'nodev', 'noexec'] });
      const words = async (...args: string[]) => {
        const shown = await run(...args, 'busybox', 'grep', '^tmpfs /d[ /]', '/proc/mounts');
        return shown.split('\n').map((line) => /^tmpfs (\S+) tmpfs (\S*?noexec)/.exec(line)?.slice(1));
      };
      const writable = [
        ['/d', 'rw,nosuid,nodev,noexec'],
        ['/d/below', 'ro,nosuid,nodev,noexec'],
      ];
      const locked = writable.map(([path]) => [path, 'ro,nosuid,nodev,noexec']);
      assert.deepEqual(await words('-v', `${top}:/d`), writable);
      assert.deepEqual(await words('--mount', `type=bind,src=${top},dst=/d`), writable);
      assert.deepEqual(await words('-v', `${top}:/d:ro`), locked);
      assert.deepEqual(await words('--mount', `type=bind,src=${top},dst=/d,readonly`), locked);
      mount({ source: 'none', target: top, flags: ['remount', 'bind', 'ro', 'nosuid', 'nodev', 'noexec'] });
      assert.deepEqual(await words('-v', `${top}:/d`), locked);
    } finally {
      umount(top, { detach: true });
    }
  });
});
