import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  ChaosProxy,
  eventually,
  execute,
  type Fault,
  needsOwnDaemon,
  type OciImage,
  type Outcome,
  randomImage,
  TestDaemon,
  TestRegistry,
  useDaemon,
} from './support/index.ts';

const LAYERS = 3;
const LAYER_BYTES = 3 << 20;

const blobBytes = (image: OciImage) =>
  [...image.layers, image.config].reduce((sum, { bytes }) => sum + bytes.length, 0);

/** A registry with an image, and a proxy before it that spoils answers. */
class Scene implements AsyncDisposable {
  readonly registry: TestRegistry;
  readonly proxy: ChaosProxy;
  readonly image: OciImage;

  private constructor(registry: TestRegistry, proxy: ChaosProxy, image: OciImage) {
    this.registry = registry;
    this.proxy = proxy;
    this.image = image;
  }

  static async start(): Promise<Scene> {
    const registry = await TestRegistry.start('wharf');
    const image = await randomImage(registry.folder, LAYERS, LAYER_BYTES);
    await registry.store('lab/app', image, '1');
    return new Scene(registry, await ChaosProxy.start(registry.address), image);
  }

  get name(): string {
    return `${this.proxy.address}/lab/app:1`;
  }

  /** Spoils the first `times` answers with the middle layer. */
  spoil(fault: Fault, times: number): void {
    const path = `/blobs/${this.image.layers[1]?.digest}`;
    let left = times;
    this.proxy.seen.length = 0;
    this.proxy.fault = (request) => (request.path.endsWith(path) && left-- > 0 ? fault : undefined);
  }

  /** A pull that nothing disturbs must now bring the image, whole; then it is removed. */
  async recovers(engine: TestDaemon): Promise<void> {
    this.proxy.fault = () => undefined;
    assert.match(await engine.ok('pull', this.name), /Digest: sha256:/);
    assert.equal(await engine.inspect(this.name, '{{len .RootFS.Layers}}'), String(LAYERS));
    const doctor = await engine.wharf('doctor', '--verify');
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
    await engine.ok('rmi', this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.registry[Symbol.asyncDispose]();
  }
}

const ALWAYS = 1000;

describe('a registry that fails in the middle of a pull', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({
    busybox: false,
    flags: ['--registry-stall-timeout', '1', '--max-download-attempts', '3'],
  });
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene[Symbol.asyncDispose]());

  const overcome: [string, Fault, number][] = [
    ['breaks the connection at the first byte', { cutAfter: 1 }, 1],
    ['breaks the connection twice', { cutAfter: 1_000_000 }, 2],
    ['stalls', { stallAfter: 500_000 }, 1],
    ['is busy, and says for how long', { status: 429, headers: { 'Retry-After': '1' } }, 1],
    ['has an inner fault for a while', { status: 503 }, 2],
    ['sends another byte, once', { flipAt: 2_000_000 }, 1],
  ];
  for (const [what, fault, times] of overcome) {
    it(`${what}: the pull goes on and ends well`, async () => {
      scene.spoil(fault, times);
      const pulled = await engine.docker('pull', scene.name);
      assert.equal(pulled.code, 0, pulled.stdout + pulled.stderr);
      await engine.ok('rmi', scene.name);
      // A cut costs what was under way on the wire; a lie costs that layer once more.
      const bound = blobBytes(scene.image) * 1.1 + (fault.flipAt === undefined ? 0 : LAYER_BYTES * 1.1);
      assert.ok(
        scene.proxy.blobBytes <= bound,
        `${scene.proxy.blobBytes} bytes for ${blobBytes(scene.image)}`,
      );
      await scene.recovers(engine);
    });
  }

  const refused: [string, Fault, RegExp][] = [
    ['breaks every connection', { cutAfter: 0 }, /EOF|reset|closed|cut|unavailable|connection/i],
    ['stalls each time', { stallAfter: 10 }, /stall|timeout|deadline|no byte/i],
    [
      'is always busy',
      {
        status: 429,
        headers: { 'Retry-After': '1' },
        body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
      },
      /toomanyrequests|too many requests|slow down/i,
    ],
    ['lies about a layer', { flipAt: 2_000_000 }, /verification failed|digest/i],
    ['sends a layer without end', { flood: true }, /verification failed|size|more than/i],
    [
      'has lost a layer',
      { status: 404, body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}' },
      /unknown|not found/i,
    ],
  ];
  for (const [what, fault, text] of refused) {
    it(`${what}: the pull fails with a clear text, leaves nothing, and can be tried again`, async () => {
      scene.spoil(fault, ALWAYS);
      const pulled = await engine.docker('pull', scene.name);
      assert.equal(pulled.code, 1, pulled.stdout);
      assert.match(pulled.stderr, text);
      assert.equal(await engine.ok('images', '-q'), '');
      assert.ok(
        scene.proxy.blobBytes < 20 * blobBytes(scene.image),
        `${scene.proxy.blobBytes} bytes were taken`,
      );
      await scene.recovers(engine);
    });
  }

  it('keeps a pull waiting: cancelled, it goes on later where it was', async () => {
    scene.spoil({ stallAfter: 1_500_000 }, ALWAYS);
    const client = engine.session('pull', scene.name);
    const began = () =>
      scene.proxy.seen.some(({ path, bytes }) => path.includes('/blobs/') && bytes === 1_500_000);
    while (!began()) await new Promise((resolve) => setTimeout(resolve, 10));
    client.child.kill('SIGKILL');
    await client.exited.catch(() => undefined);
    scene.proxy.seen.length = 0;
    await scene.recovers(engine);
    const layer = scene.image.layers[1]?.digest as string;
    const again = scene.proxy.seen.filter(({ path }) => path.endsWith(layer));
    assert.match(String(again.at(-1)?.range), /^bytes=[1-9]\d*-/);
  });
});

describe('a daemon that is killed in the middle of a pull', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene[Symbol.asyncDispose]());

  /** Where the daemon is killed: at which answer of the registry, after how many of its bytes. */
  const places: [string, (path: string) => boolean, number][] = [
    ['at the manifest', (path) => path.includes('/manifests/'), 1],
    ['at the config', (path) => path.includes(scene.image.config.digest), 1],
    ['at the first bytes of a layer', (path) => path.includes(scene.image.layers[0]?.digest as string), 1],
    ['in the middle of a layer', (path) => path.includes(scene.image.layers[1]?.digest as string), 1_500_000],
    ['at the end of a layer', (path) => path.includes(scene.image.layers[2]?.digest as string), 3_000_000],
  ];

  /** Bytes of layers that came in and are kept. */
  function keptBytes(): number {
    const folder = join(engine.dataRoot, 'content/partial');
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  }

  for (const [where, hits, bytes] of places) {
    it(`${where}: the next one is whole, and the pull goes on`, async () => {
      const within = bytes > 1;
      let killed: Promise<void> | undefined;
      const during = async () => {
        if (within) await eventually(keptBytes, (kept) => kept > 0, 'bytes of a layer are kept');
        killed = engine.kill();
        await killed;
      };
      scene.proxy.fault = ({ method, path }) =>
        killed === undefined && method === 'GET' && hits(path)
          ? { pauseAfter: { bytes, during } }
          : undefined;
      const pulled = await engine.docker('pull', scene.name);
      assert.notEqual(pulled.code, 0);
      assert.ok(killed, 'the daemon was not killed');
      await killed;
      await engine.run();
      assert.equal(await engine.ok('images', '-q'), '');
      scene.proxy.seen.length = 0;
      await scene.recovers(engine);
      const all = blobBytes(scene.image);
      const again = scene.proxy.blobBytes;
      assert.ok(within ? again < all : again <= all, `${again} of ${all} bytes were fetched again`);
    });
  }
});

describe('a disk that is full', { skip: needsOwnDaemon }, () => {
  const engine = new TestDaemon({ busybox: false });
  let scene: Scene;
  const mount = (...args: string[]) => execute('mount', args);
  before(async () => {
    scene = await Scene.start();
    mkdirSync(engine.dataRoot);
    assert.equal((await mount('-t', 'tmpfs', '-o', 'size=14m', 'tmpfs', engine.dataRoot)).code, 0);
    await engine.start();
  });
  after(async () => {
    try {
      await engine.dispose();
    } finally {
      await execute('umount', ['--lazy', engine.dataRoot]);
      await scene[Symbol.asyncDispose]();
    }
  });

  it('fails the pull with a clear text, and when there is space it succeeds', async () => {
    const pulled = await engine.docker('pull', scene.name);
    assert.equal(pulled.code, 1, pulled.stdout);
    assert.match(pulled.stderr, /no space left on device/i);
    assert.equal((await engine.wharf('doctor', '--verify')).code, 0);
    assert.equal((await mount('-o', 'remount,size=200m', engine.dataRoot)).code, 0);
    await scene.recovers(engine);
  });
});

describe('pushes', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false, flags: ['--registry-stall-timeout', '2'] });
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
    await engine.ok('pull', scene.name);
  });
  after(() => scene[Symbol.asyncDispose]());

  const digestOf = async (registry: TestRegistry, path: string) =>
    (
      await registry.ask('HEAD', `/v2/${path}/manifests/1`, {
        headers: { Accept: scene.image.manifest.mediaType },
      })
    ).headers['docker-content-digest'];

  /** Pushes and does something to one side while layers are on their way. */
  async function disturbed(
    registry: TestRegistry,
    path: string,
    disturb: () => Promise<void>,
  ): Promise<Outcome> {
    const name = `${registry.address}/${path}:1`;
    await engine.ok('tag', scene.name, name);
    const push = engine.session('push', name);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await disturb();
    return push.exited;
  }

  for (const kind of ['wharf', 'docker-registry'] as const) {
    it(`to ${kind} that is killed: tried again, they bring the very same manifest`, async () => {
      await using registry = await TestRegistry.start(kind);
      await disturbed(registry, 'lab/one', () => registry.end('SIGKILL'));
      registry.mend();
      await registry.run();
      await engine.ok('push', `${registry.address}/lab/one:1`);
      assert.equal(await digestOf(registry, 'lab/one'), scene.image.manifest.digest);
    });

    it(`to ${kind} by a daemon that is killed: the next one pushes the very same manifest`, async () => {
      await using registry = await TestRegistry.start(kind);
      await disturbed(registry, 'lab/two', () => engine.kill());
      await engine.run();
      await engine.ok('push', `${registry.address}/lab/two:1`);
      assert.equal(await digestOf(registry, 'lab/two'), scene.image.manifest.digest);
    });
  }
});
