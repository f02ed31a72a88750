import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { importImage } from './support/images.ts';
import { eventually, execute, needsOwnDaemon, type TestDaemon, useDaemon } from './support/index.ts';

interface Usage {
  LayersSize: number;
  Images: { Id: string; Size: number; SharedSize: number }[];
  Containers: { Names: string[]; SizeRw: number; SizeRootFs: number }[];
  Volumes: { Name: string; UsageData: { Size: number; RefCount: number } }[];
  BuildCache: unknown[];
}

async function df(engine: TestDaemon): Promise<Usage> {
  return JSON.parse((await engine.api('GET', '/system/df')).text) as Usage;
}

function sum(usage: Usage): number {
  const parts = [
    ...usage.Containers.map((one) => one.SizeRw),
    ...usage.Volumes.map((one) => one.UsageData.Size),
  ];
  return parts.reduce((total, part) => total + part, usage.LayersSize);
}

/** What the data root takes on disk, without what is mounted in it and without the engine's own records. */
async function du(engine: TestDaemon): Promise<number> {
  const own = readdirSync(engine.dataRoot).filter((name) => !name.startsWith('meta.db') && name !== 'mounts');
  const paths = own.map((name) => join(engine.dataRoot, name));
  const { stdout } = await execute('du', ['-s', '-c', '-x', '-B1', ...paths]);
  return Number.parseInt(stdout.trim().split('\n').at(-1) ?? '', 10);
}

/** The few folders that an empty data root has, too, in bytes. */
const FOLDERS = 64 << 10;

const near = (one: number, other: number) => Math.abs(one - other) <= other / 100;

/** `system df` and du agree; the files of what was removed may go a moment later. */
async function agree(engine: TestDaemon, when: string): Promise<Usage> {
  let usage: Usage | undefined;
  await eventually(
    async () => {
      usage = await df(engine);
      return [sum(usage), await du(engine)] as const;
    },
    ([shown, counted]) => near(shown, counted) || (shown <= counted && shown + FOLDERS >= counted),
    `${when}: system df is within a hundredth of du`,
  );
  return usage as unknown as Usage;
}

describe('disk usage of a data root that grows and shrinks', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const sizeOf = (usage: Usage, name: string) =>
    usage.Containers.find(({ Names }) => Names.includes(`/${name}`))?.SizeRw ?? Number.NaN;
  const volume = (usage: Usage, name: string) => usage.Volumes.find(({ Name }) => Name === name)?.UsageData;

  before(async () => {
    await importImage(engine, 'many', [], (tree) => {
      mkdirSync(join(tree, 'many'));
      for (let at = 0; at < 800; at++) writeFileSync(join(tree, 'many', String(at)), 'x'.repeat(at * 3));
    });
  });

  it('is what du counts with images and what containers wrote', async () => {
    const write = 'dd if=/dev/urandom of=/w bs=1000 count=9000; ln /w /again; truncate -s 1G /sparse';
    await engine.ok('run', '--name', 'writer', 'busybox', 'sh', '-c', write);
    await engine.ok('create', 'many', 'true');
    const usage = await agree(engine, 'after writing');
    const size = sizeOf(usage, 'writer');
    assert.ok(size > 9_000_000 && size < 10_000_000, `${size}: holes take nothing, hard links count once`);
    assert.deepEqual(usage.BuildCache, []);
  });

  it('counts logs, whole and rotated', async () => {
    const before = await agree(engine, 'before the logs');
    const options = ['--log-driver', 'json-file', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=5'];
    await engine.ok('run', '--name', 'talker', ...options, 'busybox', 'seq', '1', '300000');
    await engine.ok('run', '--name', 'quiet', 'busybox', 'true');
    const after = await agree(engine, 'after the logs');
    assert.ok(sizeOf(after, 'talker') > sizeOf(after, 'quiet') + 500_000);
    assert.ok(sum(after) > sum(before) + 500_000);
  });

  it('counts volumes: holes and hard links as du, mounted ones not at all', async () => {
    const fill = 'dd if=/dev/urandom of=/v/data bs=1M count=6; ln /v/data /v/b; truncate -s 2G /v/hole';
    await engine.ok('run', '--name', 'filler', '-v', 'data:/v', 'busybox', 'sh', '-c', fill);
    const device = join(engine.dataRoot, 'volumes');
    for (const [name, type, option] of [
      ['ram', 'tmpfs', 'size=20m'],
      ['again', 'none', 'bind'],
    ] as const) {
      const options = [
        '-o',
        `type=${type}`,
        '-o',
        `o=${option}`,
        '-o',
        `device=${type === 'none' ? device : type}`,
      ];
      await engine.ok('volume', 'create', ...options, name);
    }
    const mounts = ['-v', 'ram:/ram', '-v', 'again:/again'];
    await engine.ok('run', '-d', '--name', 'mounting', ...mounts, 'busybox', 'sleep', '1000');
    await engine.ok('exec', 'mounting', 'dd', 'if=/dev/zero', 'of=/ram/x', 'bs=1M', 'count=10');
    const usage = await agree(engine, 'with mounted volumes');
    const data = volume(usage, 'data');
    assert.equal(data?.RefCount, 1);
    assert.ok(data && data.Size > 6 << 20 && data.Size < 7 << 20, `${data?.Size}`);
    assert.deepEqual([volume(usage, 'ram'), volume(usage, 'again')], [undefined, undefined]);
    await engine.ok('rm', '-f', 'mounting');
    await engine.ok('volume', 'rm', 'ram', 'again');
  });

  it('counts what commits and copies brought', async () => {
    await engine.ok('commit', 'writer', 'committed');
    const source = join(engine.temporary, 'big');
    writeFileSync(source, Buffer.alloc(5 << 20, 7));
    const before = await agree(engine, 'after a commit');
    await engine.ok('cp', source, 'quiet:/big');
    const after = await agree(engine, 'after a copy');
    assert.ok(sizeOf(after, 'quiet') - sizeOf(before, 'quiet') >= 5 << 20);
  });

  it('many small things: what each takes besides its files counts, too', async () => {
    for (let at = 0; at < 25; at++) await engine.ok('volume', 'create', `small-${at}`);
    for (let at = 0; at < 10; at++) await engine.ok('create', '--name', `small-${at}`, 'busybox');
    const usage = await agree(engine, 'with many small things');
    assert.ok(Number(volume(usage, 'small-0')?.Size) >= 4096);
  });

  it('agrees after each prune, and the prune says what du says', async () => {
    for (const [kind, filters] of [
      ['containers', {}],
      ['volumes', { all: ['true'] }],
      ['images', { dangling: ['false'] }],
    ] as const) {
      await agree(engine, `before the prune of ${kind}`);
      const counted = await du(engine);
      const query = encodeURIComponent(JSON.stringify(filters));
      const { text } = await engine.api('POST', `/${kind}/prune?filters=${query}`);
      const { SpaceReclaimed } = JSON.parse(text) as { SpaceReclaimed: number };
      const freed = counted - (await du(engine));
      assert.ok(near(SpaceReclaimed, freed), `${kind}: ${SpaceReclaimed} are said to be free, ${freed} are`);
      assert.ok(freed > 1 << 20, `${kind} freed ${freed}`);
      await agree(engine, `after the prune of ${kind}`);
    }
  });
});
