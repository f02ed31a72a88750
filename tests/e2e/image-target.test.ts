import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { busyboxTar, needsOwnDaemon, useDaemon } from './support/index.ts';
import { freePort } from './support/registries.ts';

const PLATFORMS = ['amd64', 'arm64'] as const;
const INDEX = 'application/vnd.oci.image.index.v1+json';
const ACCEPT = `${INDEX}, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json`;

describe('what a tag publishes', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  let host = '';
  /** Digest of each platform's manifest at the registry. */
  const single: Record<string, string> = {};
  let index = '';

  const digestAt = async (path: string, tag: string) => {
    const url = `http://${host}/v2/${path}/manifests/${tag}`;
    const answer = await fetch(url, { method: 'HEAD', headers: { Accept: ACCEPT } });
    assert.equal(answer.status, 200, url);
    return answer.headers.get('docker-content-digest') as string;
  };
  const publish = async (source: string, path: string) => {
    await engine.ok('tag', source, `${host}/${path}:1`);
    await engine.ok('push', `${host}/${path}:1`);
    return digestAt(path, '1');
  };
  const wharf = async (...args: string[]) => {
    const { code, stdout, stderr } = await engine.wharf(...args);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };

  before(async () => {
    host = `localhost:${await freePort()}`;
    engine.configure({ registry: { listen: host.replace('localhost', '127.0.0.1') } });
    await engine.stop();
    await engine.run();
    for (const platform of PLATFORMS) {
      await busyboxTar(engine.temporary, platform);
      const tar = `${engine.temporary}/busybox-${platform}.tar`;
      await wharf('import', '--platform', `linux/${platform}`, tar, `mine:${platform}`);
      await engine.ok('tag', `mine:${platform}`, `${host}/m:${platform}`);
      await engine.ok('push', `${host}/m:${platform}`);
      single[platform] = await digestAt('m', platform);
    }
    await wharf('manifest', 'create', `${host}/m:1`, ...PLATFORMS.map((platform) => `${host}/m:${platform}`));
    await wharf('manifest', 'push', `${host}/m:1`);
    index = await digestAt('m', '1');
  });
  /** From now on the index's name stands for this platform's image. */
  const pullIndex = (platform: string) =>
    wharf('pull', '-q', '--platform', `linux/${platform}`, `${host}/m:1`);

  for (const platform of PLATFORMS) {
    describe(`of ${platform}`, () => {
      before(() => pullIndex(platform));
      it("from the image's own name: its manifest, though an index that was pulled holds it", async () => {
        assert.equal(await publish(`mine:${platform}`, `other-${platform}`), single[platform]);
      });

      it("from the image's id: its manifest", async () => {
        const id = await engine.inspect(`mine:${platform}`, '{{.Id}}');
        assert.equal(await publish(id, `id-${platform}`), single[platform]);
        assert.equal(await publish(id.slice(7, 19), `prefix-${platform}`), single[platform]);
      });

      it('brings the content of that image to who pulls it', async () => {
        const name = `${host}/content-${platform}:1`;
        assert.equal(await publish(`mine:${platform}`, `content-${platform}`), single[platform]);
        await engine.ok('rmi', name);
        await wharf('pull', '-q', '--platform', `linux/${platform}`, name);
        const run = ['run', '--rm', '--platform', `linux/${platform}`, name, '/bin/cat', '/mark'];
        assert.equal(await wharf(...run), platform);
      });
    });
  }

  it('from a name that was pulled as an index, or its digest: that index', async () => {
    await pullIndex('amd64');
    assert.equal(await publish(`${host}/m:1`, 'copy'), index);
    assert.equal(await publish(`${host}/m@${index}`, 'by-digest'), index);
    const other = `${host}/copy:1`;
    await engine.ok('rmi', other);
    await wharf('pull', '-q', other);
    assert.equal(await wharf('run', '--rm', other, '/bin/cat', '/mark'), 'amd64');
  });
});
