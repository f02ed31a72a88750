import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { importImage } from './support/images.ts';
import { execute, needsOwnDaemon, useDaemon } from './support/index.ts';

describe('volumes and mounts', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const run = (...args: string[]) => engine.ok('run', '--rm', ...args);
  const folder = (name: string) => {
    const path = join(engine.temporary, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  it('a named volume keeps what is written, beyond its containers', async () => {
    await run('-v', 'kept:/data', 'busybox', 'sh', '-c', 'echo written > /data/file');
    assert.equal(await run('-v', 'kept:/other', 'busybox', 'cat', '/other/file'), 'written');
    assert.equal(
      await run(
        '--mount',
        'type=volume,src=kept,dst=/m,readonly',
        'busybox',
        'sh',
        '-c',
        'cat /m/file; touch /m/x 2>&1 || true',
      ),
      'written\ntouch: /m/x: Read-only file system',
    );
    const busy = engine.session(
      'run',
      '--rm',
      '--name',
      'busy',
      '-v',
      'kept:/d',
      'busybox',
      'sh',
      '-c',
      'echo up; sleep 60',
    );
    await busy.until('up');
    assert.match((await engine.docker('volume', 'rm', 'kept')).stderr, /volume is in use/);
    await engine.ok('rm', '-f', 'busy');
    await busy.exited;
    await engine.ok('volume', 'rm', 'kept');
  });

  it('a fresh volume gets what the image has there, with owner and mode', async () => {
    await importImage(engine, 'filled', ['VOLUME /data', 'CMD ["sh"]'], (tree) => {
      mkdirSync(join(tree, 'data/sub'), { recursive: true, mode: 0o750 });
      writeFileSync(join(tree, 'data/sub/file'), 'from the image', { mode: 0o640 });
    });
    assert.equal(
      await run(
        '-v',
        'fresh:/data',
        'filled',
        'sh',
        '-c',
        'cat /data/sub/file; stat -c %a /data/sub /data/sub/file',
      ),
      'from the image750\n640',
    );
    await run('-v', 'fresh:/data', 'filled', 'sh', '-c', 'echo changed > /data/sub/file');
    assert.equal(await run('-v', 'fresh:/data', 'filled', 'cat', '/data/sub/file'), 'changed');
    const without = await run('-v', 'empty:/data:nocopy', 'filled', 'ls', '/data');
    assert.equal(without, '');
    await engine.ok('volume', 'rm', 'fresh', 'empty');
  });

  it('anonymous volumes go with rm -v and with --rm, and stay otherwise', async () => {
    const volumes = async () => (await engine.ok('volume', 'ls', '-q')).split('\n').filter(Boolean);
    await run('filled', 'true');
    assert.deepEqual(await volumes(), []);
    await engine.ok('run', '--name', 'stays', 'filled', 'true');
    assert.equal((await volumes()).length, 1);
    await engine.ok('rm', 'stays');
    assert.equal((await volumes()).length, 1);
    await engine.ok('volume', 'prune', '--force');
    assert.deepEqual(await volumes(), []);
    await engine.ok('run', '--name', 'goes', 'filled', 'true');
    await engine.ok('rm', '-v', 'goes');
    assert.deepEqual(await volumes(), []);
  });

  it('--volumes-from takes over mounts, read-only when asked', async () => {
    const bound = folder('from');
    await engine.ok('create', '--name', 'source', '-v', 'shared:/named', '-v', `${bound}:/bound`, 'busybox');
    await run('--volumes-from', 'source', 'busybox', 'sh', '-c', 'echo 1 > /named/a; echo 2 > /bound/b');
    assert.equal(readFileSync(join(bound, 'b'), 'utf8'), '2\n');
    const { code, stderr } = await engine.docker(
      'run',
      '--rm',
      '--volumes-from',
      'source:ro',
      'busybox',
      'touch',
      '/named/x',
    );
    assert.equal(code, 1);
    assert.match(stderr, /Read-only file system/);
    await engine.ok('rm', 'source');
    await engine.ok('volume', 'rm', 'shared');
  });

  it('binds show the host both ways, files as well', async () => {
    const path = folder('bound');
    writeFileSync(join(path, 'file'), 'host');
    assert.equal(
      await run('-v', `${path}:/b`, 'busybox', 'sh', '-c', 'cat /b/file; echo inside > /b/new'),
      'host',
    );
    assert.equal(readFileSync(join(path, 'new'), 'utf8'), 'inside\n');
    assert.equal(
      await run(
        '-v',
        `${path}/file:/etc/one:ro`,
        'busybox',
        'sh',
        '-c',
        'cat /etc/one; echo x 2>/dev/null > /etc/one || echo refused',
      ),
      'hostrefused',
    );
    const made = join(path, 'made/by/engine');
    await run('-v', `${made}:/m`, 'busybox', 'true');
    assert.ok(statSync(made).isDirectory());
    const missing = await engine.docker(
      'run',
      '--rm',
      '--mount',
      `type=bind,src=${path}/nowhere,dst=/m`,
      'busybox',
      'true',
    );
    assert.equal(missing.code, 125);
    assert.match(missing.stderr, /bind source path does not exist: /);
    assert.ok(!existsSync(`${path}/nowhere`));
  });

  it('read-only binds are so with what is mounted below them', async () => {
    const path = folder('deep');
    const below = folder('deep/below');
    await execute('mount', ['-t', 'tmpfs', 'tmpfs', below]);
    try {
      const { stdout } = await engine.docker(
        'run',
        '--rm',
        '-v',
        `${path}:/b:ro`,
        'busybox',
        'sh',
        '-c',
        'touch /b/below/x 2>&1; touch /b/y 2>&1; true',
      );
      assert.equal(stdout.match(/Read-only file system/g)?.length, 2, stdout);
      assert.ok(!existsSync(join(below, 'x')));
    } finally {
      await execute('umount', [below]);
    }
  });

  it('mounts propagate as asked', async () => {
    const path = folder('propagated');
    await execute('mount', ['--bind', path, path]);
    await execute('mount', ['--make-shared', path]);
    try {
      mkdirSync(join(path, 'later'));
      for (const [mode, seen] of [
        ['rslave', 'there'],
        ['rprivate', 'none'],
      ] as const) {
        await engine.ok(
          'run',
          '-d',
          '--name',
          'watcher',
          '-v',
          `${path}:/p:${mode}`,
          'busybox',
          'sleep',
          '60',
        );
        await execute('mount', ['-t', 'tmpfs', 'tmpfs', join(path, 'later')]);
        writeFileSync(join(path, 'later/there'), '');
        const look = await engine.ok('exec', 'watcher', 'sh', '-c', 'ls /p/later | grep . || echo none');
        await execute('umount', [join(path, 'later')]);
        assert.equal(look, seen, mode);
        await engine.ok('rm', '-f', 'watcher');
      }
    } finally {
      await execute('umount', [path]);
    }
    const unshared = folder('unshared');
    await execute('mount', ['--bind', '--make-private', unshared, unshared]);
    const { code, stderr } = await engine.docker(
      'run',
      '--rm',
      '-v',
      `${unshared}:/p:shared`,
      'busybox',
      'true',
    );
    await execute('umount', [unshared]);
    assert.equal(code, 125);
    assert.match(stderr, /is mounted on .* but it is not a shared mount/);
  });

  it('tmpfs mounts have size and mode', async () => {
    const text = await run(
      '--tmpfs',
      '/t:size=1m,mode=1770',
      'busybox',
      'sh',
      '-c',
      'stat -c %a /t; grep " /t " /proc/mounts',
    );
    assert.match(text, /^1770\ntmpfs \/t tmpfs .*size=1024k/);
    const mount = await run(
      '--mount',
      'type=tmpfs,dst=/m,tmpfs-size=2097152',
      'busybox',
      'grep',
      ' /m ',
      '/proc/mounts',
    );
    assert.match(mount, /size=2048k/);
    const shm = await run('--shm-size', '8m', 'busybox', 'grep', ' /dev/shm ', '/proc/mounts');
    assert.match(shm, /size=8192k/);
  });

  it('a mount target that the image made a link stays within the container', async () => {
    const canary = folder('canary');
    await importImage(engine, 'tricky', ['CMD ["sh"]'], (tree) => symlinkSync(canary, join(tree, 'data')));
    await engine.docker(
      'run',
      '--rm',
      '-v',
      'tricked:/data/sub',
      'tricky',
      'sh',
      '-c',
      'echo x > /data/sub/file',
    );
    assert.ok(!existsSync(join(canary, 'sub')), 'nothing was made on the host');
    await engine.ok('volume', 'rm', '--force', 'tricked');
  });

  it('volumes list, inspect and prune by label', async () => {
    await engine.ok('volume', 'create', '--label', 'team=blue', 'labelled');
    assert.equal(await engine.ok('volume', 'ls', '-q', '--filter', 'label=team=blue'), 'labelled');
    const [shown] = JSON.parse(await engine.ok('volume', 'inspect', 'labelled'));
    assert.deepEqual([shown.Driver, shown.Scope, shown.Labels.team], ['local', 'local', 'blue']);
    assert.match(
      await engine.ok('volume', 'prune', '--all', '--force', '--filter', 'label=team=blue'),
      /^Deleted Volumes:\nlabelled/,
    );
    assert.match((await engine.docker('volume', 'inspect', 'labelled')).stderr, /no such volume/i);
  });
});
