import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaTypes } from '../oci/index.ts';
import { memoryRegistry } from '../registry/client/testing/memory-registry.ts';
import { serve } from '../registry/client/testing/serve.ts';
import { runAgainst } from './fake-engine.ts';
import { naturalOrder, tagPattern } from './tag-order.ts';

describe('tags in their order', () => {
  it('numbers count, and suffixes of a version come before it', () => {
    const sorted = ['1.10', '1.9', '1.9-rc1', '1.9.1', 'latest', '010', '9', '1.9-rc10', '1.9-rc2'];
    sorted.sort(naturalOrder);
    assert.deepEqual(sorted, [
      '1.9-rc1',
      '1.9-rc2',
      '1.9-rc10',
      '1.9',
      '1.9.1',
      '1.10',
      '9',
      '010',
      'latest',
    ]);
  });

  it('is an order: the same both ways, and of numbers of any length', () => {
    const some = ['a', 'a1', '1', '1-', '1-a', '', '1.', '18446744073709551616', '18446744073709551615'];
    for (const a of some)
      for (const b of some) assert.equal(Math.sign(naturalOrder(a, b)), -Math.sign(naturalOrder(b, a)) + 0);
    assert.ok(naturalOrder('18446744073709551616', '18446744073709551615') > 0);
  });
});

describe('patterns of tags', () => {
  const cases: [string, string[], string[]][] = [
    ['*', ['', 'a', '1.2'], []],
    ['1.*', ['1.', '1.2'], ['1', '11.2', 'x1.2']],
    ['v?.[0-9]', ['v1.0', 'vx.9'], ['v1.x', 'v1.10', '1.0']],
    ['[!0-9]*', ['a1'], ['1a', '']],
    ['*-[^r]*', ['1-a', 'r-r-a'], ['1-r', '1']],
    ['[]x]', [']', 'x'], ['[']],
    ['a.c+', ['a.c+'], ['abc', 'a.cc']],
    ['*a*b', ['ab', 'xaxbb'], ['ba', 'abx']],
  ];
  for (const [pattern, yes, no] of cases)
    it(pattern, () => {
      const fits = tagPattern(pattern);
      assert.deepEqual([yes.filter((tag) => !fits(tag)), no.filter(fits)], [[], []]);
    });

  it('refuses what is none, and cannot be made to take for ever', () => {
    assert.throws(() => tagPattern('a['), /"a\[" is no pattern for tags/);
    assert.throws(() => tagPattern('[z-a]'), /is no pattern for tags/);
    assert.equal(tagPattern(`${'*a'.repeat(60)}b`)('a'.repeat(128)), false);
  });
});

describe('wharf tags', () => {
  const registry = memoryRegistry({ page: 2 });
  const digests = ['1.9', '1.10', 'latest'].map((tag) =>
    registry.put('a/x', tag, Buffer.from(`{"tag":"${tag}"}`), MediaTypes.ociManifest),
  );

  async function tags(...words: string[]) {
    await using served = await serve(registry.handler);
    const args = ['tags', ...words.map((word) => word.replace('HOST', served.host))];
    const { code, out, err } = await runAgainst(args, () => ({}));
    const plain = (text: string) => text.replaceAll(served.host, 'HOST');
    return { code, out: plain(out), err: plain(err) };
  }

  it('lists all pages, the highest version first, or those that fit', async () => {
    assert.equal((await tags('HOST/a/x')).out, 'latest\n1.10\n1.9\n');
    assert.equal((await tags('HOST/a/x', '1.*')).out, '1.10\n1.9\n');
    assert.equal((await tags('-n', '1', 'HOST/a/x', '[0-9]*')).out, '1.10\n');
  });

  it('shows digests and takes templates', async () => {
    const { out } = await tags('--digests', 'HOST/a/x');
    assert.deepEqual(out.split('\n'), [
      'TAG       DIGEST',
      `latest    ${digests[2]}`,
      `1.10      ${digests[1]}`,
      `1.9       ${digests[0]}`,
      '',
    ]);
    assert.equal(
      (await tags('--format', '{{.Name}} {{.Repository}}', '-n', '1', 'HOST/a/x')).out,
      'HOST/a/x:latest HOST/a/x\n',
    );
    assert.equal(
      (await tags('--format', 'json', 'HOST/a/x', '1.9')).out,
      '{"Name":"HOST/a/x:1.9","Repository":"HOST/a/x","Tag":"1.9"}\n',
    );
    assert.equal((await tags('--format', '{{.Digest}}', 'HOST/a/x', '1.9')).out, `${digests[0]}\n`);
  });

  it('refuses a tag or a digest, and says what the registry said', async () => {
    assert.equal((await tags('HOST/a/x:1')).err, 'the image is named without tag or digest\n');
    assert.equal((await tags('UP')).code, 1);
    const unknown = await tags('HOST/no/such');
    assert.deepEqual([unknown.code, unknown.out], [1, '']);
    assert.match(unknown.err, /unknown/i);
  });
});
