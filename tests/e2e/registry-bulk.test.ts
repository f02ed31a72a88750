import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import {
  ChaosProxy,
  eventually,
  needsOwnDaemon,
  type OciImage,
  randomImage,
  storeNoise,
  TestRegistry,
  useDaemon,
} from './support/index.ts';

const LAYER_BYTES = 2 ** 30;
/** More than this in memory would hold a good part of the layer, in KiB. */
const FLAT_KB = 250 << 10;
const PULLS = 100;

/** Begins the high-water mark of a process's memory anew (proc(5), `clear_refs`), and gives it in KiB. */
function peakSince(pid: number): () => number {
  const peak = () =>
    Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const first = peak();
  return () => peak() - first;
}

describe('a layer of 1 GiB', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  let from: TestRegistry;
  let to: TestRegistry;
  before(async () => {
    [from, to] = [await TestRegistry.start('wharf'), await TestRegistry.start('wharf')];
  });
  after(async () => {
    await from?.[Symbol.asyncDispose]();
    await to?.[Symbol.asyncDispose]();
  });

  for (const compression of ['gzip', 'zstd'] as const) {
    it(`by ${compression} is taken, pulled and pushed in a memory that stays flat`, async () => {
      const name = `${from.address}/lab/${compression}:1`;
      const copy = `${to.address}/lab/${compression}:1`;
      const taking = peakSince(from.pid);
      await storeNoise(from, `lab/${compression}`, '1', { bytes: LAYER_BYTES, compression });
      assert.ok(taking() < FLAT_KB, `the registry grew by ${taking()} KiB while it took the layer`);
      const [moving, giving, receiving] = [engine.pid, from.pid, to.pid].map(peakSince);
      for (const args of [
        ['pull', '--quiet', name],
        ['tag', name, copy],
        ['push', '--quiet', copy],
      ]) {
        const { code, stderr } = await engine.dockerWith({ timeout: 300_000 }, ...args);
        assert.equal(code, 0, stderr);
      }
      const grown = [moving?.(), giving?.(), receiving?.()];
      assert.ok(
        grown.every((kb) => kb !== undefined && kb < FLAT_KB),
        `wharfd, the registry that gave and the one that took grew by ${grown.join(', ')} KiB`,
      );
      assert.equal(Number(await engine.inspect(name, '{{.Size}}')) >= LAYER_BYTES, true);
      await engine.ok('rmi', name, copy);
    });
  }
});

describe('a hundred pulls of one image', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  let registry: TestRegistry;
  let proxy: ChaosProxy;
  let image: OciImage;
  before(async () => {
    registry = await TestRegistry.start('wharf');
    image = await randomImage(registry.folder, 3, 2 << 20);
    await registry.store('lab/app', image, '1');
    proxy = await ChaosProxy.start(registry.address);
  });
  after(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  it('fetch each blob once, though half of them are given up on the way', async () => {
    const gate = Promise.withResolvers<void>();
    // Layers stop in the middle, until everybody who gives up has gone.
    proxy.fault = ({ method, path }) =>
      method === 'GET' && image.layers.some(({ digest }) => path.endsWith(digest))
        ? { pauseAfter: { bytes: 1, during: () => gate.promise } }
        : undefined;
    const name = `${proxy.address}/lab/app:1`;
    const asked = (pattern: string) =>
      proxy.seen.filter(({ method, path }) => method === 'GET' && path.includes(pattern));
    const clients = Array.from({ length: PULLS }, () => engine.session('pull', name));
    try {
      for (const client of clients) await client.until('Pulling fs layer', 'stdout', 50_000);
      await eventually(
        () => asked(image.layers[0]?.digest as string).length,
        Boolean,
        'a layer is asked for',
      );
      const leaving = clients.filter((_, at) => at % 2 === 0);
      for (const { child } of leaving) child.kill('SIGINT');
      // What the stock client exits with then depends on where it was interrupted.
      for (const { exited } of leaving) assert.doesNotMatch((await exited).stdout, /Digest: sha256:/);
      gate.resolve();
      for (const { exited } of clients.filter((_, at) => at % 2 === 1)) {
        const { code, stdout, stderr } = await exited;
        assert.equal(code, 0, stderr);
        assert.match(stdout, /Digest: sha256:/);
      }
    } finally {
      gate.resolve();
      for (const { child } of clients) child.kill('SIGKILL');
      await Promise.allSettled(clients.map(({ exited }) => exited));
    }
    for (const { digest, bytes } of [...image.layers, image.config]) {
      const fetched = asked(`/blobs/${digest}`);
      assert.deepEqual(
        fetched.map((request) => [request.range, request.bytes]),
        [[undefined, bytes.length]],
      );
    }
    assert.equal(await engine.inspect(name, '{{len .RootFS.Layers}}'), '3');
    await engine.ok('rmi', name);
  });
});
