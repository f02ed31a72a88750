import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAgainst as run } from './fake-engine.ts';

const ID = `sha256:${'1'.repeat(64)}`;
const committed = () => ({ status: 201, json: { Id: ID } });

test('commit sends what its flags say, and prints the id', async () => {
  const { out, asked } = await run(
    [
      ...['commit', '-a', 'me', '-m', 'why', '-c', 'ENV A=1', '-c', 'CMD x', '-p=false'],
      ...['--timestamp', '2020-01-01T00:00:00Z', 'web', 'host:5000/a:b'],
    ],
    committed,
  );
  assert.equal(out, `${ID}\n`);
  assert.deepEqual(asked, [
    'POST /commit?container=web&repo=host%3A5000%2Fa&tag=b&comment=why&author=me&changes=ENV+A%3D1&changes=CMD+x&pause=0&timestamp=2020-01-01T00%3A00%3A00Z',
  ]);
  assert.deepEqual((await run(['commit', 'web'], committed)).asked, ['POST /commit?container=web']);
  assert.deepEqual((await run(['container', 'commit', 'web', 'foo'], committed)).asked, [
    'POST /commit?container=web&repo=docker.io%2Flibrary%2Ffoo&tag=latest',
  ]);
});

test('a name that no image can have is refused before the engine is asked', async () => {
  const cases: [string, string][] = [
    ['BAD', 'invalid reference format: repository name (library/BAD) must be lowercase'],
    ['x:y:z', 'invalid reference format'],
    [`a@${ID}`, 'refusing to create a tag with a digest reference'],
  ];
  for (const [name, text] of cases) {
    const { code, err, asked } = await run(['commit', 'web', name], committed);
    assert.deepEqual([code, err, asked], [1, `${text}\n`, []]);
  }
  const nobody = await run(['commit', '', 'x'], committed);
  assert.equal(nobody.err, 'invalid container name or ID: value is empty\n');
});

test('export writes a whole file or none, or to standard output that is no terminal', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-export-'));
  try {
    const target = join(dir, 'x.tar');
    const whole = () => ({ text: 'the tar' });
    const piped = await run(['export', 'web'], whole);
    assert.deepEqual([piped.out, piped.asked], ['the tar', ['GET /containers/web/export']]);
    assert.equal((await run(['export', '-o', target, 'web'], whole)).code, 0);
    assert.equal(readFileSync(target, 'utf8'), 'the tar');
    assert.equal(statSync(target).mode & 0o777, 0o600);
    const cut = await run(['export', '-o', join(dir, 'y.tar'), 'web'], () => ({ text: 'half', break: true }));
    assert.deepEqual([cut.code, readdirSync(dir)], [1, ['x.tar']]);
    const refused = async (output: string) => {
      const { code, err, asked } = await run(['export', '-o', output, 'web'], whole);
      assert.deepEqual([code, asked], [1, []]);
      return err;
    };
    const start = 'failed to export container: ';
    assert.equal(
      await refused('/nodir/x'),
      `${start}invalid output path: stat /nodir: no such file or directory\n`,
    );
    assert.equal(await refused(dir), `${start}cannot write to a directory\n`);
    assert.equal(await refused('/dev/null'), `${start}cannot write to a character device file\n`);
    assert.equal(existsSync('/dev/null'), true);
    const terminal = await run(['export', 'web'], whole, {}, { tty: true });
    assert.equal(terminal.err, 'cowardly refusing to save to a terminal. Use the -o flag or redirect\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('diff names what changed, without what could steer a terminal', async () => {
  const changes = [
    { Path: '/etc', Kind: 0 },
    { Path: '/etc/a\u001b[2J', Kind: 1 },
    { Path: '/old', Kind: 2 },
  ];
  const { out } = await run(['diff', 'web'], () => ({ json: changes }));
  assert.equal(out, 'C /etc\nA /etc/a[2J\nD /old\n');
  assert.equal((await run(['diff', 'web'], () => ({ json: null }))).out, '');
  const nobody = await run(['diff', ''], () => ({ json: null }));
  assert.deepEqual([nobody.code, nobody.err, nobody.asked], [1, 'Container name cannot be empty\n', []]);
});

test('a volume is inspected with who uses it where that is asked for', async () => {
  const volume = { Name: 'v', UsageData: { Size: 5, RefCount: 1 } };
  const plain = await run(['volume', 'inspect', 'v'], () => ({ json: volume }));
  assert.deepEqual(plain.asked, ['GET /volumes/v']);
  for (const flag of ['-v', '--usage']) {
    const { out, asked } = await run(['volume', 'inspect', flag, '-f', '{{.UsageData.Size}}', 'v'], () => ({
      json: volume,
    }));
    assert.deepEqual([out, asked], ['5\n', ['GET /wharf/volumes/v']]);
  }
  const empty = await run(['volume', 'inspect', ''], () => ({ json: volume }));
  assert.deepEqual(
    [empty.out, empty.err, empty.asked],
    ['[]\n', 'invalid volume name or ID: value is empty\n', []],
  );
  const old = await run(['volume', 'inspect', '-v', 'v'], () => ({
    status: 404,
    json: { message: 'page not found' },
  }));
  assert.match(old.err, /^this engine does not tell who uses a volume: --usage needs a Wharf engine/);
});

test('a volume is created as its flags say, and not updated', async () => {
  let body = {};
  const created = await run(
    ['volume', 'create', '-d', 'local', '-o', 'type=tmpfs', '-o', 'o=size=1m', '--label', 'a=b', 'v'],
    (_request, text) => {
      body = JSON.parse(text) as object;
      return { status: 201, json: { Name: 'v' } };
    },
  );
  assert.equal(created.out, 'v\n');
  assert.deepEqual(body, {
    Driver: 'local',
    DriverOpts: { type: 'tmpfs', o: 'size=1m' },
    Labels: { a: 'b' },
    Name: 'v',
  });
  const updated = await run(['volume', 'update', 'v'], () => ({ json: { Name: 'v' } }));
  assert.deepEqual([updated.code, updated.err], [1, 'can only update cluster volumes\n']);
});

test('logs asks for what its flags say', async () => {
  const frame = Buffer.concat([Buffer.of(1, 0, 0, 0, 0, 0, 0, 3), Buffer.from('hi\n')]);
  const { out, asked } = await run(
    [
      'logs',
      '--details',
      '-t',
      '-n',
      '5',
      '--since',
      '2020-01-01T00:00:00Z',
      '--until',
      '1577836801.5',
      'web',
    ],
    (request) =>
      request.url?.endsWith('/json') ? { json: { Id: 'abc', Config: { Tty: false } } } : { bytes: frame },
  );
  assert.equal(out, 'hi\n');
  assert.deepEqual(asked, [
    'GET /containers/web/json',
    'GET /containers/abc/logs?stdout=1&stderr=1&details=1&timestamps=1&tail=5&since=1577836800.000000000&until=1577836801.5',
  ]);
  const bad = await run(['logs', '--since', 'yesterday', 'web'], () => ({ json: { Id: 'abc', Config: {} } }));
  assert.equal(
    bad.err,
    'invalid value for "since": failed to parse value as time or duration: "yesterday"\n',
  );
});
