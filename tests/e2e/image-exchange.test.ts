import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { importImage } from './support/images.ts';
import { eventually, execute, needsOwnDaemon, useDaemon } from './support/index.ts';

const noSkopeo = existsSync('/usr/bin/skopeo') ? false : 'skopeo is not installed';

/** Images go through other tools and back: digests stay. */
describe('images and skopeo', { skip: noSkopeo }, () => {
  const engine = useDaemon();
  const path = (name: string) => join(engine.temporary, name);

  async function skopeo(...args: string[]): Promise<void> {
    const { code, stderr } = await execute('skopeo', args);
    assert.equal(code, 0, stderr);
  }

  /** Digest of the only manifest of a layout. */
  function manifestOf(layout: string): string {
    const { manifests } = JSON.parse(readFileSync(join(path(layout), 'index.json'), 'utf8'));
    assert.equal(manifests.length, 1);
    return manifests[0].digest;
  }

  function configOf(layout: string): string {
    const manifest = join(path(layout), 'blobs/sha256', manifestOf(layout).slice(7));
    return JSON.parse(readFileSync(manifest, 'utf8')).config.digest;
  }

  const id = (name: string) => engine.inspect(name, '{{.Id}}');

  it('a docker-archive of ours becomes a layout, comes back and becomes the same one again', async () => {
    await engine.ok('save', '-o', path('first.tar'), 'busybox');
    await skopeo('copy', '-q', `docker-archive:${path('first.tar')}`, `oci:${path('first')}`);
    await skopeo('copy', '-q', `oci:${path('first')}`, `docker-archive:${path('back.tar')}:back:1`);
    assert.equal(await engine.ok('load', '-i', path('back.tar')), 'Loaded image: back:1');
    assert.equal(await id('back:1'), configOf('first'));
    await engine.ok('save', '-o', path('second.tar'), 'back:1');
    await skopeo('copy', '-q', `docker-archive:${path('second.tar')}`, `oci:${path('second')}`);
    assert.equal(manifestOf('second'), manifestOf('first'));
    assert.equal(await engine.ok('run', '--rm', 'back:1', 'echo', 'alive'), 'alive');
  });

  it('a layout is loaded, saved and read by either half with the very same manifest', async () => {
    await engine.ok('save', '-o', path('start.tar'), 'busybox');
    await skopeo(
      'copy',
      '-q',
      `docker-archive:${path('start.tar')}`,
      `oci:${path('came')}:docker.io/library/came:1`,
    );
    await execute('tar', ['-C', path('came'), '-cf', path('came.tar'), '.']);
    assert.equal(await engine.ok('load', '-i', path('came.tar')), 'Loaded image: came:1');
    assert.equal(await id('came:1'), configOf('came'));
    await engine.ok('save', '-o', path('saved.tar'), 'came:1');
    for (const kind of ['oci-archive', 'docker-archive']) {
      await skopeo('copy', '-q', `${kind}:${path('saved.tar')}`, `oci:${path(kind)}`);
      assert.equal(manifestOf(kind), manifestOf('came'), kind);
    }
    mkdirSync(path('unpacked'));
    await execute('tar', ['-C', path('unpacked'), '-xf', path('saved.tar')]);
    assert.equal(manifestOf('unpacked'), manifestOf('came'));
  });

  it('a name is saved with what it stands for, after a removal and a load, too', {
    skip: needsOwnDaemon,
  }, async () => {
    await engine.ok('save', '-o', path('again.tar'), 'came:1');
    await engine.ok('rmi', 'came:1');
    await engine.ok('load', '-i', path('again.tar'));
    await engine.ok('save', '-o', path('once-more.tar'), 'came:1');
    assert.deepEqual(readFileSync(path('once-more.tar')), readFileSync(path('again.tar')));
  });
});

describe('disk usage', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();

  /** Bytes on disk, as du(1) counts. */
  async function du(...paths: string[]): Promise<number> {
    const { stdout } = await execute('du', ['-s', '-c', '-B1', ...paths]);
    return Number.parseInt(stdout.trim().split('\n').at(-1) ?? '', 10);
  }

  async function df() {
    const { text } = await engine.api('GET', '/system/df');
    const usage = JSON.parse(text) as {
      LayersSize: number;
      Images: { Id: string; Size: number; SharedSize: number }[];
      Containers: { SizeRw?: number }[];
      Volumes: { UsageData: { Size: number } }[];
    };
    const containers = usage.Containers.reduce((sum, each) => sum + (each.SizeRw ?? 0), 0);
    const volumes = usage.Volumes.reduce((sum, each) => sum + each.UsageData.Size, 0);
    return { ...usage, total: usage.LayersSize + containers + volumes };
  }

  const near = (one: number, other: number) => Math.abs(one - other) <= other / 100;
  function within(one: number, other: number): void {
    assert.ok(near(one, other), `${one} and ${other} differ by more than a hundredth`);
  }

  it('is what du counts, with images, containers and volumes', async () => {
    const fill = (tree: string) => {
      mkdirSync(join(tree, 'many'));
      for (let at = 0; at < 800; at++) writeFileSync(join(tree, 'many', String(at)), 'x'.repeat(at * 3));
    };
    await importImage(engine, 'many', [], fill);
    await engine.ok('volume', 'create', 'data');
    const write =
      'dd if=/dev/urandom of=/data/v bs=1000 count=3000; dd if=/dev/urandom of=/w bs=1000 count=2000';
    await engine.ok('run', '--name', 'writer', '-v', 'data:/data', 'busybox', 'sh', '-c', write);
    await engine.ok('create', 'many', 'true');
    const roots = ['content', 'overlay', 'volumes'].map((name) => join(engine.dataRoot, name));
    const before = await df();
    within(before.total, await du(...roots));
    await engine.ok('rm', 'writer');
    await engine.ok('rmi', 'busybox');
    const after = await df();
    // What was removed is gone for everybody at once; its files go a moment later.
    await eventually(
      () => du(...roots),
      (bytes) => near(after.total, bytes),
      `du counts what df does, ${after.total}`,
    );
    assert.ok(after.total < before.total - 4_000_000, 'removal frees the disk at once');
  });

  it('shows of images what is theirs alone and what they share', async () => {
    await engine.ok('tag', 'many', 'many:again');
    const { Images, LayersSize } = await df();
    const [only] = Images;
    assert.equal(Images.length, 1);
    assert.equal(only?.SharedSize, 0);
    within(only?.Size ?? 0, LayersSize);
  });
});

describe('a daemon that is killed while images come and go', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const path = (name: string) => join(engine.temporary, name);

  /** Bytes under the folders that hold images. */
  async function onDisk(): Promise<number> {
    const { stdout } = await execute('du', ['-s', '-c', '-B1', ...['content', 'overlay', 'tmp'].map(inRoot)]);
    return Number.parseInt(stdout.trim().split('\n').at(-1) ?? '', 10);
  }
  const inRoot = (name: string) => join(engine.dataRoot, name);

  async function isSound(): Promise<void> {
    const { code, stdout, stderr } = await engine.wharf('doctor', '--verify');
    assert.equal(code, 0, stdout + stderr);
  }

  it('has them whole or not at all, and nothing is left of what is not there', async () => {
    const fill = (tree: string) => {
      mkdirSync(join(tree, 'data'));
      for (let at = 0; at < 300; at++) writeFileSync(join(tree, 'data', String(at)), randomBytes(50_000));
    };
    const empty = await onDisk();
    await importImage(engine, 'come-and-go', [], fill);
    await engine.ok('save', '-o', path('archive.tar'), 'come-and-go');
    const full = await onDisk();
    for (const [operation, wait] of [
      ['load', 10],
      ['load', 60],
      ['load', 150],
      ['load', 300],
      ['rmi', 3],
      ['rmi', 10],
      ['rmi', 25],
    ] as const) {
      const [args, opposite] =
        operation === 'load'
          ? [['load', '-i', path('archive.tar')], 'rmi']
          : [['rmi', 'come-and-go'], 'load'];
      if (opposite === 'rmi') await engine.docker('rmi', 'come-and-go');
      else await engine.ok('load', '-i', path('archive.tar'));
      const running = engine.docker(...args);
      await pause(wait);
      await engine.kill();
      await running;
      await engine.run();
      await isSound();
      const here = (await engine.docker('image', 'inspect', 'come-and-go')).code === 0;
      const used = await eventually(
        onDisk,
        (bytes) => Math.abs(bytes - (here ? full : empty)) < 500_000,
        operation,
      );
      assert.ok(used > 0);
    }
    await engine.ok('load', '-i', path('archive.tar'));
    await engine.ok('rmi', 'come-and-go');
  });
});
