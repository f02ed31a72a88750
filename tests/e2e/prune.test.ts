import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Plan } from '../../src/api/index.ts';
import { importImage } from './support/images.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

describe('prunes, removals and their plans', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const plan = async (path: string) => {
    const { status, text } = await engine.api('GET', `/wharf/plan/${path}`);
    assert.equal(status, 200, text);
    return JSON.parse(text) as Plan;
  };
  const names = ({ Items }: Plan) => Items.map(({ Kind, Name }) => `${Kind} ${Name}`);
  const encode = (filters: Record<string, string[]>) => encodeURIComponent(JSON.stringify(filters));
  const prune = async (kind: string, filters: Record<string, string[]> = {}) => {
    const { status, text } = await engine.api('POST', `/${kind}/prune?filters=${encode(filters)}`);
    assert.equal(status, 200, text);
    return JSON.parse(text) as Record<string, string[] | null> & { SpaceReclaimed?: number };
  };

  /** Everything that there is, as clients see it. */
  const everything = async () => {
    const paths = ['containers/json?all=1', 'images/json?all=1', 'volumes', 'networks'];
    const answers = await Promise.all(paths.map((path) => engine.api('GET', `/${path}`)));
    return answers.map(({ text }) => text.replace(/"Status":"[^"]*"/g, ''));
  };

  const fill = (size: number) => (tree: string) => {
    mkdirSync(join(tree, 'data'));
    writeFileSync(join(tree, 'data/file'), Buffer.alloc(size, size % 251));
  };

  before(async () => {
    await importImage(engine, 'app', ['LABEL keep=no'], fill(2_000_000));
    await importImage(engine, 'spare', [], fill(1_000_000));
  });

  it('a plan of everything changes nothing, and the prunes then do it to the byte', async () => {
    await engine.ok(
      'run',
      '--name',
      'done',
      '-v',
      '/anon',
      '-v',
      'named:/n',
      'busybox',
      'sh',
      '-c',
      'echo x > /f',
    );
    await engine.ok('run', '-d', '--name', 'up', 'busybox', 'sleep', '1000');
    await engine.ok('volume', 'create');
    await engine.ok('network', 'create', 'idle');
    const seen = await everything();
    const whole = await plan('prune/system?all=1&volumes=1');
    assert.deepEqual(await everything(), seen);
    const kinds = names(whole).map((name) => name.split(' ')[0]);
    assert.deepEqual(kinds, ['container', 'network', 'volume', 'volume', 'image', 'image']);
    const done = {
      container: await prune('containers'),
      network: await prune('networks'),
      volume: await prune('volumes'),
      image: await prune('images', { dangling: ['false'] }),
    };
    const removed = [
      done.container['ContainersDeleted'],
      done.network['NetworksDeleted'],
      done.volume['VolumesDeleted'],
    ].flatMap((list) => list ?? []);
    const ids = whole.Items.filter(({ Kind }) => Kind !== 'image').map(({ Kind, ID, Name }) =>
      Kind === 'network' ? Name : ID,
    );
    assert.deepEqual([...removed].sort(), [...ids].sort());
    for (const kind of ['container', 'volume', 'image'] as const) {
      const planned = whole.Items.filter(({ Kind }) => Kind === kind).reduce(
        (sum, { Bytes }) => sum + Bytes,
        0,
      );
      assert.equal(done[kind].SpaceReclaimed, planned, kind);
    }
    assert.equal(await engine.ok('ps', '-a', '--format', '{{.Names}}'), 'up');
    assert.equal(await engine.ok('images', '--format', '{{.Repository}}'), 'busybox');
    assert.equal(await engine.ok('volume', 'ls', '-q'), 'named');
    assert.deepEqual(await plan('prune/system?all=1&volumes=1'), { Items: [], Bytes: 0 });
  });

  it('filters count in plans as in prunes', async () => {
    for (const [name, label] of [
      ['one', 'k=1'],
      ['two', 'k=2'],
    ] as const) {
      await engine.ok('create', '--name', name, '--label', label, 'busybox');
      await engine.ok('volume', 'create', '--label', label, `v-${name}`);
    }
    for (const [filters, containers, volumes] of [
      [{ label: ['k=1'] }, ['container one'], ['volume v-one']],
      [{ 'label!': ['k=1'], label: ['k'] }, ['container two'], ['volume v-two']],
      [{ label: ['none'] }, [], []],
    ] as [Record<string, string[]>, string[], string[]][]) {
      assert.deepEqual(names(await plan(`prune/containers?filters=${encode(filters)}`)), containers);
      assert.deepEqual(names(await plan(`prune/volumes?all=1&filters=${encode(filters)}`)), volumes);
    }
    assert.deepEqual(names(await plan(`prune/containers?filters=${encode({ until: ['1h'] })}`)), []);
    const bad = await engine.api('GET', `/wharf/plan/prune/volumes?filters=${encode({ until: ['1h'] })}`);
    assert.deepEqual([bad.status, JSON.parse(bad.text)], [400, { message: "invalid filter 'until'" }]);
    await prune('containers', { label: ['k'] });
    await prune('volumes', { all: ['1'], label: ['k'] });
  });

  it('removals are planned with their refusals, and are refused so', async () => {
    await engine.ok('create', '--name', 'user', '-v', '/anon', '-v', 'named:/n', 'busybox');
    const containers = await plan('remove/containers?name=up&name=user&name=none&volumes=1');
    assert.deepEqual(names(containers).slice(0, 2), ['container up', 'container user']);
    assert.match(names(containers)[2] ?? '', /^volume [0-9a-f]{64}$/);
    const refusals = [...containers.Items, ...(await plan('remove/volumes?name=named')).Items];
    for (const { Kind, Name, Reason } of refusals) {
      if (Reason === undefined) continue;
      const { code, stderr } = await engine.docker(Kind, 'rm', Name);
      assert.equal(code, 1);
      assert.ok(stderr.includes(Reason), `${stderr} has ${Reason}`);
    }
    assert.equal(refusals.filter(({ Reason }) => Reason !== undefined).length, 3);
    await engine.ok('rm', '-v', 'user');
    assert.equal(await engine.ok('volume', 'ls', '-q'), 'named');
    assert.deepEqual(names(await plan('remove/containers?name=up&force=1')), ['container up']);
    const [image] = (await plan('remove/images?name=busybox')).Items;
    assert.match(
      (await engine.docker('rmi', 'busybox')).stderr,
      new RegExp(image?.Reason?.slice(0, 60).replace(/[()"]/g, '.') ?? '-'),
    );
  });

  it('the build cache is empty, and its prune says so', async () => {
    assert.deepEqual(await prune('build'), { CachesDeleted: null, SpaceReclaimed: 0 });
    assert.deepEqual(await plan('prune/builder'), { Items: [], Bytes: 0 });
    const { stdout } = await engine.docker('system', 'df', '--format', '{{.Type}} {{.Size}}');
    assert.match(stdout, /^Build Cache 0B$/m);
  });

  it('is sound after all of it', async () => {
    await engine.ok('rm', '-f', 'up');
    const { code, stdout } = await engine.wharf('doctor', '--verify');
    assert.equal(code, 0, stdout);
  });
});
