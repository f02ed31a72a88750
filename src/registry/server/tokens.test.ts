import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import { covers, grantScopes, parseScopes, scopeText, type TokenClaims, TokenSigner } from './tokens.ts';
import { openTokenKey } from './tokens-key.ts';

const KEY = randomBytes(32);
const START = 1_700_000_000;
let seconds: number;
const clock = { nowNanos: () => BigInt(seconds) * 1_000_000_000n };
let signer: TokenSigner;

beforeEach(() => {
  seconds = START;
  signer = new TokenSigner(KEY, 'registry', clock);
});

const CLAIMS: TokenClaims = {
  user: 'ann',
  entry: 'e1',
  access: [{ type: 'repository', name: 'lab/tools', actions: ['pull', 'push'] }],
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const hs256 = (body: string, key: Buffer) => createHmac('sha256', key).update(body).digest('base64url');

/** Signs with the right key what the signer itself would never write. */
function forge(header: object, payload: object, key: Buffer = KEY): string {
  const body = `${encode(header)}.${encode(payload)}`;
  return `${body}.${hs256(body, key)}`;
}

const payloadOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

const HEADER = { typ: 'JWT', alg: 'HS256' };

describe('a token', () => {
  it('says what was signed', () => {
    assert.deepEqual(signer.verify('access', signer.sign('access', CLAIMS)), CLAIMS);
    const nobody: TokenClaims = { user: undefined, entry: undefined, access: [] };
    assert.deepEqual(signer.verify('access', signer.sign('access', nobody)), nobody);
  });

  it('is good for five minutes, and a minute of clocks that differ', () => {
    const token = signer.sign('access', CLAIMS);
    seconds = START + 300 + 59;
    assert.ok(signer.verify('access', token));
    seconds = START + 300 + 60;
    assert.equal(signer.verify('access', token), undefined);
    seconds = START - 60;
    assert.ok(signer.verify('access', token));
    seconds = START - 61;
    assert.equal(signer.verify('access', token), undefined);
  });

  it('to refresh is good for half a year', () => {
    const token = signer.sign('refresh', { ...CLAIMS, access: [] });
    seconds = START + 180 * 86_400;
    assert.ok(signer.verify('refresh', token));
    seconds = START + 184 * 86_400;
    assert.equal(signer.verify('refresh', token), undefined);
  });

  it('that was good before ends all the same, and is not kept for ever', () => {
    const token = signer.sign('access', CLAIMS);
    assert.ok(signer.verify('access', token));
    assert.ok(signer.verify('access', token));
    assert.equal(signer.verify('refresh', token), undefined);
    seconds = START + 360;
    assert.equal(signer.verify('access', token), undefined);
    seconds = START;
    for (let at = 0; at < 2_000; at++) signer.verify('access', signer.sign('access', CLAIMS));
    const { recent } = signer as unknown as { recent: Map<string, unknown> };
    assert.ok(recent.size <= 500);
  });

  it('of one use does not stand for the other', () => {
    assert.equal(signer.verify('refresh', signer.sign('access', CLAIMS)), undefined);
    assert.equal(signer.verify('access', signer.sign('refresh', CLAIMS)), undefined);
  });

  it('of another service or another key is none', () => {
    const other = new TokenSigner(KEY, 'other', clock);
    assert.equal(signer.verify('access', other.sign('access', CLAIMS)), undefined);
    const stranger = new TokenSigner(randomBytes(32), 'registry', clock);
    assert.equal(signer.verify('access', stranger.sign('access', CLAIMS)), undefined);
  });
});

describe('a forged token', () => {
  const good = () => payloadOf(signer.sign('access', CLAIMS));

  it('without a signature is refused, however the algorithm "none" is written', () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const body = `${encode({ typ: 'JWT', alg })}.${encode(good())}`;
      for (const token of [`${body}.`, body, forge({ typ: 'JWT', alg }, good())])
        assert.equal(signer.verify('access', token), undefined, `${alg} ${token.slice(-10)}`);
    }
    const [header, payload] = signer.sign('access', CLAIMS).split('.');
    for (const token of [`${header}.${payload}.`, `${header}.${payload}`, `${header}..`, '..', '', '...'])
      assert.equal(signer.verify('access', token), undefined, token);
  });

  it('with another algorithm is refused even when it is signed with the right key', () => {
    for (const alg of ['HS384', 'HS512', 'RS256', 'ES256', 'EdDSA', 'hs256', 'PS256'])
      assert.equal(signer.verify('access', forge({ typ: 'JWT', alg }, good())), undefined, alg);
  });

  it('with a key of its own in the header is refused: jwk, x5c, kid, jku', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const extras = [
      { alg: 'RS256', jwk, kid: 'mine' },
      { alg: 'RS256', x5c: ['MIIB'] },
      { alg: 'RS256', jku: 'http://evil.test/keys' },
      { alg: 'HS256', kid: '../../dev/null' },
      { alg: 'HS256', jwk: { kty: 'oct', k: Buffer.from('attacker').toString('base64url') } },
    ];
    for (const extra of extras) {
      const body = `${encode({ typ: 'JWT', ...extra })}.${encode(good())}`;
      const byRsa = `${body}.${sign('sha256', Buffer.from(body), privateKey).toString('base64url')}`;
      assert.equal(signer.verify('access', byRsa), undefined);
      for (const key of [Buffer.from('attacker'), Buffer.alloc(0), Buffer.from(JSON.stringify(jwk)), KEY])
        assert.equal(signer.verify('access', `${body}.${hs256(body, key)}`), undefined);
    }
  });

  it('whose payload was swapped is refused', () => {
    const [header, , signature] = signer.sign('access', CLAIMS).split('.');
    assert.equal(
      signer.verify('access', `${header}.${encode({ ...good(), sub: 'root' })}.${signature}`),
      undefined,
    );
  });

  it('with any bit changed is refused', () => {
    const token = signer.sign('access', CLAIMS);
    for (let at = 0; at < token.length - 1; at++) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      assert.equal(signer.verify('access', changed), undefined, `at ${at}`);
    }
  });

  const payloads: [string, (payload: Record<string, unknown>) => unknown][] = [
    ['another audience', (payload) => ({ ...payload, aud: 'other' })],
    ['several audiences', (payload) => ({ ...payload, aud: ['registry', 'other'] })],
    ['no audience', ({ aud: _, ...payload }) => payload],
    ['another issuer', (payload) => ({ ...payload, iss: 'other' })],
    ['no end', ({ exp: _, ...payload }) => payload],
    ['an end that is no number', (payload) => ({ ...payload, exp: '9999999999' })],
    ['no beginning', ({ nbf: _, ...payload }) => payload],
    ['a user that is none', (payload) => ({ ...payload, sub: { name: 'ann' } })],
    ['access that is none', (payload) => ({ ...payload, access: 'all' })],
    ['access without actions', (payload) => ({ ...payload, access: [{ type: 'repository', name: 'a' }] })],
    ['nothing', () => null],
    ['a list', () => []],
  ];
  for (const [what, change] of payloads) {
    it(`is refused for its payload: ${what}`, () => {
      assert.equal(signer.verify('access', forge(HEADER, change(good()) as object)), undefined);
    });
  }

  it('is taken apart without harm, whatever it is', () => {
    for (let at = 0; at < 500; at++) {
      const parts = Array.from({ length: at % 5 }, () => randomBytes(at % 60).toString('base64url'));
      assert.equal(signer.verify('access', parts.join('.')), undefined);
    }
    assert.equal(signer.verify('access', 'a'.repeat(1 << 20)), undefined);
    const body = `${encode(HEADER)}.${Buffer.from('{"deep":').toString('base64url')}`;
    assert.equal(signer.verify('access', `${body}.${hs256(body, KEY)}`), undefined);
  });
});

describe('scopes', () => {
  it('are read from several words and several parameters', () => {
    assert.deepEqual(parseScopes(['repository:a/b:pull,push registry:catalog:*', 'repository:c:pull']), [
      { type: 'repository', name: 'a/b', actions: ['pull', 'push'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
      { type: 'repository', name: 'c', actions: ['pull'] },
    ]);
    assert.deepEqual(parseScopes(['']), []);
  });

  it('may have a class, colons in the name, and an action twice', () => {
    assert.deepEqual(parseScopes(['repository(plugin):host:5000/a:pull,pull']), [
      { type: 'repository', name: 'host:5000/a', actions: ['pull'] },
    ]);
  });

  it('that are malformed or too many are refused', () => {
    for (const scope of [
      'repository',
      'repository:a',
      'REPOSITORY:a:pull',
      ':a:pull',
      'repository::pull',
      'repository:a:PULL',
    ])
      assert.throws(
        () => parseScopes([scope]),
        (thrown) => isKind(thrown, 'invalid'),
        scope,
      );
    assert.throws(() => parseScopes([Array(33).fill('repository:a:pull').join(' ')]), /at most 32 scopes/);
  });

  it('are granted as far as the policy goes', () => {
    const allows = {
      repository: (action: string, name: string) => name === 'a' || (name === 'b' && action === 'pull'),
      catalog: () => false,
    };
    const asked = parseScopes([
      'repository:a:* repository:b:pull,push repository:c:pull registry:catalog:* user:a:pull',
    ]);
    assert.deepEqual(grantScopes(asked, allows), [
      { type: 'repository', name: 'a', actions: ['pull', 'push', 'delete'] },
      { type: 'repository', name: 'b', actions: ['pull'] },
    ]);
    assert.equal(scopeText(grantScopes(asked, allows)), 'repository:a:pull,push,delete repository:b:pull');
    assert.equal(covers(grantScopes(asked, allows), 'repository', 'b', 'push'), false);
    assert.equal(covers(grantScopes(asked, allows), 'repository', 'b', 'pull'), true);
    assert.equal(covers(grantScopes(asked, allows), 'registry', 'b', 'pull'), false);
  });

  it('of the most that one token may hold fit into a header', () => {
    const name = `${'n'.repeat(60)}/${'m'.repeat(60)}`;
    const asked = parseScopes([Array.from({ length: 32 }, (_, at) => `repository:${name}${at}:*`).join(' ')]);
    const access = grantScopes(asked, { repository: () => true, catalog: () => true });
    const token = signer.sign('access', { ...CLAIMS, access });
    assert.ok(token.length < 12 << 10);
    assert.ok(signer.verify('access', token));
  });
});

describe('the key of tokens', () => {
  let dir: string;
  const inFolder = (work: (path: string) => void) => () => {
    dir = mkdtempSync(join(tmpdir(), 'wharf-key-'));
    try {
      work(join(dir, 'token-key'));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };

  it(
    'is made at the first start, for its owner alone, and kept',
    inFolder((path) => {
      const key = openTokenKey(path);
      assert.equal(key.length, 32);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.deepEqual(openTokenKey(path), key);
      assert.deepEqual(readFileSync(path), key);
    }),
  );

  it(
    'that others can read is refused, with what to do',
    inFolder((path) => {
      openTokenKey(path);
      chmodSync(path, 0o640);
      assert.throws(() => openTokenKey(path), /mode 640.*remove it/);
    }),
  );

  it(
    'that is damaged is refused',
    inFolder((path) => {
      writeFileSync(path, 'short', { mode: 0o600 });
      assert.throws(
        () => openTokenKey(path),
        (thrown) => isKind(thrown, 'corrupt'),
      );
    }),
  );

  it(
    'differs from registry to registry',
    inFolder((path) => {
      assert.notDeepEqual(openTokenKey(path), openTokenKey(`${path}2`));
    }),
  );
});
