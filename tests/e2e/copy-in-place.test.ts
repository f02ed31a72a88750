import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { lgetxattr, lsetxattr } from '../../src/sys/index.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

const WHARF = join(import.meta.dirname, '../../bin/wharf');

/** All that there is to know of a tree, times of its top left out. */
const manifest = (path: string) =>
  execFileSync(
    'sh',
    [
      '-c',
      `cd "$1" && find . -mindepth 1 -printf '%P %y %m %U %G %n %s %b %T@ %l\\n' | sort &&
       find . -type f | sort | xargs -d '\\n' sha256sum`,
      'sh',
      path,
    ],
    { encoding: 'utf8' },
  );

describe('wharf cp as root, on the daemon’s host', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const here = (name: string) => join(engine.temporary, name);
  /** The client behind these words, so that it runs as another user or elsewhere. */
  const wharf = (words: string[], ...args: string[]) =>
    execFileSync(
      words[0] ?? WHARF,
      [...words.slice(1), ...(words.length ? [WHARF] : []), '-H', `unix://${engine.socket}`, ...args],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  const apart = (...script: string[]) => [
    'unshare',
    '-m',
    'sh',
    '-c',
    `${script.join(';')}; exec "$@"`,
    'sh',
  ];

  before(async () => {
    await engine.ok('create', '--name', 'box', 'busybox');
    await engine.ok('run', '-d', '--name', 'runs', 'busybox', 'sleep', '1000');
    execFileSync('sh', [
      '-c',
      `mkdir -p "$1/sub/empty" && cd "$1" && head -c 3000000 /dev/urandom >sub/big && ln sub/big hard && ln -s /etc/passwd link &&
       mkfifo fifo && echo x >owned && chown 1234:70000 owned && chmod 4751 owned &&
       touch -d 2020-01-02T03:04:05Z owned sub`,
      'sh',
      here('tree'),
    ]);
    lsetxattr(here('tree/owned'), 'user.note', Buffer.from('kept'));
    writeFileSync(here('tree/holes'), 'begin');
    truncateSync(here('tree/holes'), 50 << 20);
  });

  it('copies what a stream copies, both ways, into stopped and running containers', () => {
    for (const container of ['box', 'runs']) {
      wharf([], 'cp', here('tree'), `${container}:/direct`);
      wharf(apart('true'), 'cp', here('tree'), `${container}:/streamed`);
      for (const name of ['direct', 'streamed']) {
        wharf([], 'cp', '-a', `${container}:/${name}`, here(`${container}-${name}-direct`));
        wharf(apart('true'), 'cp', '-a', `${container}:/${name}`, here(`${container}-${name}-streamed`));
      }
      const expected = manifest(here(`${container}-streamed-streamed`));
      assert.match(expected, /owned f 4751 1234 70000/);
      const note = (way: string) => `${lgetxattr(here(`${container}-${way}/owned`), 'user.note')}`;
      for (const way of ['direct-direct', 'direct-streamed', 'streamed-direct']) {
        assert.equal(manifest(here(`${container}-${way}`)), expected, way);
        assert.equal(note(way), 'kept', way);
      }
    }
  });

  it('leaves the writing to the daemon, where that may be', () => {
    // The client may write no such file itself.
    const bound = ['prlimit', '--fsize=1000000'];
    wharf(bound, 'cp', 'box:/direct/sub/big', here('big'));
    assert.equal(statSync(here('big')).size, 3_000_000);
    assert.throws(() => wharf([...bound, ...apart('true')], 'cp', 'box:/direct/sub/big', here('big2')));
  });

  it('takes what the client sees, where that is not what the daemon sees', () => {
    mkdirSync(here('covered'));
    writeFileSync(here('covered/f'), 'the host’s');
    const cover = apart(`mount -t tmpfs none ${here('covered')}`, `printf client >${here('covered/f')}`);
    wharf(cover, 'cp', here('covered/f'), 'box:/f');
    wharf([], 'cp', 'box:/f', here('f'));
    assert.equal(readFileSync(here('f'), 'utf8'), 'client');
    wharf(apart(`mount -t tmpfs none ${here('covered')}`), 'cp', 'box:/f', here('covered/out'));
    assert.equal(existsSync(here('covered/out')), false);
  });

  it('gives a user no file that is not theirs, and none that they could not write', () => {
    writeFileSync(here('secret'), 'of root', { mode: 0o600 });
    mkdirSync(here('roots'), { mode: 0o755 });
    chmodSync(engine.temporary, 0o711);
    chmodSync(engine.socket, 0o666);
    const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
    assert.throws(() => wharf(nobody, 'cp', here('secret'), 'box:/secret'), /permission denied/i);
    assert.throws(() => wharf(nobody, 'cp', 'box:/f', here('roots/f')), /permission denied/i);
    assert.equal(existsSync(here('roots/f')), false);
    mkdirSync(here('theirs'));
    execFileSync('chown', ['65534', here('theirs')]);
    wharf(nobody, 'cp', 'box:/f', here('theirs/f'));
    assert.equal(statSync(here('theirs/f')).uid, 65534);
  });

  it('says what is wrong as a stream does', () => {
    const said = (words: string[], ...args: string[]) => {
      try {
        return wharf(words, 'cp', ...args);
      } catch (thrown) {
        const { status, stderr } = thrown as { status: number; stderr: string };
        return `${status} ${stderr}`;
      }
    };
    mkdirSync(here('in-the-way/tree'), { recursive: true });
    writeFileSync(here('in-the-way/tree/sub'), '');
    for (const [from, to] of [
      [here('none'), 'box:/x'],
      [here('tree'), 'box:/none/deeper'],
      [here('tree/owned'), 'box:/direct/sub/big/x'],
      [here('tree'), 'box:/etc/hosts'],
      ['box:/none', here('x')],
      ['box:/direct', here('none/deeper')],
      ['box:/direct/.', here('in-the-way/tree')],
      ['box:/f', here('in-the-way/tree/')],
      ['nobody:/f', here('x')],
      [here('f'), 'nobody:/f'],
    ] as const) {
      const direct = said([], from, to);
      assert.match(direct, /^(1 .|$)/, `${from} ${to}`);
      assert.equal(direct, said(apart('true'), from, to), `${from} ${to}`);
    }
  });
});
