import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { hash } from 'bcryptjs';
import { eventually, execute, needsOwnDaemon, type Outcome, TestDaemon, WHARF } from './support/index.ts';
import { freePort } from './support/registries.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const ACCESS = {
  groups: { staff: ['ann', 'bob'] },
  rules: [
    { repositories: 'lab/**', public: true, push: ['@staff'], delete: ['ann'] },
    { repositories: 'secret/*', pull: ['ann'], push: ['ann'] },
    { repositories: ['ci/*', 'nightly'], pull: ['*'], create: ['robot'] },
  ],
  catalog: ['@staff'],
};
const PASSWORDS: Record<string, string> = { ann: 'anns-secret', bob: 'bobs-secret', robot: 'robots-secret' };

describe('users and rights of the registry of the daemon', { skip: needsOwnDaemon }, () => {
  const engine = new TestDaemon();
  const users = join(engine.temporary, 'users');
  const access = join(engine.temporary, 'access.json');
  let host = '';

  before(async () => {
    host = `localhost:${await freePort()}`;
    const lines = Object.entries(PASSWORDS).map(
      async ([name, password]) => `${name}:${await hash(password, 4)}`,
    );
    writeFileSync(users, `${(await Promise.all(lines)).join('\n')}\n`);
    writeFileSync(access, JSON.stringify(ACCESS));
    engine.configure({
      registry: { listen: host.replace('localhost', '127.0.0.1'), htpasswd: users, access },
    });
    await engine.start();
    await as('ann', 'tag', 'busybox', `${host}/secret/plan:1`);
    await as('ann', 'push', `${host}/secret/plan:1`);
  });
  after(() => engine.dispose());
  afterEach((context) => {
    if ('passed' in context && context.passed === false) console.log(engine.log().slice(-3000));
  });

  /** The stock client with the logins of one user; nobody's are empty. */
  async function tryAs(user: string, ...args: string[]): Promise<Outcome> {
    const env = { DOCKER_CONFIG: join(engine.temporary, `client-${user}`) };
    const password = PASSWORDS[user];
    mkdirSync(env.DOCKER_CONFIG, { recursive: true });
    if (password !== undefined) {
      const login = ['login', '-u', user, '--password-stdin', host];
      const done = await engine.dockerWith({ env, input: password }, ...login);
      assert.equal(done.code, 0, done.stderr);
    }
    return engine.dockerWith({ env }, ...args);
  }
  async function as(user: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await tryAs(user, ...args);
    assert.equal(code, 0, `${user}: ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }
  async function denied(user: string, ...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await tryAs(user, ...args);
    assert.equal(code, 1, `${user} may ${args.join(' ')}: ${stdout}`);
    assert.match(stderr, /^(denied: |Error response from daemon: pull access denied for )/m);
  }
  /** One request over the socket; Basic with the user's password. */
  function ask(user: string, path: string, init: RequestInit = {}): Promise<Response> {
    const basic = Buffer.from(`${user}:${PASSWORDS[user]}`).toString('base64');
    const login = PASSWORDS[user] === undefined ? {} : { Authorization: `Basic ${basic}` };
    return fetch(`http://${host}${path}`, {
      ...init,
      headers: { Accept: MANIFEST, ...login, ...init.headers },
    });
  }

  it('what is public is pulled by anybody, and pushed by whom the file names', async () => {
    const name = `${host}/lab/app:1`;
    await as('ann', 'tag', 'busybox', name);
    await denied('nobody', 'push', name);
    await denied('robot', 'push', name);
    await as('bob', 'push', name);
    await as('nobody', 'rmi', name);
    await as('nobody', 'pull', name);
    assert.equal((await ask('nobody', '/v2/lab/app/manifests/1')).status, 200);
    assert.equal((await ask('bob', '/v2/lab/app/manifests/1', { method: 'DELETE' })).status, 403);
    assert.equal((await ask('ann', '/v2/lab/app/manifests/1', { method: 'DELETE' })).status, 202);
    assert.equal((await ask('nobody', '/v2/lab/app/manifests/1')).status, 404);
  });

  it('what is private is shown to nobody else, and whether it is there neither', async () => {
    const name = `${host}/secret/plan:1`;
    for (const user of ['nobody', 'bob']) {
      await denied(user, 'pull', name);
      const statuses = [];
      for (const path of ['secret/plan', 'secret/none', 'no-rule/app'])
        statuses.push((await ask(user, `/v2/${path}/manifests/1`)).status);
      assert.deepEqual(new Set(statuses), new Set([user === 'nobody' ? 401 : 403]));
    }
    await as('ann', 'pull', name);
    const listed = async (user: string) => {
      const answer = await ask(user, '/v2/_catalog');
      return answer.status === 200 ? ((await answer.json()) as { repositories: string[] }).repositories : [];
    };
    assert.ok((await listed('ann')).includes('secret/plan'));
    for (const user of ['bob', 'robot', 'nobody'])
      assert.ok(!(await listed(user)).includes('secret/plan'), user);
  });

  it('who may only create does not move a tag', async () => {
    const name = `${host}/ci/build:1`;
    await as('robot', 'tag', 'busybox', name);
    await as('robot', 'push', name);
    await as('bob', 'pull', name);
    const { headers } = await ask('bob', '/v2/ci/build/manifests/1');
    const changed = join(engine.temporary, 'changed.tar');
    const packed = await execute('tar', ['-C', engine.temporary, '-cf', changed, 'access.json']);
    assert.equal(packed.code, 0, packed.stderr);
    await as('robot', 'import', changed, name);
    await denied('robot', 'push', name);
    const now = await ask('bob', '/v2/ci/build/manifests/1');
    assert.equal(now.headers.get('docker-content-digest'), headers.get('docker-content-digest'));
    await as('robot', 'tag', name, `${host}/ci/build:2`);
    await as('robot', 'push', `${host}/ci/build:2`);
    await as('robot', 'rmi', name, `${host}/ci/build:2`);
  });

  it('a layer is taken over from another repository only by who may read that', async () => {
    const manifest = (await (await ask('ann', '/v2/secret/plan/manifests/1')).json()) as {
      layers: { digest: string }[];
    };
    const digest = manifest.layers[0]?.digest as string;
    const mount = `/v2/lab/taken/blobs/uploads/?mount=${digest}&from=secret/plan`;
    assert.equal((await ask('bob', mount, { method: 'POST' })).status, 202);
    assert.equal((await ask('bob', `/v2/lab/taken/blobs/${digest}`)).status, 404);
    assert.equal((await ask('ann', mount, { method: 'POST' })).status, 201);
    assert.equal((await ask('bob', `/v2/lab/taken/blobs/${digest}`)).status, 200);
  });

  it('rights that are taken away and users that are removed count at once', async () => {
    writeFileSync(access, JSON.stringify({ ...ACCESS, rules: ACCESS.rules.filter((_, at) => at !== 2) }));
    const closed = () => ask('bob', '/v2/ci/build/manifests/1').then(({ status }) => status);
    await eventually(closed, (status) => status === 403, 'the rule is gone');
    const removed = await execute(WHARF, ['registry', 'user', 'rm', '--htpasswd', users, 'robot']);
    assert.equal(removed.code, 0, removed.stderr);
    const refused = () => ask('robot', '/v2/').then(({ status }) => status);
    await eventually(refused, (status) => status === 401, 'the user is gone');
    writeFileSync(access, '{"rules": [');
    assert.equal(
      (await ask('bob', '/v2/lab/taken/tags/list')).status,
      200,
      'a broken file leaves the old rights',
    );
    writeFileSync(access, JSON.stringify(ACCESS));
  });

  it('the audit has who, what, when and from where, and no password', async () => {
    assert.equal((await ask('nobody', '/v2/secret/plan/manifests/1')).status, 401);
    const text = () => readFileSync(join(engine.dataRoot, 'registry/audit.log'), 'utf8');
    const lines = () =>
      text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const has = (wanted: Record<string, unknown>) =>
      lines().some((line) => Object.entries(wanted).every(([key, value]) => line[key] === value));
    const secret = { repository: 'secret/plan', reference: '1' };
    const expected = [
      { ...secret, user: 'ann', action: 'push', status: 201 },
      { ...secret, user: 'bob', action: 'pull', status: 403, from: '127.0.0.1' },
      { ...secret, user: null, action: 'pull', status: 401, from: '127.0.0.1' },
      { repository: 'lab/app', user: 'ann', action: 'delete', status: 202 },
      { repository: 'lab/taken', user: 'ann', action: 'mount', status: 201 },
    ];
    await eventually(
      () => expected.filter((line) => !has(line)),
      (missing) => missing.length === 0,
      'the lines',
    );
    assert.ok(lines().every(({ time }) => !Number.isNaN(Date.parse(String(time)))));
    for (const password of Object.values(PASSWORDS)) {
      assert.doesNotMatch(text(), new RegExp(password));
      assert.doesNotMatch(engine.log(), new RegExp(password));
    }
  });
});
