import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { TarPacker } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import { digestOf } from '../../oci/index.ts';
import { ArchiveSpool } from './archive-spool.ts';
import { collect, openFixture } from './test-fixture.ts';

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

const idle = () => new AbortController().signal;

test('members are found by their cleaned names, with size and digest', async () => {
  await using fixture = openFixture();
  const body = Buffer.alloc(3000, 'x');
  const tar = new TarPacker()
    .add({ name: './a/../b', body })
    .add({ name: '/abs', body: Buffer.from('1') })
    .add({ name: 'dir/', type: 'directory' })
    .add({ name: 'twice', body: Buffer.from('first') })
    .add({ name: 'twice', body: Buffer.from('second') })
    .finish();
  await using spool = await ArchiveSpool.read(once(tar), fixture.temporary, idle());
  const file = spool.file('b');
  assert.deepEqual([file?.size, file?.digest], [3000, digestOf(body)]);
  assert.equal(spool.file('../../b')?.path, file?.path, 'no name leads out');
  assert.equal(spool.file('dir'), undefined);
  assert.equal(String(await spool.bytes('abs')), '1');
  assert.equal(String(await spool.bytes('twice')), 'second');
  assert.deepEqual(Buffer.concat((await collect(spool.open(file as never))) as Buffer[]), body);
  assert.equal(await spool.bytes('none'), undefined);
  assert.equal(await spool.json('none'), undefined);
});

test('a member that comes twice never changes what another one was found to be', async () => {
  await using fixture = openFixture();
  const tar = new TarPacker();
  for (const [name, text] of [
    ['a', 'first'],
    ['a', 'second'],
    ['b', 'third!'],
    ['a', 'fourth'],
    ['c', 'fifth!'],
  ] as const)
    tar.add({ name, body: Buffer.from(text) });
  await using spool = await ArchiveSpool.read(once(tar.finish()), fixture.temporary, idle());
  for (const name of ['a', 'b', 'c']) {
    const bytes = (await spool.bytes(name)) as Buffer;
    assert.equal(spool.file(name)?.digest, digestOf(bytes), name);
  }
  assert.equal(String(await spool.bytes('a')), 'fourth');
});

test('links lead to members, ten at most, and never outside', async () => {
  await using fixture = openFixture();
  const packer = new TarPacker().add({ name: 'deep/file', body: Buffer.from('{"a":1}') });
  packer.add({ name: 'deep/relative', type: 'symlink', linkName: 'file' });
  packer.add({ name: 'other/up', type: 'symlink', linkName: '../deep/relative' });
  packer.add({ name: 'hard', type: 'link', linkName: './other/up' });
  packer.add({ name: 'outside', type: 'symlink', linkName: '../../../etc/passwd' });
  packer.add({ name: 'ring', type: 'symlink', linkName: 'ring' });
  for (let at = 0; at < 12; at++)
    packer.add({ name: `l${at}`, type: 'symlink', linkName: at === 0 ? 'deep/file' : `l${at - 1}` });
  await using spool = await ArchiveSpool.read(once(packer.finish()), fixture.temporary, idle());
  for (const name of ['deep/relative', 'other/up', 'hard', 'l8'])
    assert.deepEqual(await spool.json(name), { a: 1 }, name);
  for (const name of ['outside', 'ring', 'l11']) assert.equal(spool.file(name), undefined, name);
});

test('documents have bounds and must be JSON', async () => {
  await using fixture = openFixture();
  const tar = new TarPacker()
    .add({ name: 'large', body: Buffer.alloc((16 << 20) + 1, ' ') })
    .add({ name: 'words', body: Buffer.from('words') })
    .finish();
  await using spool = await ArchiveSpool.read(once(tar), fixture.temporary, idle());
  await assert.rejects(
    spool.json('large'),
    (thrown: Error) => isKind(thrown, 'invalid') && /too large/.test(thrown.message),
  );
  await assert.rejects(spool.json('words'), {
    message: "invalid character 'w' looking for beginning of value",
  });
});

test('files are for their owner alone, and go with the spool', async () => {
  await using fixture = openFixture();
  const tar = new TarPacker().add({ name: 'a', body: Buffer.from('a') }).finish();
  const spool = await ArchiveSpool.read(once(tar), fixture.temporary, idle());
  assert.equal(statSync(spool.file('a')?.path ?? '').mode & 0o777, 0o600);
  await spool[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(fixture.temporary), []);
});

test('an archive that ends early, or whose reader leaves, leaves nothing', async () => {
  await using fixture = openFixture();
  const tar = new TarPacker().add({ name: 'a', body: Buffer.alloc(5000) }).finish();
  await assert.rejects(ArchiveSpool.read(once(tar.subarray(0, 2000)), fixture.temporary, idle()));
  const abort = new AbortController();
  const leaving = async function* () {
    yield* once(tar.subarray(0, 2000));
    abort.abort();
    yield tar.subarray(2000);
  };
  await assert.rejects(ArchiveSpool.read(leaving(), fixture.temporary, abort.signal));
  assert.deepEqual(readdirSync(fixture.temporary), []);
});

test('more files than an archive needs are refused', async () => {
  await using fixture = openFixture();
  const member = new TarPacker()
    .add({ name: 'link-000000', type: 'symlink', linkName: 'x' })
    .finish()
    .subarray(0, 512);
  const many = async function* () {
    for (let at = 0; at <= 50_000; at++) {
      const header = Buffer.from(member);
      header.write(String(at).padStart(6, '0'), 5);
      header.fill(' ', 148, 156);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      yield header;
    }
  };
  await assert.rejects(ArchiveSpool.read(many(), fixture.temporary, idle()), {
    message: 'the archive holds more than 50000 members',
  });
});
