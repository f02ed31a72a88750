import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { answerOf, archive, archiveRequest, tarFrom, tarNames } from './support/archive.ts';
import { eventually, needsOwnDaemon, useDaemon } from './support/index.ts';

const MIB = 1 << 20;

describe('copying into and out of containers', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const work = (name: string) => {
    const path = join(engine.temporary, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  /** A tar with one file of so many bytes that no run of zeros makes small. */
  const large = (name: string, bytes: number) => {
    const folder = work(`large-${name}`);
    writeFileSync(join(folder, name), Buffer.alloc(bytes, 'x'));
    return tarFrom(folder, name);
  };

  it('the document of a path is the reference’s', async () => {
    await engine.ok(
      ...['run', '--name', 'doc', 'busybox', 'sh', '-c'],
      'mkdir -p -m 1777 /d; echo hi >/d/f; chmod 4755 /d/f; ln -s d /l; ln -s l /ll; mkfifo /d/p',
    );
    const stat = async (path: string) => (await archive(engine, 'HEAD', 'doc', path)).stat;
    assert.deepEqual(
      [
        (await stat('/d'))?.mode,
        (await stat('/d/f'))?.mode,
        (await stat('/l'))?.mode,
        (await stat('/d/p'))?.mode,
      ],
      [2 ** 31 + 2 ** 20 + 0o777, 2 ** 23 + 0o755, 2 ** 27 + 0o777, 2 ** 25 + 0o644],
    );
    assert.deepEqual(
      [
        (await stat('/ll'))?.linkTarget,
        (await stat('/ll/'))?.linkTarget,
        (await stat('/d/.'))?.name,
        (await stat('/'))?.name,
      ],
      ['/d', '', '.', '/'],
    );
    assert.equal((await stat('/d/f'))?.size, 3);
    assert.match((await stat('/d/f'))?.mtime ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const head = await engine.api('HEAD', '/containers/doc/archive?path=/nope');
    assert.deepEqual([head.status, head.text], [404, '']);
    const bare = await engine.api('GET', '/containers/doc/archive');
    assert.deepEqual(
      [bare.status, JSON.parse(bare.text).message],
      [400, 'bad parameter: pathcannot be empty'],
    );
    const nul = await engine.api('GET', '/containers/doc/archive?path=/d%00x');
    assert.deepEqual([nul.status, JSON.parse(nul.text).message], [500, 'lstat /d\0x: invalid argument']);
    await engine.ok('rm', 'doc');
  });

  it('a tmpfs of a running container is met, which the reference passes by', async () => {
    await engine.ok('run', '-d', '--name', 'temp', '--read-only', '--tmpfs', '/t', 'busybox', 'sleep', '100');
    const folder = work('temp');
    writeFileSync(join(folder, 'file'), 'in memory');
    assert.equal((await archive(engine, 'PUT', 'temp', '/t', tarFrom(folder, 'file'))).status, 200);
    assert.equal(await engine.ok('exec', 'temp', 'cat', '/t/file'), 'in memory');
    assert.deepEqual(tarNames((await archive(engine, 'GET', 'temp', '/t')).body), ['t/', 't/file']);
    assert.equal((await archive(engine, 'PUT', 'temp', '/etc', tarFrom(folder, 'file'))).status, 400);
    await engine.ok('rm', '-f', 'temp');
  });

  it('a bind is the one that the container has, though its name on the host leads elsewhere now', async () => {
    const host = work('renamed');
    mkdirSync(join(host, 'source'));
    writeFileSync(join(host, 'source/file'), 'bound');
    await engine.ok('run', '-d', '--name', 'bound', '-v', `${host}/source:/b`, 'busybox', 'sleep', '100');
    renameSync(join(host, 'source'), join(host, 'moved'));
    symlinkSync('/etc', join(host, 'source'));
    assert.deepEqual(tarNames((await archive(engine, 'GET', 'bound', '/b')).body), ['b/', 'b/file']);
    await engine.ok('rm', '-f', 'bound');
  });

  it('one copy feeds another of the same stopped container', async () => {
    await engine.ok('create', '--name', 'feeds', 'busybox');
    await archive(engine, 'PUT', 'feeds', '/tmp', large('fed', 16 * MIB));
    const put = archiveRequest(engine, 'PUT', 'feeds', '/var');
    const get = archiveRequest(engine, 'GET', 'feeds', '/tmp/fed');
    get.on('response', (incoming) => incoming.pipe(put));
    put.flushHeaders();
    get.end();
    assert.equal((await answerOf(put)).status, 200);
    assert.equal((await archive(engine, 'HEAD', 'feeds', '/var/fed')).stat?.size, 16 * MIB);
    await engine.ok('rm', 'feeds');
  });

  it('a start waits for a copy into the stopped container, and a client that goes away lets it go on', async () => {
    await engine.ok('create', '--name', 'waits', 'busybox', 'true');
    const put = archiveRequest(engine, 'PUT', 'waits', '/tmp');
    put.on('error', () => undefined);
    put.write(large('half', 4 * MIB).subarray(0, 2 * MIB));
    await eventually(
      async () => (await archive(engine, 'HEAD', 'waits', '/tmp/half')).status,
      (status) => status === 200,
      'the copy is under way',
    );
    let started = false;
    const start = engine.ok('start', 'waits').then(() => {
      started = true;
    });
    await delay(300);
    assert.equal(started, false);
    put.destroy();
    await start;
    await engine.ok('rm', '-f', 'waits');
  });

  it('a client that stops reading holds no running container', async () => {
    await engine.ok('run', '-d', '--name', 'stalls', 'busybox', 'sleep', '100');
    await archive(engine, 'PUT', 'stalls', '/tmp', large('big', 32 * MIB));
    const get = archiveRequest(engine, 'GET', 'stalls', '/tmp/big');
    get.on('error', () => undefined).on('response', (incoming) => incoming.pause());
    get.end();
    await delay(200);
    await engine.ok('kill', 'stalls');
    await engine.ok('wait', 'stalls');
    get.destroy();
    await engine.ok('rm', 'stalls');
  });

  for (const direction of ['into', 'out of'] as const) {
    it(`the daemon is killed in the middle of a copy ${direction} a stopped container`, async () => {
      const name = `killed-${direction === 'into' ? 'in' : 'out'}`;
      await engine.ok('create', '--name', name, '-v', `${name}-v:/vol`, 'busybox', 'cat', '/vol/kept');
      const folder = work(name);
      writeFileSync(join(folder, 'kept'), 'kept');
      await archive(engine, 'PUT', name, '/vol', tarFrom(folder, 'kept'));
      const body = large('half', 16 * MIB);
      await archive(engine, 'PUT', name, '/tmp', body);
      const under = archiveRequest(
        engine,
        direction === 'into' ? 'PUT' : 'GET',
        name,
        direction === 'into' ? '/var' : '/tmp',
      );
      under
        .on('error', () => undefined)
        .on('response', (incoming) => incoming.on('error', () => undefined).pause());
      if (direction === 'into') under.write(body.subarray(0, 8 * MIB));
      else under.end();
      await delay(200);
      await engine.kill();
      await engine.run();
      const doctor = await engine.wharf('doctor', '--verify');
      assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
      assert.equal((await archive(engine, 'PUT', name, '/var', body)).status, 200);
      assert.equal((await archive(engine, 'HEAD', name, '/var/half')).stat?.size, 16 * MIB);
      assert.equal(await engine.ok('start', '-a', name), 'kept');
      const volume = await engine.ok('volume', 'inspect', '--format', '{{.Mountpoint}}', `${name}-v`);
      assert.equal(readFileSync(join(volume, 'kept'), 'utf8'), 'kept');
      await engine.ok('rm', name);
      await engine.ok('volume', 'rm', `${name}-v`);
    });
  }
});
