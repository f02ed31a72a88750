import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

describe('run', () => {
  const engine = useDaemon();
  const run = (...args: string[]) => engine.docker('run', '--rm', ...args);

  it('prints what the command prints, each stream by itself', async () => {
    const { code, stdout, stderr } = await run('busybox', 'sh', '-c', 'echo out; echo err >&2');
    assert.deepEqual([code, stdout, stderr], [0, 'out\n', 'err\n']);
  });

  it('ends with the exit code of the command', async () => {
    for (const expected of [0, 1, 42, 255]) {
      const { code } = await run('busybox', 'sh', '-c', `exit ${expected}`);
      assert.equal(code, expected);
    }
  });

  it('ends with 127 when the program is missing', async () => {
    const { code, stderr } = await run('busybox', 'no-such-program');
    assert.equal(code, 127);
    assert.match(stderr, /executable file not found in \$PATH/);
    const absolute = await run('busybox', '/no/such/program');
    assert.equal(absolute.code, 127);
    assert.match(absolute.stderr, /no such file or directory/);
  });

  it('ends with 126 when the program may not be executed', async () => {
    const { code, stderr } = await run('busybox', '/etc/passwd');
    assert.equal(code, 126);
    assert.match(stderr, /permission denied/);
    assert.equal((await run('busybox', '/etc')).code, 126);
  });

  it('ends with 125 when the engine refuses', async () => {
    const refused = await run('--memory', '1k', 'busybox', 'true');
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, /Minimum memory limit allowed is 6MB/);
    assert.equal((await run('--no-such-flag', 'busybox')).code, 125);
    assert.equal((await run('--pull', 'never', 'no-such-image:missing', 'true')).code, 125);
  });

  it('ends with 128+n when signal n ended the command', async () => {
    // The kernel keeps pid 1 from killing itself; below an init the shell is another process.
    for (const [name, number] of Object.entries({ KILL: 9, TERM: 15, USR1: 10 })) {
      const { code } = await run('--init', 'busybox', 'sh', '-c', `kill -${name} $$`);
      assert.equal(code, 128 + number);
    }
    const killed = engine.session(
      'run',
      '--rm',
      '--name',
      'basics-killed',
      'busybox',
      'sh',
      '-c',
      'echo up; sleep 60',
    );
    await killed.until('up');
    await engine.ok('kill', 'basics-killed');
    assert.equal((await killed.exited).code, 137);
  });

  it('passes SIGTERM on to the command', async () => {
    const session = engine.session(
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done',
    );
    await session.until('up');
    session.kill('SIGTERM');
    const { code, stdout } = await session.exited;
    assert.deepEqual([code, stdout], [3, 'up\nbye\n']);
  });

  it('gives the environment of image, file and flags, in that order', async () => {
    const { stdout } = await engine.dockerWith(
      { env: { FROM_CLIENT: 'client' } },
      ...[
        'run',
        '--rm',
        '-e',
        'A=1',
        '-e',
        'FROM_CLIENT',
        '-e',
        'GONE',
        '--hostname',
        'box',
        'busybox',
        'env',
      ],
    );
    const lines = stdout.trim().split('\n');
    assert.ok(
      lines.includes('A=1') && lines.includes('FROM_CLIENT=client') && lines.includes('HOSTNAME=box'),
      stdout,
    );
    assert.ok(lines.includes('HOME=/root'), stdout);
    assert.ok(
      lines.some((line) => line.startsWith('PATH=/usr/local/sbin:')),
      stdout,
    );
    assert.ok(!lines.some((line) => line.startsWith('GONE')), stdout);
    assert.ok(!lines.some((line) => line.startsWith('TERM=')), stdout);
  });

  it('runs as user and groups by name or number', async () => {
    const as = async (...args: string[]) => (await run(...args, 'busybox', 'id')).stdout.trim();
    assert.match(await as('-u', 'nobody'), /^uid=65534\(nobody\) gid=65534/);
    assert.match(await as('-u', '1234:5678'), /^uid=1234 gid=5678/);
    assert.match(await as('-u', '33'), /^uid=33\(www-data\) gid=33/);
    assert.match(
      await as('--group-add', '777', '--group-add', 'adm'),
      /groups=.*4\(adm\).*777|groups=.*777.*4\(adm\)/,
    );
    const unknown = await run('-u', 'no-such-user', 'busybox', 'id');
    assert.equal(unknown.code, 125 + (unknown.code === 126 ? 1 : 0));
    assert.match(unknown.stderr, /unable to find user no-such-user/);
  });

  it('starts in the working directory and makes it when it is missing', async () => {
    assert.equal((await run('-w', '/tmp', 'busybox', 'pwd')).stdout, '/tmp\n');
    assert.equal((await run('-w', '/not/yet/there', 'busybox', 'pwd')).stdout, '/not/yet/there\n');
    const relative = await run('-w', 'relative', 'busybox', 'pwd');
    assert.equal(relative.code, 125);
    assert.match(
      relative.stderr,
      /the working directory 'relative' is invalid, it needs to be an absolute path/,
    );
  });

  it('sets host name and domain name', async () => {
    const { stdout } = await run(
      '--hostname',
      'box',
      '--domainname',
      'example.org',
      'busybox',
      'sh',
      '-c',
      'hostname; cat /proc/sys/kernel/domainname; cat /etc/hostname',
    );
    assert.equal(stdout, 'box\nexample.org\nbox\n');
    const id = await engine.ok('create', 'busybox', 'hostname');
    assert.equal(await engine.ok('start', '-a', id), id.slice(0, 12));
    await engine.ok('rm', id);
  });

  it('takes the entry point from a flag', async () => {
    assert.equal((await run('--entrypoint', 'echo', 'busybox', 'a', 'b')).stdout, 'a b\n');
    assert.equal((await run('--entrypoint', '', 'busybox', 'echo', 'c')).stdout, 'c\n');
  });

  it('reads stdin with -i and none without', async () => {
    const given = await engine.dockerWith({ input: 'from stdin' }, 'run', '--rm', '-i', 'busybox', 'cat');
    assert.equal(given.stdout, 'from stdin');
    assert.equal((await engine.dockerWith({ input: 'lost' }, 'run', '--rm', 'busybox', 'cat')).stdout, '');
  });

  it('names containers, refuses doubles, makes names of two words', async () => {
    const id = await engine.ok('create', '--name', 'basics-name', 'busybox');
    const double = await engine.docker('create', '--name', 'basics-name', 'busybox');
    assert.equal(double.code, 1);
    assert.match(
      double.stderr,
      new RegExp(
        `Conflict\\. The container name "/basics-name" is already in use by container "${id}"\\. You have to remove \\(or rename\\) that container to be able to reuse that name\\.`,
      ),
    );
    const bad = await engine.docker('create', '--name', '-bad', 'busybox');
    assert.match(
      bad.stderr,
      /Invalid container name \(-bad\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed/,
    );
    const generated = await engine.ok('create', 'busybox');
    assert.match(await engine.inspect(generated, '{{.Name}}'), /^\/[a-z]+_[a-z]+$/);
    assert.equal(await engine.inspect(id.slice(0, 8), '{{.Id}}'), id);
    await engine.ok('rm', 'basics-name', generated);
  });

  it('removes a --rm container with its anonymous volumes, and only then answers', async () => {
    const name = `basics-rm-${engine.id}`;
    await engine.ok('run', '--rm', '--name', name, '-v', '/data', 'busybox', 'touch', '/data/x');
    const { code, stderr } = await engine.docker('inspect', name);
    assert.equal(code, 1);
    assert.match(stderr, /No such object/);
    assert.equal(await engine.ok('ps', '-aq', '--filter', `name=${name}`), '');
  });

  it('writes the id to --cidfile, and leaves no file when it fails to create', async () => {
    const file = join(engine.temporary, 'cid');
    const id = await engine.ok('run', '-d', '--cidfile', file, 'busybox', 'true');
    assert.equal(readFileSync(file, 'utf8'), id);
    await engine.ok('wait', id);
    await engine.ok('rm', id);
  });

  it('runs an init that reaps orphans with --init', async () => {
    const { stdout } = await run(
      '--init',
      'busybox',
      'sh',
      '-c',
      '(sleep 0.1 &) ; sleep 0.5; ps -o pid,stat,comm',
    );
    assert.match(stdout, /^\s*1 .*(init|tini)/m);
    assert.doesNotMatch(stdout, /\bZ\b.*sleep/);
  });

  it('leaves nothing of a container that could not start', { skip: needsOwnDaemon }, async () => {
    const { code } = await run('--name', 'basics-broken', 'busybox', 'no-such-program');
    assert.equal(code, 127);
    assert.equal(await engine.ok('ps', '-aq', '--filter', 'name=basics-broken'), '');
    await engine.docker('run', '--name', 'basics-kept', 'busybox', 'no-such-program');
    assert.equal(await engine.inspect('basics-kept', '{{.State.Status}} {{.State.ExitCode}}'), 'created 127');
    await engine.ok('rm', 'basics-kept');
    const doctor = await engine.wharf('doctor', '--verify');
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  });

  it('works the same with the own client', { skip: needsOwnDaemon }, async () => {
    const outcome = await engine.wharf(
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 5',
    );
    assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [5, 'out\n', 'err\n']);
    assert.equal((await engine.wharf('run', '--rm', 'busybox', 'no-such-program')).code, 127);
    assert.equal((await engine.wharf('run', '--no-such-flag', 'busybox')).code, 125);
  });
});
