import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthConfig } from '../../api/index.ts';
import { type ErrorKind, WharfError } from '../../base/index.ts';
import type { RegistryCredentials } from '../../registry/types.ts';
import { checkCredentials, registryCredentials } from './index.ts';
import { fakeRegistries } from './testing/fake-registry.ts';

const never = new AbortController().signal;

function check(auth: AuthConfig, answer: () => { status: string; identityToken: string } = granted) {
  const asked: [string, RegistryCredentials][] = [];
  const registries = fakeRegistries(
    {},
    {
      async login(server, credentials) {
        asked.push([server, credentials]);
        return answer();
      },
    },
  );
  return { asked, done: checkCredentials({ registries: () => registries }, auth, never) };
}

const granted = () => ({ status: 'Login Succeeded', identityToken: 'refresh' });

test('credentials are taken over, and what is empty is absent', () => {
  assert.deepEqual(registryCredentials({}), {});
  assert.deepEqual(
    registryCredentials({ username: '', password: '', identitytoken: '', registrytoken: '' }),
    {},
  );
  assert.deepEqual(
    registryCredentials({
      username: 'alice',
      password: 'secret',
      identitytoken: 'refresh',
      registrytoken: 'bearer',
      email: 'a@b',
      serveraddress: 'x',
    }),
    { username: 'alice', password: 'secret', identityToken: 'refresh', registryToken: 'bearer' },
  );
});

test('a login answers with the words and the token of the registry', async () => {
  const { asked, done } = check({ username: 'alice', password: 'secret', serveraddress: 'lab:5000' });
  assert.deepEqual(await done, { Status: 'Login Succeeded', IdentityToken: 'refresh' });
  assert.deepEqual(asked, [['lab:5000', { username: 'alice', password: 'secret' }]]);
});

test('every form of an address reaches the client; none means Docker Hub', async () => {
  const forms = [
    'lab',
    'lab:5000',
    'http://lab',
    'https://lab:5000/v2/',
    'lab/v1/',
    '[::1]:5000',
    'https://index.docker.io/v1/',
  ];
  for (const serveraddress of forms) {
    const { asked, done } = check({ serveraddress });
    await done;
    assert.deepEqual(asked, [[serveraddress, {}]]);
  }
  for (const auth of [{}, { serveraddress: '' }]) {
    const { asked, done } = check(auth);
    await done;
    assert.deepEqual(asked, [['https://index.docker.io/v1/', {}]]);
  }
});

test('an address that can be none is refused before anything is sent', async () => {
  const { asked, done } = check({ username: 'a', password: 'b', serveraddress: 'bad host/x' });
  await assert.rejects(done, {
    kind: 'invalid',
    message: 'unable to parse server address: parse "https://bad host/x": invalid character " " in host name',
  });
  assert.deepEqual(asked, []);
});

test('a refusal keeps its words', async () => {
  const { done } = check({ username: 'a', password: 'b' }, () => {
    throw new WharfError('unauthorized', 'unauthorized: incorrect username or password');
  });
  await assert.rejects(done, {
    kind: 'unauthorized',
    message: 'unauthorized: incorrect username or password',
  });
});

test('the status of each failure is the one that the reference has', async () => {
  const cases: [ErrorKind, string, ErrorKind][] = [
    ['unauthorized', 'login attempt to http://lab/v2/ failed with status: 401 Unauthorized', 'internal'],
    ['unauthorized', 'Get "http://lab/v2/": no basic auth credentials', 'internal'],
    ['unauthorized', 'Get "https://hub/v2/": unauthorized: incorrect username or password', 'unauthorized'],
    ['unavailable', 'Get "http://lab/v2/": dial tcp: connection refused', 'internal'],
    ['rate-limited', 'toomanyrequests: enough', 'internal'],
    ['cancelled', 'the request was cancelled', 'cancelled'],
  ];
  for (const [thrown, message, kind] of cases) {
    const { done } = check({ username: 'a', password: 'b' }, () => {
      throw new WharfError(thrown, message);
    });
    await assert.rejects(done, { kind, message });
  }
});
