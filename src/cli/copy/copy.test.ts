import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readTar, type TarHeader, type TarInput, TarPacker } from '../../archive/index.ts';
import { PATH_MODE } from '../../client/index.ts';
import { type Answer, runAgainst } from '../fake-engine.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-cp-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

type Stat = { mode?: number; linkTarget?: string };
const FOLDER = { mode: PATH_MODE.directory + 0o755 };

const statHeader = (name: string, stat: Stat) => ({
  'X-Docker-Container-Path-Stat': Buffer.from(
    JSON.stringify({ name, size: 1, mtime: '2026-01-01T00:00:00Z', mode: 0o644, linkTarget: '', ...stat }),
  ).toString('base64'),
});

/** A container with those paths: what is asked for is `stats`, what is sent is kept. */
function container(stats: Record<string, Stat>, archive: readonly TarInput[] = []) {
  const sent: { query: string; raw: Buffer }[] = [];
  const answer: Answer = (request, _body, raw) => {
    const url = new URL(request.url ?? '', 'http://x');
    const path = url.searchParams.get('path') ?? '';
    if (request.method === 'PUT') {
      sent.push({ query: url.search, raw });
      return {};
    }
    const stat = stats[path];
    if (!stat) return { status: 404, json: { message: `Could not find the file ${path} in container web` } };
    const packer = new TarPacker();
    for (const entry of archive) packer.add(entry as TarInput & { body?: Uint8Array });
    return { headers: statHeader(path, stat), bytes: packer.finish() };
  };
  return { answer, sent };
}

/** The entries of what was sent. */
async function entries(raw: Buffer): Promise<TarHeader[]> {
  const found: TarHeader[] = [];
  const source = (async function* () {
    yield raw;
  })();
  for await (const { body: _body, ...header } of readTar(source)) found.push(header);
  return found;
}

const here = (name: string) => join(dir, name);
const file = (name: string, text: string, more: Partial<TarInput> = {}) => ({
  name,
  body: Buffer.from(text),
  ...more,
});

test('a file goes into a folder under its name, and to a new place under a new one', async () => {
  writeFileSync(here('f'), 'hello');
  const web = container({ '/': FOLDER, '/d': FOLDER });
  for (const [target, query, name] of [
    ['/d', '?path=%2Fd&noOverwriteDirNonDir=true', 'f'],
    ['/d/new', '?path=%2Fd&noOverwriteDirNonDir=true', 'new'],
    ['new', '?path=.&noOverwriteDirNonDir=true', 'new'],
  ]) {
    const { code, out, err } = await runAgainst(['cp', here('f'), `web:${target}`], web.answer);
    assert.deepEqual([code, out, err], [0, '', '']);
    const { query: asked = '', raw = Buffer.of() } = web.sent.pop() ?? {};
    assert.equal(asked, query);
    assert.deepEqual(
      (await entries(raw)).map((entry) => [entry.name, entry.size]),
      [[name, 5]],
    );
  }
  await runAgainst(['cp', '-a', here('f'), 'web:/d'], web.answer);
  assert.match(web.sent.pop()?.query ?? '', /&copyUIDGID=true$/);
});

test('a folder goes with all that is in it: links as links, names of one file as such; its contents without it', async () => {
  mkdirSync(here('d/sub'), { recursive: true });
  writeFileSync(here('d/a'), 'a');
  linkSync(here('d/a'), here('d/b'));
  symlinkSync('/etc/passwd', here('d/l'));
  symlinkSync('d', here('ld'));
  const web = container({ '/t': FOLDER });
  const names = async (...args: string[]) => {
    const { code, err } = await runAgainst(['cp', ...args], web.answer);
    assert.equal(code, 0, err);
    return (await entries(web.sent.pop()?.raw ?? Buffer.of())).map(({ name, type }) => `${name} ${type}`);
  };
  const inside = (top: string) => [
    `${top}/ directory`,
    `${top}/a file`,
    `${top}/b link`,
    `${top}/l symlink`,
    `${top}/sub/ directory`,
  ];
  assert.deepEqual(await names(here('d'), 'web:/t'), inside('d'));
  assert.deepEqual(await names(here('d'), 'web:/new'), inside('new'));
  assert.deepEqual(await names(`${here('d')}/.`, 'web:/t'), inside('.'));
  assert.deepEqual(await names(`${here('d')}/.`, 'web:/new'), inside('new'));
  assert.deepEqual(await names(here('ld'), 'web:/t'), ['ld symlink']);
  assert.deepEqual(await names(`${here('ld')}/`, 'web:/t'), inside('ld'));
  assert.deepEqual(await names('-L', here('ld'), 'web:/t'), inside('ld'));
});

test('a link in the container is followed to where the copy goes; a device is no place for it', async () => {
  writeFileSync(here('f'), 'x');
  const link = (linkTarget: string) => ({ mode: PATH_MODE.link + 0o777, linkTarget });
  const web = container({ '/l': link('real'), '/real': FOLDER, '/dev': { mode: PATH_MODE.device } });
  await runAgainst(['cp', here('f'), 'web:/l'], web.answer);
  assert.match(web.sent.pop()?.query ?? '', /path=%2Freal&/);
  const { err } = await runAgainst(['cp', here('f'), 'web:/dev'], web.answer);
  assert.equal(err, 'destination "web:/dev" must be a directory or a regular file: got a device\n');
});

test('a tar goes through standard input as it is, into folders alone', async () => {
  const web = container({ '/t': FOLDER, '/f': {} });
  const piped = await runAgainst(['cp', '-', 'web:/t'], web.answer, {}, { input: ['any', 'thing'] });
  assert.deepEqual([piped.code, web.sent.pop()?.raw.toString()], [0, 'anything']);
  for (const path of ['/f', '/none']) {
    const { code, err } = await runAgainst(['cp', '-', `web:${path}`], web.answer);
    assert.deepEqual([code, err], [1, `destination "web:${path}" must be a directory\n`]);
  }
});

test('a copy comes here under its name, a new name, or onto a file; and through standard output as it is', async () => {
  const web = container({ '/f': {} }, [file('f', 'text', { uid: 1234, mode: 0o640 })]);
  mkdirSync(here('into'));
  for (const [target, where] of [
    ['into', 'into/f'],
    ['new', 'new'],
    ['new', 'new'],
  ] as const) {
    const { code, err } = await runAgainst(['cp', 'web:/f', here(target)], web.answer);
    assert.equal(code, 0, err);
    assert.equal(readFileSync(here(where), 'utf8'), 'text');
    const { uid, mode } = statSync(here(where));
    assert.deepEqual([uid, mode & 0o7777], [process.geteuid?.(), 0o640]);
  }
  await runAgainst(['cp', '-a', 'web:/f', here('kept')], web.answer);
  assert.equal(statSync(here('kept')).uid, 1234);
  const piped = await runAgainst(['cp', 'web:/f', '-'], web.answer);
  assert.match(piped.out, /^f\0/);
});

test('a folder comes here as what it is called here; its contents into what is there', async () => {
  const tree = (top: string) => [
    { name: `${top}/` },
    file(`${top}/a`, '1'),
    { name: `${top}/b`, type: 'link' as const, linkName: `${top}/a` },
  ];
  const web = container({ '/d': FOLDER }, tree('d'));
  for (const target of ['new', 'newer/', 'newest/.']) {
    const { code, err } = await runAgainst(['cp', 'web:/d', `${dir}/${target}`], web.answer);
    if (target.endsWith('.')) {
      assert.equal(err, `stat ${here('newest')}: no such file or directory\n`);
      continue;
    }
    assert.equal(code, 0, err);
    assert.deepEqual(readdirSync(here(target)), ['a', 'b']);
    assert.equal(statSync(join(here(target), 'b')).nlink, 2);
  }
  await runAgainst(['cp', 'web:/d/.', here('new')], container({ '/d/.': FOLDER }, tree('.')).answer);
  assert.deepEqual(readdirSync(here('new')), ['a', 'b']);
  await runAgainst(['cp', 'web:/d/.', here('fresh')], container({ '/d/.': FOLDER }, tree('.')).answer);
  assert.deepEqual(readdirSync(here('fresh')), ['a', 'b']);
  await runAgainst(['cp', 'web:/', here('root')], container({ '/': FOLDER }, tree('')).answer);
  assert.deepEqual(readdirSync(here('root')), ['a', 'b']);
});

test('with -L what a link in the container leads to comes, under the name of the link', async () => {
  const link = { mode: PATH_MODE.link + 0o777, linkTarget: '/real' };
  const web = container({ '/l': link, '/real': {} }, [file('real', 'x')]);
  const { code, asked, err } = await runAgainst(['cp', '-L', 'web:/l', dir], web.answer);
  assert.deepEqual([code, asked.length, err], [0, 2, '']);
  assert.deepEqual(readdirSync(dir), ['l']);
});

test('an archive made to leave the folder leaves nothing outside', async () => {
  mkdirSync(here('in'));
  mkdirSync(here('outside'));
  symlinkSync(here('outside'), here('in/trap'));
  const hostile: [string, TarInput[]][] = [
    ['a name that climbs', [file('d/../../outside/x', 'bad')]],
    [
      'a link, and a file through it',
      [{ name: 'd/l', type: 'symlink', linkName: here('outside') }, file('d/l/x', 'bad')],
    ],
    ['a link that was here', [file('trap/x', 'bad')]],
    ['an absolute name', [file(here('outside/x'), 'bad')]],
    ['a hard link to outside', [{ name: 'd/h', type: 'link', linkName: '../../../../../etc/passwd' }]],
  ];
  for (const [what, archive] of hostile) {
    const web = container({ '/d': FOLDER }, [{ name: 'd/' }, ...archive]);
    await runAgainst(['cp', 'web:/d', here('in')], web.answer);
    assert.deepEqual(readdirSync(here('outside')), [], what);
    assert.equal(existsSync(here('in/d/h')), false, what);
  }
  assert.equal(readlinkSync(here('in/trap')), here('outside'));
});

test('what was not asked for is refused when it is renamed', async () => {
  const web = container({ '/f': {} }, [file('f', 'x'), file('.bashrc', 'bad')]);
  const { code, err } = await runAgainst(['cp', 'web:/f', here('new')], web.answer);
  assert.equal(code, 1);
  assert.equal(err, 'invalid copy source content: ".bashrc" is not in "f"\n');
  assert.equal(existsSync(here('.bashrc')), false);
});

test('a folder does not replace a file, nor a file a folder', async () => {
  mkdirSync(here('a'));
  writeFileSync(here('b'), '');
  const onFolder = await runAgainst(['cp', 'web:/a', dir], container({ '/a': {} }, [file('a', 'x')]).answer);
  assert.equal(onFolder.err, `cannot overwrite directory "${here('a')}" with non-directory "${dir}"\n`);
  const onFile = await runAgainst(
    ['cp', 'web:/b', `${dir}/`],
    container({ '/b': FOLDER }, [{ name: 'b/' }]).answer,
  );
  assert.equal(onFile.err, `cannot overwrite non-directory "${here('b')}" with directory "${dir}"\n`);
  assert.equal(lstatSync(here('a')).isDirectory() && lstatSync(here('b')).isFile(), true);
});

test('what cannot be copied is refused with the words of Docker', async () => {
  writeFileSync(here('f'), 'x');
  mkdirSync(here('d'));
  symlinkSync('loop', here('loop'));
  symlinkSync('nope', here('dangling'));
  const web = container({ '/': FOLDER, '/f': {}, '/d': FOLDER }, [file('f', 'x')]);
  const cases: [string[], string][] = [
    [['a:/b', 'c:/d'], 'copying between containers is not supported'],
    [['a', 'b'], 'must specify at least one container source'],
    [['', 'web:/'], 'source can not be empty'],
    [['web:/', ''], 'destination can not be empty'],
    [[here('none'), 'web:/'], `lstat ${here('none')}: no such file or directory`],
    [[here('none/x'), 'web:/'], `lstat ${here('none')}: no such file or directory`],
    [[`${here('f')}/`, 'web:/'], 'not a directory'],
    [[`${here('f')}/.`, 'web:/'], 'not a directory'],
    [['-L', here('loop'), 'web:/'], 'EvalSymlinks: too many links'],
    [['-L', here('dangling'), 'web:/'], `lstat ${here('nope')}: no such file or directory`],
    [[here('f'), 'web:/none/'], 'no such directory'],
    [[here('d'), 'web:/f'], 'cannot copy directory'],
    [['web:/none', dir], 'Error response from daemon: Could not find the file /none in container web'],
    [['web:/f', here('none/x')], `invalid output path: directory "${here('none')}" does not exist`],
    [['web:/f', `${here('none')}/`], 'no such directory'],
    [['web:/f', `${here('f')}/`], `stat ${here('f')}/: not a directory`],
    [['web:/f', here('loop')], `stat ${here('loop')}: too many levels of symbolic links`],
    [['web:/d', here('f')], 'cannot copy directory'],
    [
      ['web:/f', '/dev/null'],
      'invalid output path: "/dev/null" must be a directory or a regular file: got a device',
    ],
  ];
  for (const [args, text] of cases) {
    const { code, err } = await runAgainst(['cp', ...args], web.answer);
    assert.deepEqual([code, err], [1, `${text}\n`], args.join(' '));
  }
});

test('a file here that may not be read is named, and nothing is left half done quietly', async () => {
  mkdirSync(here('d'));
  writeFileSync(here('d/secret'), 'x', { mode: 0o000 });
  const web = container({ '/': FOLDER });
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  chmodSync(dir, 0o755);
  process.setegid?.(65534);
  process.seteuid?.(65534);
  try {
    const { code, err } = await runAgainst(['cp', here('d'), 'web:/'], web.answer);
    assert.deepEqual([code, err], [1, 'open d/secret: permission denied (EACCES)\n']);
    assert.deepEqual(web.sent, []);
  } finally {
    process.seteuid?.(uid);
    process.setegid?.(gid);
  }
});

test('a terminal is told what was copied, unless it wants to be left alone', async () => {
  writeFileSync(here('f'), 'hello');
  const web = container({ '/': FOLDER, '/f': {} }, [file('f', 'x')]);
  const screen = { tty: true };
  const sent = await runAgainst(['cp', here('f'), 'web:/'], web.answer, {}, screen);
  assert.equal(sent.err, 'Successfully copied 2.05kB to web:/\n');
  const came = await runAgainst(['cp', 'web:/f', here('g')], web.answer, {}, screen);
  assert.equal(came.err, `Successfully copied 2.05kB to ${here('g')}\n`);
  assert.equal((await runAgainst(['cp', '-q', 'web:/f', here('g')], web.answer, {}, screen)).err, '');
});

test('an engine that refuses in the middle, or goes away, ends the copy with its reason', async () => {
  writeFileSync(here('big'), Buffer.alloc(8 << 20));
  const full = await runAgainst(['cp', here('big'), 'web:/'], (request) =>
    request.method === 'HEAD'
      ? { headers: statHeader('/', FOLDER) }
      : { status: 500, json: { message: 'no space left on device' } },
  );
  assert.deepEqual([full.code, full.err], [1, 'Error response from daemon: no space left on device\n']);
  const gone = await runAgainst(['cp', 'web:/f', here('g')], () => ({
    text: 'half',
    headers: statHeader('f', {}),
    break: true,
  }));
  assert.equal(gone.code, 1);
  assert.notEqual(gone.err, '');
});
