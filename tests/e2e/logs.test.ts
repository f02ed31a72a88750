import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useDaemon } from './support/index.ts';

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z /;

describe('logs', () => {
  const engine = useDaemon();

  it('keep the streams apart', async () => {
    await engine.docker('run', '--name', 'both', 'busybox', 'sh', '-c', 'echo out; echo err >&2');
    const { stdout, stderr } = await engine.docker('logs', 'both');
    assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
    await engine.ok('rm', 'both');
  });

  it('show the last lines, all, or none with --tail', async () => {
    await engine.ok('run', '--name', 'tail', 'busybox', 'seq', '1', '1000');
    assert.equal(await engine.ok('logs', '--tail', '3', 'tail'), '998\n999\n1000');
    assert.equal(await engine.ok('logs', '--tail', '0', 'tail'), '');
    assert.equal((await engine.ok('logs', '--tail', 'all', 'tail')).split('\n').length, 1000);
    assert.equal((await engine.ok('logs', '--tail', '5000', 'tail')).split('\n').length, 1000);
    await engine.ok('rm', 'tail');
  });

  it('carry time stamps, with which since and until cut', async () => {
    await engine.ok(
      'run',
      '--name',
      'stamps',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3 4; do echo line $i; sleep 0.2; done',
    );
    const lines = (await engine.ok('logs', '--timestamps', 'stamps')).split('\n');
    assert.equal(lines.length, 4);
    for (const line of lines) assert.match(line, STAMP);
    const times = lines.map((line) => line.split(' ')[0] as string);
    assert.deepEqual(times, [...times].sort());
    assert.equal(await engine.ok('logs', '--since', times[2] as string, 'stamps'), 'line 3\nline 4');
    assert.equal(await engine.ok('logs', '--until', times[1] as string, 'stamps'), 'line 1\nline 2');
    assert.equal(await engine.ok('logs', '--since', '1h', 'stamps'), 'line 1\nline 2\nline 3\nline 4');
    assert.equal(await engine.ok('logs', '--until', '1h', 'stamps'), '');
    await engine.ok('rm', 'stamps');
  });

  it('follow until the container ends', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'followed',
      'busybox',
      'sh',
      '-c',
      'echo one; sleep 0.5; echo two; sleep 0.5; printf three',
    );
    const session = engine.session('logs', '--follow', 'followed');
    await session.until('one');
    const { code, stdout } = await session.exited;
    assert.deepEqual([code, stdout], [0, 'one\ntwo\nthree']);
    await engine.ok('rm', 'followed');
  });

  it('follow through a restart of the container from the tail on', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'steady',
      'busybox',
      'sh',
      '-c',
      'i=0; while :; do i=$((i+1)); echo n$i; sleep 0.05; done',
    );
    const session = engine.session('logs', '--follow', '--tail', '2', 'steady');
    await session.until(/n\d+\nn\d+\nn\d+\nn\d+\n/);
    const numbers = [...session.stdout.matchAll(/n(\d+)\n/g)].map((match) => Number(match[1]));
    numbers.forEach((number, at) => {
      assert.equal(number, (numbers[0] as number) + at, 'no line is missing or doubled');
    });
    session.kill('SIGINT');
    await session.exited;
    await engine.ok('rm', '-f', 'steady');
  });

  it('keep long lines, empty lines, bytes that are no text, and a last line without its end', async () => {
    const script = 'head -c 100000 /dev/zero | tr "\\0" a; echo; echo; printf "\\377\\376\\n"; printf end';
    await engine.docker('run', '--name', 'odd', 'busybox', 'sh', '-c', script);
    const answer = await engine.docker('logs', 'odd');
    const [long, empty, bytes, end] = answer.stdout.split('\n');
    assert.deepEqual([long?.length, empty, end], [100_000, '', 'end']);
    assert.equal(bytes?.length, 2);
    assert.equal((await engine.docker('logs', '--tail', '1', 'odd')).stdout, 'end');
    await engine.ok('rm', 'odd');
  });

  it('of a terminal come as it showed them', async () => {
    await engine.ok('run', '-d', '-t', '--name', 'tty', 'busybox', 'sh', '-c', 'echo out; echo err >&2');
    await engine.ok('wait', 'tty');
    assert.equal((await engine.docker('logs', 'tty')).stdout, 'out\r\nerr\r\n');
    await engine.ok('rm', 'tty');
  });

  it('are refused for the driver none', async () => {
    await engine.ok('run', '--name', 'mute', '--log-driver', 'none', 'busybox', 'echo', 'x');
    const { code, stderr } = await engine.docker('logs', 'mute');
    assert.equal(code, 1);
    assert.match(stderr, /configured logging driver does not support reading/);
    await engine.ok('rm', 'mute');
  });

  it('keep to the size and number of files that are asked for', async () => {
    await engine.ok(
      'run',
      '--name',
      'rotated',
      '--log-opt',
      'max-size=20k',
      '--log-opt',
      'max-file=2',
      'busybox',
      'sh',
      '-c',
      // The size is kept to by looking at it: a burst of a few milliseconds would be over before the first look.
      'for i in $(seq 1 200); do seq $((i * 100 - 99)) $((i * 100)); sleep 0.01; done',
    );
    const lines = (await engine.ok('logs', 'rotated')).split('\n').map(Number);
    assert.ok(lines.length > 100 && lines.length < 10_000, `${lines.length} lines are kept`);
    assert.equal(lines.at(-1), 20_000);
    lines.forEach((line, at) => {
      assert.equal(line, (lines[0] as number) + at);
    });
    await engine.ok('rm', 'rotated');
  });

  it('show label and environment details', async () => {
    await engine.ok(
      'run',
      '--name',
      'detailed',
      '--log-opt',
      'labels=team',
      '--label',
      'team=blue',
      'busybox',
      'echo',
      'x',
    );
    assert.equal(await engine.ok('logs', '--details', 'detailed'), 'team=blue x');
    await engine.ok('rm', 'detailed');
  });

  it('fail clearly for what is not there', async () => {
    const { code, stderr } = await engine.docker('logs', 'no-such-container');
    assert.equal(code, 1);
    assert.match(stderr, /No such container: no-such-container/);
  });
});
