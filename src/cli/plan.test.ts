import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, runAgainst } from './fake-engine.ts';

const PLAN = {
  Items: [
    { Kind: 'container', ID: 'a'.repeat(64), Name: 'web', Bytes: 1500 },
    { Kind: 'volume', ID: '', Name: 'da\u001bta', Bytes: 2_000_000 },
  ],
  Bytes: 2_001_500,
};
const planned: Answer = () => ({ json: PLAN });

test('every command that takes something away asks for its plan, and for nothing else', async () => {
  const cases: [string, string][] = [
    ['rm -fv web db', 'remove/containers?name=web&name=db&force=1&volumes=1'],
    ['container rm web', 'remove/containers?name=web'],
    ['rmi -f a b:1', 'remove/images?name=a&name=b%3A1&force=1'],
    ['volume rm v', 'remove/volumes?name=v'],
    ['network rm -f n', 'remove/networks?name=n&force=1'],
    [
      'container prune --filter until=1h',
      'prune/containers?filters=%7B%22until%22%3A%7B%221h%22%3Atrue%7D%7D',
    ],
    ['image prune', 'prune/images'],
    ['image prune -a', 'prune/images?all=1'],
    ['volume prune -a', 'prune/volumes?all=1'],
    ['network prune', 'prune/networks'],
    ['system prune -af --volumes', 'prune/system?all=1&volumes=1'],
    ['builder prune -a', 'prune/builder?all=1'],
  ];
  for (const [line, path] of cases) {
    const { code, out, asked } = await runAgainst([...line.split(' '), '--dry-run'], planned);
    assert.deepEqual([code, asked], [0, [`GET /wharf/plan/${path}`]], line);
    assert.equal(
      out,
      'KIND        ID             NAME      SIZE\n' +
        'container   aaaaaaaaaaaa   web       1.5kB\n' +
        'volume                     data      2MB\n' +
        'Total: 2.002MB would be freed. Nothing was removed: this was a dry run.\n',
    );
  }
});

test('what would stay is told with the reason, and the exit code is that of the command', async () => {
  const item = { Kind: 'volume', ID: '', Name: 'v', Bytes: 0, Reason: 'volume is in use - [abc]' };
  const { code, out } = await runAgainst(['volume', 'rm', '--dry-run', 'v'], () => ({
    json: { Items: [item], Bytes: 0 },
  }));
  assert.equal(code, 1);
  assert.equal(
    out,
    'KIND      ID        NAME      SIZE      STAYS BECAUSE\n' +
      'volume              v         0B        volume is in use - [abc]\n' +
      'Nothing would be removed.\n',
  );
});

test('a plan of nothing, as JSON, and through a template', async () => {
  const empty: Answer = () => ({ json: { Items: [], Bytes: 0 } });
  const none = await runAgainst(['system', 'prune', '--dry-run'], empty);
  assert.deepEqual([none.code, none.out], [0, 'Nothing would be removed.\n']);
  const json = await runAgainst(['image', 'prune', '--dry-run', '--format', 'json'], planned);
  assert.deepEqual(JSON.parse(json.out), PLAN);
  const format = '{{.Kind}} {{.Name}} {{.Bytes}}';
  const lines = await runAgainst(['rm', '--dry-run', '--format', format, 'web'], planned);
  assert.equal(lines.out, 'container web 1500\nvolume data 2000000\n');
});

test('what a plan cannot tell is refused, and so is an engine without plans', async () => {
  const refused = async (...words: string[]) => {
    const { code, err, asked } = await runAgainst(words, planned);
    assert.deepEqual([code, asked], [1, []]);
    return err;
  };
  assert.equal(await refused('rm', '--format', 'json', 'web'), '--format needs --dry-run\n');
  assert.match(await refused('rm', '--dry-run', '--link', 'a/b'), /^conflicting options/);
  assert.match(await refused('rmi', '--dry-run', '--platform', 'linux/amd64', 'a'), /^conflicting options/);
  const old = await runAgainst(['rm', '--dry-run', 'web'], () => ({
    status: 404,
    json: { message: 'page not found' },
  }));
  assert.match(old.err, /^this engine makes no plans: --dry-run needs a Wharf engine/);
  assert.equal(old.code, 1);
});
