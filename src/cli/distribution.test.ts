import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAgainst, type Screen } from './fake-engine.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const stream = (...messages: object[]) => messages.map((each) => `${JSON.stringify(each)}\r\n`).join('');

/** A command line with what the engine streams back, and the requests with their credentials. */
async function run(args: string[], text = '', env: Record<string, string> = {}, screen: Screen = {}) {
  const auths: string[] = [];
  const answer = (request: IncomingMessage) => {
    auths.push(String(request.headers['x-registry-auth'] ?? ''));
    return { text };
  };
  const result = await runAgainst(args, answer, env, screen);
  return { ...result, auths };
}

/** A folder with a config.json, which is removed at the end. */
function configDir(config: object): Disposable & { env: Record<string, string> } {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-cli-'));
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config));
  return { env: { DOCKER_CONFIG: dir }, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

test('pull asks with the full name, says which tag it took, and ends with the name', async () => {
  const pulled = await run(['pull', 'x'], stream({ status: 'Status: done' }));
  assert.deepEqual(
    [pulled.out, pulled.asked],
    [
      'Using default tag: latest\nStatus: done\ndocker.io/library/x:latest\n',
      ['POST /images/create?fromImage=docker.io%2Flibrary%2Fx&tag=latest'],
    ],
  );
  const quiet = await run(['pull', '-q', `host:5000/a/x:2@${DIGEST}`], stream({ status: 'Status: done' }));
  assert.equal(quiet.out, `host:5000/a/x:2@${DIGEST}\n`);
  assert.deepEqual(quiet.asked, [
    `POST /images/create?fromImage=host%3A5000%2Fa%2Fx&tag=sha256%3A${'1'.repeat(64)}`,
  ]);
});

test('pull of all tags, of a platform, of all platforms', async () => {
  assert.deepEqual((await run(['pull', '-a', 'u/x'])).asked, [
    'POST /images/create?fromImage=docker.io%2Fu%2Fx',
  ]);
  assert.equal((await run(['pull', '-a', 'x:1'])).err, "tag can't be used with --all-tags/-a\n");
  assert.deepEqual((await run(['pull', '--platform', 'Linux/ARM64', 'x:1'])).asked, [
    'POST /images/create?fromImage=docker.io%2Flibrary%2Fx&tag=1&platform=linux%2Farm64',
  ]);
  assert.deepEqual((await run(['pull', '--all-platforms', 'x:1'])).asked, [
    'POST /images/create?fromImage=docker.io%2Flibrary%2Fx&tag=1&allPlatforms=1',
  ]);
  const both = await run(['pull', '--all-platforms', '--platform', 'linux/arm64', 'x']);
  assert.match(both.err, /^conflicting options/);
});

test('a failed pull ends with code 1 and without a name', async () => {
  const { code, out, err } = await run(['pull', 'x:1'], stream({ errorDetail: { message: 'it broke' } }));
  assert.deepEqual([code, out, err], [1, '', 'it broke\n']);
});

test('push names the image and always sends credentials, be they empty', async () => {
  const pushed = await run(['push', 'host:5000/x'], stream({ status: 'latest: digest' }));
  assert.deepEqual(
    [pushed.out, pushed.asked, pushed.auths],
    ['Using default tag: latest\nlatest: digest\n', ['POST /images/host%3A5000/x/push?tag=latest'], ['e30=']],
  );
  assert.equal((await run(['push', '-q', 'x:1'], stream({ status: 'no' }))).out, 'docker.io/library/x:1\n');
  assert.deepEqual((await run(['push', '-a', 'x'])).asked, ['POST /images/docker.io/library/x/push']);
  assert.equal((await run(['push', '-a', 'x:1'])).err, "tag can't be used with --all-tags/-a\n");
  assert.equal((await run(['push', `x@${DIGEST}`])).err, 'cannot push a digest reference\n');
});

test('push of one platform says what that means, and refuses what is none', async () => {
  const one = await run(['push', '--platform', 'linux/amd64', 'x:1']);
  assert.equal(
    one.out,
    '\n Info -> Using --platform pushes only the specified platform manifest of a multi-platform image index.\n' +
      '         Other components, like attestations, will not be included.\n' +
      '         To push the complete multi-platform image, remove the --platform flag.\n         \n',
  );
  assert.match(
    one.asked[0] ?? '',
    /&platform=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D/,
  );
  const none = await run(['push', '--platform', 'a/b/c/d', 'x']);
  assert.deepEqual(
    [none.code, none.err],
    [1, 'Invalid platform a/b/c/d"a/b/c/d": cannot parse platform specifier: invalid argument\n'],
  );
});

test('push tells what the engine told aside: after the progress, in colour on a terminal', async () => {
  const aside = stream(
    {
      aux: {
        manifestPushedInsteadOfIndex: true,
        originalIndex: { digest: `${DIGEST}\u001b[2J` },
        selectedManifest: { digest: 'sha256:2' },
      },
    },
    { aux: { contentMissing: true } },
    { status: 'done' },
  );
  const { out } = await run(['push', 'x:1'], aside);
  assert.ok(
    out.startsWith(
      `done\n\n Info -> Not all multiplatform-content is present and only the available single-platform image was pushed\n         \u001b[31m${DIGEST}[2J\u001b[0m -> \u001b[32msha256:2\u001b[0m\n\n Info -> `,
    ),
  );
  const shown = await run(['push', 'x:1'], aside, {}, { tty: true });
  assert.match(shown.out, /\u001b\[96mInfo → .*\u001b\[3mNot all/);
  assert.match(shown.out, /\u001b\[1m--platform\u001b\[0m flag/);
});

test('credentials go to their own registry, padded and in the alphabet of URLs', async () => {
  const auth = Buffer.from('al:p?>ÿ~:x').toString('base64');
  using config = configDir({
    auths: {
      'host:5000': { auth },
      'https://index.docker.io/v1/': { auth: Buffer.from('hub:pw').toString('base64'), identitytoken: 'T' },
      'https://old.lab/v1/': { auth },
    },
  });
  const sent = async (...args: string[]) => {
    const header = (await run(args, '', config.env)).auths[0] ?? '';
    assert.match(header, /^[\w-]*={0,2}$/);
    assert.equal(header.length % 4, 0);
    return header === '' ? undefined : JSON.parse(Buffer.from(header, 'base64url').toString());
  };
  const known = { username: 'al', password: 'p?>ÿ~:x' };
  assert.deepEqual(await sent('pull', '-q', 'host:5000/x'), { ...known, serveraddress: 'host:5000' });
  assert.deepEqual(await sent('pull', '-q', 'old.lab/x'), { ...known, serveraddress: 'https://old.lab/v1/' });
  const hub = {
    username: 'hub',
    password: 'pw',
    identitytoken: 'T',
    serveraddress: 'https://index.docker.io/v1/',
  };
  assert.deepEqual(await sent('push', '-q', 'u/x'), hub);
  assert.deepEqual(await sent('run', '--pull', 'always', '-q', 'docker.io/x'), hub);
  assert.equal(await sent('pull', '-q', 'host:5001/x'), undefined);
});

test('search prints a table, JSON or a template, and asks with the filters', async () => {
  const found = JSON.stringify([
    { name: 'nginx', description: `A long${' description'.repeat(9)}`, star_count: 20, is_official: true },
    { name: 'ev\u001bil', description: 'two\nlines', star_count: 0, is_official: false },
  ]);
  const table = await run(['search', '-f', 'stars=3', '--limit', '5', 'ng'], found);
  assert.deepEqual(table.out.split('\n'), [
    'NAME      DESCRIPTION                                     STARS     OFFICIAL',
    'nginx     A long description description description d…   20        [OK]',
    'evil      two lines                                       0         ',
    '',
  ]);
  assert.deepEqual(table.asked, [
    'GET /images/search?term=ng&limit=5&filters=%7B%22stars%22%3A%7B%223%22%3Atrue%7D%7D',
  ]);
  const json = await run(['search', '--format', 'json', 'ng'], found);
  assert.equal(
    json.out.split('\n')[1],
    '{"Description":"two lines","IsOfficial":"false","Name":"evil","StarCount":"0"}',
  );
  const automated = await run(['search', '-f', 'is-automated=false', 'ng'], found);
  assert.match(automated.err, /^WARNING: the "is-automated" filter is deprecated, .* in future\.\n$/);
  const wrong = await run(['search', '--format', '{{.IsAutomated}}', 'ng'], found);
  assert.match(wrong.err, /can't evaluate field IsAutomated in type \*registry\.searchContext/);
});

test('completion offers the registries that are known, and the images that are here', async () => {
  using config = configDir({
    auths: { 'b.lab:5000': {}, 'https://index.docker.io/v1/': {} },
    credHelpers: { 'a.lab': 'x' },
  });
  const offers = async (...words: string[]) => {
    const answer = () => ({ json: [{ RepoTags: ['app:1'] }] });
    const { out } = await runAgainst(['__complete', '--', ...words], answer, config.env);
    return out.split('\n').slice(0, -1);
  };
  assert.deepEqual(await offers('logout', ''), ['a.lab', 'b.lab:5000']);
  assert.deepEqual(await offers('pull', ''), ['app:1', 'a.lab/', 'b.lab:5000/']);
  assert.deepEqual(await offers('push', ''), ['app:1']);
  assert.deepEqual(await offers('manifest', 'in'), ['inspect']);
});
