import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog } from '../../base/index.ts';
import { type Database, openMemoryDatabase } from '../../meta/index.ts';
import { mkfifo } from '../../sys/index.ts';
import { LocalDriver } from '../local-driver.ts';
import { systemMounter, systemQuota } from '../open.ts';
import { RecordedVolumes } from '../store.ts';
import { type SamplePlugin, startSamplePlugin } from '../testing/sample-plugin.ts';
import { findPlugin, pluginNames } from './discover.ts';
import { openPlugins } from './plugins.ts';

let root: string;
let database: Database;
let sample: SamplePlugin;
const at = (path: string) => join(root, path);
const folders = () => ({ sockets: [at('run')], specs: [at('etc'), at('lib')] });
const start = () => startSamplePlugin(at('run/sample.sock'), at('elsewhere'));

const short = { answerMs: 300, connectMs: 200 };

function open() {
  const own = { root: at('data/volumes'), log: silentLog };
  const local = new LocalDriver({
    ...own,
    mounter: systemMounter,
    quota: systemQuota,
    resolve: async () => '192.0.2.7',
  });
  const plugins = openPlugins({
    folders: folders(),
    dataRoot: at('data'),
    log: silentLog,
    limits: { work: short, look: short },
  });
  return new RecordedVolumes({ local, plugins, database, log: silentLog });
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wharf-plugins-'));
  for (const folder of ['run', 'etc', 'lib', 'data']) mkdirSync(at(folder));
  database = openMemoryDatabase();
  sample = await start();
});
afterEach(async () => {
  await sample[Symbol.asyncDispose]();
  database[Symbol.dispose]();
  rmSync(root, { recursive: true, force: true });
});

describe('a volume of a plugin', () => {
  it('is made, told of, mounted for each user, and removed by the plugin', async () => {
    const store = open();
    const { volume } = await store.create({
      name: 'pv',
      driver: 'sample',
      options: { a: 'b' },
      labels: { l: '1' },
    });
    assert.deepEqual(sample.volumes.get('pv')?.options, { a: 'b' });
    assert.equal(volume.driver, 'sample');
    const detail = await store.find('pv');
    assert.deepEqual(
      {
        scope: detail?.scope,
        mountpoint: detail?.mountpoint,
        status: detail?.status,
        labels: detail?.volume.labels,
      },
      { scope: 'global', mountpoint: at('elsewhere/pv'), status: { sample: true }, labels: { l: '1' } },
    );
    assert.equal(await store.acquire('pv', 'c1'), at('elsewhere/pv'));
    assert.equal(await store.acquire('pv', 'c2'), at('elsewhere/pv'));
    assert.equal(await store.acquire('pv', 'c1'), at('elsewhere/pv'));
    assert.deepEqual([...(sample.volumes.get('pv')?.users ?? [])], ['c1', 'c2']);
    await assert.rejects(store.remove('pv'), { kind: 'conflict' });
    await store.release('pv', 'c1');
    await store.release('pv', 'c2');
    assert.equal(sample.volumes.get('pv')?.users.size, 0);
    assert.equal(sample.calls.filter((call) => call.startsWith('VolumeDriver.Mount')).length, 2);
    await store.remove('pv');
    assert.equal(sample.volumes.size, 0);
    assert.equal(store.get('pv'), undefined);
    assert.deepEqual(store.drivers(), ['local', 'sample']);
  });

  it('has a name that no other driver gives', async () => {
    const store = open();
    await store.create({ name: 'one', driver: 'sample' });
    await assert.rejects(store.create({ name: 'one' }), {
      kind: 'conflict',
      message: "create one: driver 'sample' already has volume 'one': volume name must be unique",
    });
    assert.equal((await store.create({ name: 'one', driver: 'sample' })).created, false);
  });

  it('that the plugin made on its own is listed, shown and removed', async () => {
    sample.volumes.set('theirs', { options: {}, users: new Set() });
    const store = open();
    assert.deepEqual(
      (await store.listed()).volumes.map(({ volume }) => volume.name),
      ['theirs'],
    );
    assert.equal((await store.find('theirs'))?.volume.driver, 'sample');
    assert.equal(await store.find('nobodys'), undefined);
    await store.remove('theirs');
    assert.equal(sample.volumes.size, 0);
  });

  it('is not mounted again for a container that ran before this daemon, and given back after', async () => {
    await open().create({ name: 'pv', driver: 'sample' });
    const store = open();
    sample.volumes.get('pv')?.users.add('c1');
    sample.calls.length = 0;
    await store.acquire('pv', 'c1', { adopted: true });
    await store.release('pv', 'c1');
    assert.deepEqual(
      sample.calls.filter((call) => call.includes('ount')),
      ['VolumeDriver.Unmount pv c1'],
    );
  });

  it('refused by the plugin leaves nothing, and tells its words', async () => {
    const store = open();
    await assert.rejects(store.create({ name: 'no', driver: 'sample', options: { refuse: 'too big' } }), {
      message: 'create no: VolumeDriver.Create: refused: too big',
    });
    assert.equal(store.get('no'), undefined);
    sample.faults.set('VolumeDriver.Remove', { status: 500, text: '{"Err":"stuck"}' });
    await store.create({ name: 'stuck', driver: 'sample' });
    await assert.rejects(store.remove('stuck', { force: true }), {
      message: 'remove stuck: VolumeDriver.Remove: stuck',
    });
    assert.ok(store.get('stuck'));
  });
});

describe('a plugin that is away', () => {
  it('keeps its volumes: they are listed, say why they can not be asked, and come back with it', async () => {
    const store = open();
    await store.create({ name: 'pv', driver: 'sample' });
    await sample[Symbol.asyncDispose]();
    rmSync(at('run/sample.sock'), { force: true });
    const { volumes, warnings } = await store.listed();
    assert.deepEqual(
      volumes.map(({ volume, status }) => [volume.name, status]),
      [['pv', { Error: 'plugin "sample" not found' }]],
    );
    assert.match(warnings.join(), /sample/);
    await assert.rejects(store.acquire('pv', 'c'), {
      kind: 'not-found',
      message: 'mount pv: error looking up volume plugin sample: plugin "sample" not found',
    });
    await assert.rejects(store.remove('pv'), { kind: 'not-found' });
    sample = await start();
    sample.volumes.set('pv', { options: {}, users: new Set() });
    mkdirSync(at('elsewhere/pv'), { recursive: true });
    assert.equal(await store.acquire('pv', 'c'), at('elsewhere/pv'));
  });

  it('for good lets its volumes be forgotten by force', async () => {
    const store = open();
    await store.create({ name: 'pv', driver: 'sample' });
    await sample[Symbol.asyncDispose]();
    rmSync(at('run/sample.sock'), { force: true });
    await store.remove('pv', { force: true });
    assert.equal(store.get('pv'), undefined);
  });

  it('for a moment only is waited for', async () => {
    const store = open();
    writeFileSync(at('etc/later.spec'), `unix://${at('later.sock')}`);
    const made = store.create({ name: 'pv', driver: 'later' });
    await using later = await startSamplePlugin(at('later.sock'), at('elsewhere'));
    await made;
    assert.ok(later.volumes.has('pv'));
  });
});

describe('a hostile plugin', () => {
  const cases: [string, string | { status?: number; text: string }, RegExp][] = [
    ['that hangs', 'hang', /did not answer within 0.3 s/],
    ['that answers no JSON', { text: '<html>' }, /VolumeDriver.Mount: .*no JSON object/],
    ['that answers without end', { text: 'x'.repeat(5 << 20) }, /longer than/],
    ['that names no mount point', { text: '{}' }, /names no mount point/],
    ['that names the root', { text: '{"Mountpoint":"/"}' }, /holds what is the engine's own/],
    ['that names a relative path', { text: '{"Mountpoint":"etc"}' }, /not an absolute path/],
    ['that names a number', { text: '{"Mountpoint":7}' }, /names no mount point/],
    ['that names nothing there', { text: '{"Mountpoint":"/nonexistent-x"}' }, /is no directory/],
    [
      'that fails with control characters',
      { status: 500, text: '\u001b[2J\u0007boom' },
      /VolumeDriver.Mount: [ -~]*boom$/,
    ],
  ];
  for (const [what, fault, text] of cases) {
    it(`${what} gets a clear error, and no user`, async () => {
      const store = open();
      await store.create({ name: 'pv', driver: 'sample' });
      sample.faults.set('VolumeDriver.Mount', fault as 'hang');
      await assert.rejects(store.acquire('pv', 'c'), text);
      assert.equal(sample.volumes.get('pv')?.users.size, 0);
      sample.faults.clear();
      await store.remove('pv');
    });
  }

  it("can not show the engine's own files", async () => {
    const store = open();
    await store.create({ name: 'pv', driver: 'sample' });
    mkdirSync(at('data/volumes'), { recursive: true });
    symlinkSync(at('data'), at('link'));
    for (const path of [root, at('data'), at('data/volumes'), at('link'), at('link/volumes')]) {
      sample.faults.set('VolumeDriver.Mount', { text: JSON.stringify({ Mountpoint: path }) });
      await assert.rejects(store.acquire('pv', 'c'), /engine's own/);
    }
  });

  it('holds up no list and no look at other volumes', async () => {
    const store = open();
    await store.create({ name: 'pv', driver: 'sample' });
    await store.create({ name: 'mine' });
    for (const method of ['VolumeDriver.List', 'VolumeDriver.Get']) sample.faults.set(method, 'hang');
    const { volumes, warnings } = await store.listed();
    assert.deepEqual(volumes.map(({ volume }) => volume.name).sort(), ['mine', 'pv']);
    assert.equal(warnings.length, 1);
    assert.match(String((await store.find('pv'))?.status?.['Error']), /did not answer/);
    assert.equal((await store.find('mine'))?.volume.name, 'mine');
  });

  it('that lies about names and times is believed nothing of it', async () => {
    const store = open();
    await store.create({ name: 'mine' });
    await store.create({ name: 'pv', driver: 'sample' });
    const told = [{ Name: 'mine' }, { Name: 7 }, null, { Name: 'x', CreatedAt: 'never', Status: 'no' }];
    sample.faults.set('VolumeDriver.List', { text: JSON.stringify({ Volumes: told }) });
    const { volumes } = await store.listed();
    assert.deepEqual(
      volumes.map(({ volume }) => [volume.name, volume.driver]),
      [
        ['mine', 'local'],
        ['pv', 'sample'],
        ['x', 'sample'],
      ],
    );
    sample.faults.set('VolumeDriver.Get', { text: '{"Volume":{"Name":"other","Mountpoint":"/"}}' });
    assert.match(String((await store.find('pv'))?.status?.['Error']), /another volume/);
  });

  it('that keeps no volumes is not found among the drivers', async () => {
    sample.faults.set('Plugin.Activate', { text: '{"Implements":["NetworkDriver"]}' });
    await assert.rejects(open().create({ name: 'pv', driver: 'sample' }), {
      kind: 'not-found',
      message:
        'create pv: error looking up volume plugin sample: plugin "sample" does not implement VolumeDriver',
    });
  });
});

describe('discovery', () => {
  it('knows sockets, descriptions and their folders', () => {
    writeFileSync(at('etc/tcp.spec'), 'tcp://192.0.2.1:9000\n');
    mkdirSync(at('lib/deep'));
    writeFileSync(at('lib/deep/deep.spec'), 'unix:///run/deep.sock');
    writeFileSync(at('etc/ca.pem'), 'CA');
    const tls = { InsecureSkipVerify: false, CAFile: at('etc/ca.pem') };
    writeFileSync(
      at('etc/safe.json'),
      JSON.stringify({ Name: 'safe', Addr: 'https://example.test', TLSConfig: tls }),
    );
    assert.deepEqual(findPlugin(folders(), 'sample'), { socketPath: at('run/sample.sock') });
    assert.deepEqual(findPlugin(folders(), 'tcp'), { host: '192.0.2.1', port: 9000 });
    assert.deepEqual(findPlugin(folders(), 'deep'), { socketPath: '/run/deep.sock' });
    assert.deepEqual(findPlugin(folders(), 'safe'), {
      host: 'example.test',
      port: 443,
      tls: { insecure: false, ca: Buffer.from('CA') },
    });
    assert.equal(findPlugin(folders(), 'none'), undefined);
    assert.deepEqual(pluginNames(folders()), ['deep', 'safe', 'sample', 'tcp']);
  });

  it('refuses what is no description, and names that are paths', () => {
    for (const [name, text] of [
      ['empty.spec', ''],
      ['odd.spec', 'ftp://x'],
      ['relative.spec', 'unix://x.sock'],
      ['broken.json', '{'],
      ['list.json', '7'],
    ] as const) {
      writeFileSync(at(`etc/${name}`), text);
      assert.throws(() => findPlugin(folders(), name.replace(/\..*/, '')), { kind: 'invalid' }, name);
    }
    for (const name of ['../run/sample', 'a/b', '', '.', 'sample:latest'])
      assert.equal(findPlugin(folders(), name), undefined);
    mkfifo(at('etc/endless.spec'), 0o600);
    assert.throws(() => findPlugin(folders(), 'endless'), { kind: 'invalid' });
    assert.deepEqual(pluginNames(folders()), ['sample']);
  });
});
