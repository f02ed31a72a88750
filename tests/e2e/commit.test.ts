import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually, needsOwnDaemon, useDaemon } from './support/index.ts';

describe('images and archives from containers', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const doctor = async () => {
    const { code, stdout, stderr } = await engine.wharf('doctor', '--verify');
    assert.equal(code, 0, stdout + stderr);
  };
  const unfinished = () => readdirSync(join(engine.dataRoot, 'content/ingest'));
  const committed = async (query: string) => {
    const { text } = await engine.api('POST', `/commit?${query}`);
    return (JSON.parse(text) as { Id: string }).Id;
  };

  it('two containers of the same content give the same image, given a time', async () => {
    const work =
      'mkdir /d; echo x > /d/a; ln /d/a /d/b; ln -s a /d/l; chmod 4755 /d/a; rm /bin/vi; rm -r /var; mkdir /var';
    const ids: string[] = [];
    for (const name of ['one', 'two']) {
      await engine.ok('run', '--name', name, 'busybox', 'sh', '-c', work);
      ids.push(await committed(`container=${name}&timestamp=1600000000`));
    }
    assert.equal(ids[0], ids[1]);
    assert.notEqual(await committed('container=one'), ids[0]);
    const seen = await engine.ok(
      'run',
      '--rm',
      ids[0] as string,
      'sh',
      '-c',
      'stat -c "%Y %a %h" /d/a; ls /var /bin/vi 2>&1; true',
    );
    assert.match(seen, /^1600000000 4755 2$/m);
    assert.match(seen, /vi: No such file/);
    await doctor();
    await engine.ok('rm', 'one', 'two');
  });

  it('a daemon killed in a commit leaves nothing, lets the container go on, and the next commit succeeds', async () => {
    const fill =
      'dd if=/dev/zero of=/big bs=1M count=300 2>/dev/null; touch /ready; while :; do date +%s%N > /beat; sleep 0.05; done';
    await engine.ok('run', '-d', '--name', 'busy', 'busybox', 'sh', '-c', fill);
    await eventually(
      () => engine.docker('exec', 'busy', 'test', '-e', '/ready'),
      ({ code }) => code === 0,
      'the files are there',
    );
    const before = await engine.ok('images', '-aq');
    const cut = engine.docker('commit', 'busy', 'cut:1');
    await eventually(unfinished, (names) => names.length > 0, 'the commit has begun');
    await engine.kill();
    assert.notEqual((await cut).code, 0);
    await engine.run();
    assert.deepEqual(unfinished(), []);
    assert.equal(await engine.ok('images', '-aq'), before);
    assert.equal(await engine.inspect('busy', '{{.State.Status}}'), 'running');
    const beat = await engine.ok('exec', 'busy', 'cat', '/beat');
    await eventually(
      () => engine.ok('exec', 'busy', 'cat', '/beat'),
      (now) => now !== beat,
      'it goes on',
    );
    await doctor();
    await engine.ok('commit', 'busy', 'cut:1');
    assert.match(await engine.ok('run', '--rm', 'cut:1', 'wc', '-c', '/big'), /^314572800 /);
    await doctor();
    await engine.ok('rm', '-f', 'busy');
    await engine.ok('rmi', 'cut:1');
  });

  it('an export shows the container as it is, running and stopped, and none of its mounts', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'shown',
      '-v',
      '/vol',
      'busybox',
      'sh',
      '-c',
      'echo x > /vol/x; echo f > /f; sleep 600',
    );
    await eventually(
      () => engine.ok('diff', 'shown'),
      (text) => text.includes('A /f'),
      'the file is there',
    );
    const file = join(engine.temporary, 'shown.tar');
    for (const state of ['running', 'stopped']) {
      if (state === 'stopped') await engine.ok('stop', '-t', '0', 'shown');
      await engine.ok('export', '-o', file, 'shown');
      const names = execFileSync('tar', ['tf', file]).toString().split('\n');
      assert.ok(names.includes('f') && names.includes('vol/') && names.includes('bin/busybox'), state);
      assert.ok(!names.includes('vol/x'), state);
    }
    await engine.ok('rm', '-v', 'shown');
    await doctor();
  });
});
