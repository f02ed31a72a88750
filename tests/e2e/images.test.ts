import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { importImage } from './support/images.ts';
import { execute, needsOwnDaemon, useDaemon } from './support/index.ts';

describe('images', () => {
  const engine = useDaemon();
  const id = (name: string) => engine.inspect(name, '{{.Id}}');

  it('keep their identity through save, rmi and load', { skip: needsOwnDaemon }, async () => {
    const before = JSON.parse(await engine.ok('image', 'inspect', 'busybox'))[0];
    const tar = join(engine.temporary, 'busybox.tar');
    await engine.ok('save', '-o', tar, 'busybox');
    await engine.ok('rmi', 'busybox');
    assert.equal((await engine.docker('image', 'inspect', 'busybox')).code, 1);
    assert.equal(await engine.ok('load', '-i', tar), 'Loaded image: busybox:latest');
    const after = JSON.parse(await engine.ok('image', 'inspect', 'busybox'))[0];
    assert.equal(after.Id, before.Id);
    assert.deepEqual(after.RootFS, before.RootFS);
    assert.deepEqual(after.Config, before.Config);
    assert.equal(await engine.ok('run', '--rm', 'busybox', 'echo', 'alive'), 'alive');
  });

  it('are saved as an archive that both formats understand', async () => {
    const tar = join(engine.temporary, 'saved.tar');
    await engine.ok('save', '-o', tar, 'busybox:latest');
    const { stdout } = await execute('tar', ['-tf', tar]);
    const names = stdout.split('\n');
    for (const name of ['manifest.json', 'index.json', 'oci-layout'])
      assert.ok(names.includes(name), `${name} in ${stdout}`);
    const manifest = JSON.parse((await execute('tar', ['-xOf', tar, 'manifest.json'])).stdout);
    assert.deepEqual(manifest[0].RepoTags, ['busybox:latest']);
    assert.ok(names.includes(manifest[0].Config) && names.includes(manifest[0].Layers[0]));
  });

  it('load compressed archives, from a file or a pipe', async () => {
    const tar = join(engine.temporary, 'plain.tar');
    await engine.ok('save', '-o', tar, 'busybox:latest');
    const bytes = readFileSync(tar);
    for (const [ending, packed] of [
      ['gz', gzipSync(bytes)],
      ['zst', zstdCompressSync(bytes)],
    ] as const) {
      const file = `${tar}.${ending}`;
      writeFileSync(file, packed);
      assert.equal(await engine.ok('load', '-i', file), 'Loaded image: busybox:latest');
      const piped = await engine.dockerWith({ input: packed }, 'load');
      assert.equal(piped.stdout, 'Loaded image: busybox:latest\n');
    }
  });

  it('refuse broken archives and keep what is there', async () => {
    const before = await id('busybox');
    const broken = await engine.dockerWith({ input: 'this is no tar' }, 'load');
    assert.equal(broken.code, 1);
    assert.notEqual(broken.stderr, '');
    const tar = join(engine.temporary, 'cut.tar');
    await engine.ok('save', '-o', tar, 'busybox:latest');
    const bytes = readFileSync(tar);
    const cut = await engine.dockerWith({ input: bytes.subarray(0, bytes.length / 2) }, 'load');
    assert.equal(cut.code, 1);
    assert.equal(await id('busybox'), before);
  });

  it('are refused with a reason while the archive is still being sent', async () => {
    const input = Buffer.alloc(20_000_000, 'x');
    for (const [change, reason] of [
      ['FROM x', 'FROM is not a valid change command'],
      ['NOSUCH x', 'NOSUCH is not a valid change command'],
    ] as const) {
      const refused = await engine.dockerWith({ input }, 'import', '-c', change, '-');
      assert.equal(refused.stderr, `Error response from daemon: ${reason}\n`);
    }
  });

  it('import a tree with changes', async () => {
    await importImage(engine, 'imported:v1', [
      'ENV GREETING=hello',
      'WORKDIR /tmp',
      'USER 1000:1000',
      'EXPOSE 8080/tcp',
      'LABEL made=here',
      'ENTRYPOINT ["sh", "-c"]',
      'CMD ["echo $GREETING from $PWD as $(id -u)"]',
    ]);
    assert.equal(await engine.ok('run', '--rm', 'imported:v1'), 'hello from /tmp as 1000');
    const config = JSON.parse(await engine.inspect('imported:v1', '{{json .Config}}'));
    assert.deepEqual(Object.keys(config.ExposedPorts), ['8080/tcp']);
    assert.equal(config.Labels.made, 'here');
    await engine.ok('rmi', 'imported:v1');
  });

  it('have tags that come and go; the image goes with the last', async () => {
    await importImage(engine, 'tagged:a', []);
    await engine.ok('tag', 'tagged:a', 'tagged:b');
    assert.equal(await id('tagged:a'), await id('tagged:b'));
    assert.equal(
      (await engine.ok('images', '--format', '{{.Tag}}', 'tagged')).split('\n').sort().join(),
      'a,b',
    );
    assert.equal(await engine.ok('rmi', 'tagged:a'), 'Untagged: tagged:a');
    const last = await engine.ok('rmi', 'tagged:b');
    assert.match(last, /^Untagged: tagged:b\nDeleted: sha256:/);
    assert.match((await engine.docker('rmi', 'tagged:b')).stderr, /No such image: tagged:b/);
    assert.match(
      (await engine.docker('tag', 'busybox', 'UPPER')).stderr,
      /invalid reference format|repository name must be lowercase/i,
    );
  });

  it('are kept while a container uses them, unless forced', async () => {
    await importImage(engine, 'used:1', ['CMD ["true"]']);
    await engine.ok('create', '--name', `user-${engine.id}`, 'used:1');
    const refused = await engine.docker('rmi', 'used:1');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /conflict: unable to remove repository reference "used:1" \(must force\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}/,
    );
    assert.match(await engine.ok('rmi', '-f', 'used:1'), /^Untagged: used:1\nDeleted: sha256:[0-9a-f]{64}$/);
    assert.equal(await engine.ok('start', '-a', `user-${engine.id}`), '', 'its container still works');
    await engine.ok('rm', `user-${engine.id}`);
    await engine.ok('image', 'prune', '--force');
  });

  it('tell their history', async () => {
    const rows = (await engine.ok('history', '--no-trunc', '--format', '{{json .}}', 'busybox')).split('\n');
    assert.ok(rows.length >= 1);
    const ids = rows.map((row) => JSON.parse(row).ID);
    assert.equal(ids[0], await id('busybox'));
  });

  it('prune what has no name', { skip: needsOwnDaemon }, async () => {
    await importImage(engine, 'shadowed', ['LABEL turn=1']);
    const first = await id('shadowed');
    await importImage(engine, 'shadowed', ['LABEL turn=2']);
    assert.equal(await engine.ok('images', '--quiet', '--no-trunc', '--filter', 'dangling=true'), first);
    const pruned = await engine.ok('image', 'prune', '--force');
    assert.match(pruned, /deleted: sha256:[\s\S]*Total reclaimed space: /);
    assert.equal(await engine.ok('images', '--quiet', '--filter', 'dangling=true'), '');
    await engine.ok('rmi', 'shadowed');
  });

  it('that are unknown are named in the error', async () => {
    const { code, stderr } = await engine.docker('run', '--pull', 'never', 'nobody/nothing:1', 'true');
    assert.equal(code, 125);
    assert.match(stderr, /No such image: nobody\/nothing:1/);
  });

  it('list with filters and digests', async () => {
    await importImage(engine, 'labelled:1', ['LABEL colour=green']);
    const found = await engine.ok(
      'images',
      '--filter',
      'label=colour=green',
      '--format',
      '{{.Repository}}:{{.Tag}}',
    );
    assert.equal(found, 'labelled:1');
    assert.equal(
      await engine.ok('images', '--filter', 'reference=label*', '--format', '{{.Repository}}'),
      'labelled',
    );
    await engine.ok('rmi', 'labelled:1');
  });
});
