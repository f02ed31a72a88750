import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { digestOf } from '../../oci/index.ts';
import { tagImage } from './tag.ts';
import { archivedName, targetName } from './target-name.ts';
import { openFixture, someImage } from './test-fixture.ts';

test('repository and tag make a whole name', () => {
  assert.equal(targetName('', ''), undefined);
  assert.equal(targetName('box', ''), 'docker.io/library/box:latest');
  assert.equal(targetName('box', '2'), 'docker.io/library/box:2');
  assert.equal(targetName('box:7', ''), 'docker.io/library/box:7');
  assert.equal(targetName('box:7', '8'), 'docker.io/library/box:8', 'a tag of its own wins');
  assert.equal(targetName('host:5000/a/b', 'x'), 'host:5000/a/b:x');
  assert.equal(archivedName('box:1'), 'docker.io/library/box:1');
});

const hex = 'a'.repeat(64);
const refused: [repo: string, tag: string, text: string][] = [
  ['imgp/A', '1', 'invalid reference format: repository name (imgp/A) must be lowercase'],
  ['imgp/a', 'b d', 'invalid tag format'],
  ['imgp/a', '-x', 'invalid tag format'],
  ['imgp/a', 'x'.repeat(129), 'invalid tag format'],
  [`imgp/a@${digestOf('x')}`, '', 'cannot import digest reference'],
  ['sha256', 'abc', 'refusing to create an ambiguous tag using digest algorithm as name'],
  [hex, '', `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
  ['../../etc/passwd', '', 'invalid reference format'],
  ['a\u0000b', '', 'invalid reference format'],
  ['a\nb', '', 'invalid reference format'],
];
for (const [repo, tag, text] of refused) {
  test(`${JSON.stringify(repo.slice(0, 30))} with ${JSON.stringify(tag.slice(0, 10))} is refused`, async () => {
    assert.throws(
      () => targetName(repo, tag),
      (thrown: Error) => isKind(thrown, 'invalid') && thrown.message === text,
    );
    await using fixture = openFixture();
    const image = await someImage(fixture, 'box:1');
    await assert.rejects(tagImage(fixture, image.id, { repo, tag }), { message: text });
    assert.deepEqual(fixture.images.namesOf(image.id), ['docker.io/library/box:1']);
  });
}

test('an archive must name its tags in full', () => {
  for (const [text, message] of [
    ['imgq/notag', 'invalid tag "imgq/notag"'],
    [`box@${digestOf('x')}`, `invalid tag "box@${digestOf('x')}"`],
    ['imgq/x:a b', 'invalid reference format'],
    ['IMGQ/X:1', 'invalid reference format: repository name (X) must be lowercase'],
    ['sha256:1', 'refusing to create an ambiguous tag using digest algorithm as name'],
  ] as const) {
    assert.throws(() => archivedName(text), { message });
  }
});

test('a tag moves from its holder, sets the time, and says so', async () => {
  await using fixture = openFixture();
  const one = await someImage(fixture, 'one:1');
  const two = await someImage(fixture, 'two:1');
  fixture.published.length = 0;
  fixture.time.nanos += 5_000_000_000n;
  await tagImage(fixture, 'two:1', { repo: 'one', tag: '1' });
  assert.equal(fixture.images.named('docker.io/library/one:1'), two.id);
  assert.deepEqual(fixture.images.namesOf(one.id), []);
  assert.equal(fixture.images.get(two.id)?.lastTagTime, '2023-11-14T22:13:25Z');
  assert.deepEqual(fixture.published, [
    { type: 'image', action: 'tag', id: two.id, attributes: { name: 'one:1' } },
  ]);
  await tagImage(fixture, 'two:1', { repo: '', tag: '' });
  assert.equal(fixture.published.length, 1, 'no name, no tag');
  await assert.rejects(tagImage(fixture, 'none', { repo: 'x', tag: '' }), {
    message: 'No such image: none:latest',
  });
});
