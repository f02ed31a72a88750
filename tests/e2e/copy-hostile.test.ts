import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { archive, tarFrom, tarNames } from './support/archive.ts';
import { importImage } from './support/images.ts';
import { execute, needsOwnDaemon, useDaemon } from './support/index.ts';

const CANARY = 'CANARY-OF-THE-HOST';
const COPIES = 2_000;
const AT_ONCE = 4;
const EXCHANGE = fileURLToPath(new URL('support/exchange.ts', import.meta.url));

/** All that a folder holds, as one text. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    const { mode, uid, gid, mtimeNs } = lstatSync(path, { bigint: true });
    hash.update(`${name} ${mode} ${uid} ${gid} ${mtimeNs}\n`);
    if (lstatSync(path).isFile()) hash.update(readFileSync(path));
    if (lstatSync(path).isSymbolicLink()) hash.update(readlinkSync(path));
  }
  return hash.digest('hex');
}

describe('copies and a hostile container', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const work = (name: string) => {
    const path = join(engine.temporary, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  /** Swaps names inside the container's root by two means at once. */
  async function swapper(container: string, folder: string, one: string, other: string) {
    const pid = await engine.inspect(container, '{{.State.Pid}}');
    const child: ChildProcess = spawn(
      process.execPath,
      [EXCHANGE, `/proc/${pid}/root${folder}`, one, other],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    return {
      async [Symbol.asyncDispose]() {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      },
    };
  }

  for (const [kind, target] of [
    ['absolute', '/'],
    ['climbing', '../../../../../../../../../..'],
  ] as const) {
    it(`2,000 copies while a folder and an ${kind} link to the root are swapped`, async () => {
      const host = work(`host-${kind}`);
      writeFileSync(join(host, 'secret'), CANARY);
      mkdirSync(join(host, 'vol'));
      writeFileSync(join(host, 'vol/inner'), CANARY);
      const before = fingerprint(host);
      const name = `swap-${kind}`;
      const volumes = ['one', 'two/deep', 'three'].flatMap((at, index) => [
        '-v',
        `${name}-${index}:/swap/real${host}/vol/${at}`,
      ]);
      await engine.ok(
        ...['run', '-d', '--name', name, ...volumes, 'busybox', 'sh', '-c'],
        `echo inside >/swap/real${host}/secret; ln -s ${target} /swap/link; sleep 1000`,
      );
      const dropped = work(`drop-${kind}`);
      writeFileSync(join(dropped, 'drop'), 'from a client');
      const drop = tarFrom(dropped, 'drop');
      const inside = (path: string) => `/swap/real${host}${path}`;
      const seen = new Map<number, number>();
      {
        await using _ = await swapper(name, '/swap', 'real', 'link');
        let left = COPIES;
        const lane = async () => {
          while (left > 0) {
            const turn = left--;
            const path = inside(['/secret', '/vol', '/vol/one', '/vol/two/deep', ''][turn % 5] as string);
            const answer =
              turn % 2 === 0
                ? await archive(engine, 'GET', name, path)
                : await archive(engine, 'PUT', name, dirname(inside('/vol/three/x')), drop);
            assert.ok(!answer.body.includes(CANARY), `${path}: ${answer.body.subarray(0, 2048)}`);
            seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, lane));
      }
      assert.equal(fingerprint(host), before);
      // Both forms of the tree were met, and nothing but found and not found came of it.
      assert.ok((seen.get(200) ?? 0) > 0 && (seen.get(404) ?? 0) > 0, JSON.stringify([...seen]));
      assert.deepEqual(
        [...seen.keys()].filter((status) => ![200, 404, 500].includes(status)),
        [],
      );
      await engine.ok('rm', '-f', name);
      await engine.ok('volume', 'rm', ...[0, 1, 2].map((index) => `${name}-${index}`));
    });
  }

  it('links that a container left behind lead nowhere when it is stopped', async () => {
    const host = work('left-behind');
    writeFileSync(join(host, 'secret'), CANARY);
    const before = fingerprint(host);
    const links = `mkdir /d; ln -s / /root-link; ln -s ../../../../../..${host} /climb; ln -s ${host} /d/abs; ln -s /proc/self/root /magic; ln -s /proc/1/root${host} /d/proc`;
    await engine.ok('run', '--name', 'left', '-v', 'left-v:/d/vol', 'busybox', 'sh', '-c', links);
    const file = tarFrom(host, 'secret').toString('latin1').replaceAll(CANARY, 'x'.repeat(CANARY.length));
    for (const path of ['/root-link', '/climb', '/climb/', '/d/abs/', '/magic/', '/d/proc/', '/d', '/']) {
      const out = await archive(engine, 'GET', 'left', path);
      assert.ok(!out.body.includes(CANARY), path);
      await archive(engine, 'PUT', 'left', path, Buffer.from(file, 'latin1'));
      assert.equal(fingerprint(host), before, path);
    }
    await engine.ok('rm', 'left');
    await engine.ok('volume', 'rm', 'left-v');
  });

  it('a volume below an absolute link is met by copies as by the container', async () => {
    await importImage(engine, 'linked', ['CMD ["sleep", "1000"]'], (tree) => {
      mkdirSync(join(tree, 'run'));
      mkdirSync(join(tree, 'var'));
      symlinkSync('/run', join(tree, 'var/run'));
    });
    await engine.ok('run', '-d', '--name', 'linked', '-v', 'linked-v:/var/run/data', 'linked');
    const folder = work('linked');
    writeFileSync(join(folder, 'file'), 'through');
    for (const state of ['running', 'stopped']) {
      assert.equal(
        (await archive(engine, 'PUT', 'linked', '/var/run/data', tarFrom(folder, 'file'))).status,
        200,
      );
      const out = await archive(engine, 'GET', 'linked', '/run/data');
      assert.deepEqual(tarNames(out.body), ['data/', 'data/file'], state);
      await engine.ok('kill', 'linked').catch(() => undefined);
      await engine.docker('wait', 'linked');
    }
    const volume = await engine.ok('volume', 'inspect', '--format', '{{.Mountpoint}}', 'linked-v');
    assert.equal(readFileSync(join(volume, 'file'), 'utf8'), 'through');
    await engine.ok('rm', '-f', 'linked');
    await engine.ok('volume', 'rm', 'linked-v');
  });

  it('nothing of the image is run or loaded: fake unpackers, a hostile name service', async () => {
    const fakes = ['xz', 'gzip', 'gunzip', 'unpigz', 'pigz', 'zstd', 'bzip2', 'tar'];
    await importImage(engine, 'fakes', ['USER daemon', 'CMD ["sleep", "1000"]'], (tree) => {
      mkdirSync(join(tree, 'usr/bin'), { recursive: true });
      mkdirSync(join(tree, 'lib/x86_64-linux-gnu'), { recursive: true });
      for (const fake of fakes) {
        for (const place of ['bin', 'usr/bin']) {
          writeFileSync(join(tree, place, fake), '#!/bin/sh\necho ran >>/marker\nenv >>/marker\n');
          chmodSync(join(tree, place, fake), 0o755);
        }
      }
      for (const place of ['lib', 'lib/x86_64-linux-gnu'])
        writeFileSync(join(tree, place, 'libnss_files.so.2'), 'not a library');
      writeFileSync(join(tree, 'etc/nsswitch.conf'), 'passwd: files hostile\n');
      writeFileSync(join(tree, 'etc/passwd'), 'daemon:x:77:78::/:/bin/sh\n');
    });
    await engine.ok('run', '-d', '--name', 'fakes', '-u', '0', 'fakes');
    await engine.ok('create', '--name', 'fakes-user', 'fakes');
    const folder = work('fakes');
    writeFileSync(join(folder, 'file'), 'packed');
    writeFileSync(join(folder, 'plain.tar'), tarFrom(folder, 'file'));
    for (const [program, suffix, status] of [
      ['gzip', 'gz', 200],
      ['zstd', 'zst', 200],
      ['xz', 'xz', 500],
      ['bzip2', 'bz2', 500],
    ] as const) {
      const packed = await execute(program, ['-k', '-f', join(folder, 'plain.tar')]);
      if (packed.code !== 0) continue;
      const body = readFileSync(join(folder, `plain.tar.${suffix}`));
      for (const container of ['fakes', 'fakes-user']) {
        const answer = await archive(engine, 'PUT', container, '/tmp', body, '&copyUIDGID=1');
        assert.equal(answer.status, status, `${program}: ${answer.body}`);
        await archive(engine, 'GET', container, '/');
      }
    }
    assert.equal((await archive(engine, 'GET', 'fakes', '/marker')).status, 404);
    assert.ok(!existsSync('/marker'));
    const owned = await archive(engine, 'GET', 'fakes-user', '/tmp/file');
    assert.equal(Number.parseInt(owned.body.toString('latin1', 108, 115), 8), 77);
    const loaded = readFileSync(`/proc/${engine.pid}/maps`, 'utf8');
    assert.doesNotMatch(loaded, /wharf-e2e.*libnss|mounts\/.*\.so/);
    await engine.ok('rm', '-f', 'fakes', 'fakes-user');
  });
});
