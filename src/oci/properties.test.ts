import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import {
  bareMediaType,
  chainIds,
  choosePlatform,
  digestOf,
  formatPlatform,
  isDigest,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  MediaTypes,
  normalizePlatform,
  parseDigest,
  parsePlatform,
  parseReference,
  splitDigest,
  splitRepoTag,
  withDefaultTag,
  withDigest,
  withTag,
} from './index.ts';

/** Picks, the same in every run. */
function picker(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

const DOMAINS = [
  'docker.io',
  'localhost',
  'host:5000',
  'a.b-c.example',
  '[fd00::1]:443',
  'UPPER',
  '127.0.0.1:80',
];
const COMPONENTS = ['a', 'b0', 'x_y', 'x__y', 'x-y', 'x---y', 'x.y', 'library', '0'];
const TAGS = [undefined, 'latest', '_', 'V1.2-rc_3', 't'.repeat(128)];
const DIGESTS = [undefined, digestOf('x'), parseDigest(`sha512:${'0f'.repeat(64)}`)];

describe('random references', () => {
  it('come back from both of their forms, and keep their parts', () => {
    const { below, of } = picker(3);
    for (let round = 0; round < 3000; round++) {
      const [domain, tag, digest] = [of(DOMAINS), of(TAGS), of(DIGESTS)];
      const path = Array.from({ length: 1 + below(4) }, () => of(COMPONENTS)).join('/');
      const text = `${domain}/${path}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`;
      const reference = parseReference(text);
      assert.equal(reference.domain, domain);
      const official = domain === 'docker.io' && !path.includes('/');
      assert.equal(reference.path, official ? `library/${path}` : path, text);
      assert.deepEqual([reference.tag, reference.digest], [tag, digest]);
      // Docker's own short form of docker.io/x.y/z reads as the registry x.y; that name alone does not come back.
      const ambiguous = domain === 'docker.io' && /^[^/]*\.[^/]*\//.test(path);
      for (const form of [reference.canonical(), ...(ambiguous ? [] : [reference.familiar()])]) {
        assert.equal(parseReference(form).canonical(), reference.canonical(), text);
      }
      assert.ok(reference.familiar().length <= reference.canonical().length);
      assert.equal(splitRepoTag(text).repository, `${domain}/${path}`);
    }
  });

  it('exchange tag and digest without touching the name', () => {
    const { of } = picker(5);
    for (let round = 0; round < 500; round++) {
      const reference = parseReference(`${of(DOMAINS)}/${of(COMPONENTS)}:${of(['a', 'b'])}`);
      const tagged = withTag(reference, 'other');
      const digested = withDigest(tagged, digestOf('y'));
      assert.deepEqual([tagged.name, tagged.tag, tagged.digest], [reference.name, 'other', undefined]);
      assert.deepEqual(
        [digested.name, digested.tag, digested.digest],
        [reference.name, undefined, digestOf('y')],
      );
      assert.equal(withDefaultTag(digested), digested);
    }
  });

  it('when damaged, are an `invalid` or another good reference, never a path that climbs', () => {
    const { below, of } = picker(9);
    const junk = [
      '..',
      '/',
      '//',
      '@',
      ':',
      '\u0000',
      '\n',
      ' ',
      '%2e',
      'A',
      '-',
      '_',
      'é',
      '\\',
      '[',
      ']',
      '?',
    ];
    let refused = 0;
    for (let round = 0; round < 5000; round++) {
      const text = `${of(DOMAINS)}/${of(COMPONENTS)}/${of(COMPONENTS)}:${of(['1', 'x'])}`;
      const at = below(text.length + 1);
      const damaged = text.slice(0, at) + of(junk) + text.slice(at + below(2));
      try {
        const { path, domain } = parseReference(damaged);
        assert.match(path, /^[a-z0-9._/-]+$/, damaged);
        assert.ok(!`${domain}/${path}`.split('/').some((part) => /^\.*$/.test(part)), damaged);
      } catch (thrown) {
        assert.ok(isKind(thrown, 'invalid'), `${damaged}: ${thrown}`);
        refused += 1;
      }
    }
    assert.ok(refused > 2500, `${refused} were refused`);
  });
});

describe('platforms', () => {
  const names = [
    'linux/amd64',
    'linux/amd64/v2',
    'linux/amd64/v3',
    'linux/386',
    'linux/arm64',
    'linux/arm64/v9',
  ];
  const all = [...names, 'linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7', 'linux/s390x', 'windows/amd64'].map(
    parsePlatform,
  );

  it('normal forms stay as they are, and are read again from their text', () => {
    for (const platform of all) {
      assert.deepEqual(normalizePlatform(platform), platform);
      assert.deepEqual(parsePlatform(formatPlatform(platform)), platform);
    }
  });

  it('every platform chooses itself wherever it stands, and never another system', () => {
    for (const wanted of all) {
      for (let shift = 0; shift < all.length; shift++) {
        const offers = [...all.slice(shift), ...all.slice(0, shift)];
        assert.equal(offers[choosePlatform(wanted, offers)], wanted, formatPlatform(wanted));
      }
      const others = all.filter(({ os }) => os !== wanted.os);
      assert.equal(choosePlatform(wanted, others), -1);
    }
  });

  it('never chooses a newer variant than was asked for', () => {
    const rank = (variant = 'v0') => Number(variant.slice(1));
    for (const wanted of all) {
      const same = all.filter(
        ({ os, architecture }) => os === wanted.os && architecture === wanted.architecture,
      );
      const newer = same.filter(({ variant }) => rank(variant) > rank(wanted.variant));
      assert.equal(choosePlatform(wanted, newer), -1, formatPlatform(wanted));
    }
  });

  it('names what is left empty, and does not change what it was given', () => {
    assert.equal(formatPlatform({ os: '', architecture: '' }), 'unknown/unknown');
    const given = Object.freeze({ os: 'Linux', architecture: 'AARCH64', variant: 'V8' });
    assert.deepEqual(normalizePlatform(given), { os: 'linux', architecture: 'arm64' });
    assert.equal(choosePlatform(given, []), -1);
  });
});

describe('digests and chains', () => {
  it('every digest made is one, splits into safe names, and changes with each byte', () => {
    const seen = new Set<string>();
    for (let byte = 0; byte < 256; byte++) {
      const digest = digestOf(Uint8Array.of(byte));
      assert.ok(isDigest(digest));
      const { algorithm, hex } = splitDigest(digest);
      assert.match(`${algorithm}/${hex}`, /^sha256\/[0-9a-f]{64}$/);
      seen.add(digest);
    }
    assert.equal(seen.size, 256);
  });

  it('a chain of layers is prefix-stable: what stands on top changes nothing below', () => {
    const layers = Array.from({ length: 50 }, (_, at) => digestOf(`layer ${at}`));
    const whole = chainIds(layers);
    for (let length = 0; length <= layers.length; length++) {
      assert.deepEqual(chainIds(layers.slice(0, length)), whole.slice(0, length));
    }
    assert.equal(new Set(whole).size, layers.length);
    assert.equal(whole[0], layers[0]);
  });
});

describe('media types', () => {
  it('each one known belongs to one class at most, by its bare name alone', () => {
    const classes = [isIndexType, isManifestType, isSchema1Type, isLayerType];
    for (const type of Object.values(MediaTypes)) {
      const matching = classes.filter((is) => is(type));
      const none = /config|container\.image|empty/.test(type);
      assert.equal(matching.length, none ? 0 : 1, type);
      assert.ok(
        !classes.some((is) => is(`${type}; charset=utf-8`) || is(` ${type}`) || is(type.toUpperCase())),
        type,
      );
      assert.equal(bareMediaType(` ${type.toUpperCase()} ;charset="utf-8;"`), type);
    }
    for (const name of ['', 'text/plain', '__proto__', 'constructor']) {
      assert.ok(!classes.some((is) => is(name)), name);
    }
  });
});
