import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, useDaemon } from './support/index.ts';

describe('streams', () => {
  const engine = useDaemon();
  const window = { rows: 30, columns: 100 };

  it('a terminal has the size of the window and follows it', async () => {
    const terminal = engine.terminal(window, 'run', '--rm', '-it', 'busybox', 'sh');
    await terminal.until('# ');
    const size = async (wanted: string, again = async () => {}) =>
      eventually(
        async () => {
          await again();
          terminal.type('stty size\r');
          await new Promise((resolve) => setTimeout(resolve, 100));
          return terminal.shown;
        },
        (shown) => shown.includes(wanted),
        `a terminal of ${wanted}`,
      );
    await size('30 100');
    // The stock client begins to follow its window a moment after the first output: a change before then is lost to it.
    await size('41 133', async () => {
      await terminal.resize(40, 132);
      await terminal.resize(41, 133);
    });
    terminal.type('tty; echo TERM=$TERM; exit 4\r');
    const { code } = await terminal.exited;
    assert.equal(code, 4);
    assert.match(terminal.shown, /\/dev\/(pts\/0|console)/);
    assert.match(terminal.shown, /TERM=xterm/);
  });

  it('exec -it runs in a terminal of its own with resize', async () => {
    await engine.ok('run', '-d', '--name', 'host-of-exec', 'busybox', 'sleep', '60');
    const terminal = engine.terminal(window, 'exec', '-it', 'host-of-exec', 'sh');
    await terminal.until('# ');
    terminal.type('trap "stty size" WINCH; echo ready\r');
    await terminal.until(/\nready/);
    terminal.type('stty size\r');
    await terminal.until('30 100');
    await terminal.resize(20, 60);
    await eventually(
      async () => {
        terminal.type('stty size\r');
        await new Promise((resolve) => setTimeout(resolve, 100));
        return terminal.shown;
      },
      (shown) => shown.includes('20 60'),
      'the new size',
    );
    terminal.type('exit 6\r');
    assert.equal((await terminal.exited).code, 6);
    await engine.ok('rm', '-f', 'host-of-exec');
  });

  it('Ctrl-C interrupts the foreground program in the container', async () => {
    const terminal = engine.terminal(
      window,
      'run',
      '--rm',
      '-it',
      'busybox',
      'sh',
      '-c',
      'trap "echo caught; exit 130" INT; echo up; while :; do sleep 0.1; done',
    );
    await terminal.until('up');
    terminal.type('\x03');
    assert.equal((await terminal.exited).code, 130);
    assert.match(terminal.shown, /caught/);
  });

  it('detach keys leave the container running; attach goes on', async () => {
    const terminal = engine.terminal(window, 'run', '-it', '--name', 'left', 'busybox', 'sh');
    await terminal.until('# ');
    terminal.type('X=kept\r');
    terminal.type('\x10');
    terminal.type('\x11');
    assert.equal((await terminal.exited).code, 0);
    assert.equal(await engine.inspect('left', '{{.State.Running}}'), 'true');
    const again = engine.terminal(window, 'attach', '--detach-keys', 'ctrl-a,d', 'left');
    await again.until('terminal=');
    again.type('echo X is $X\r');
    await again.until('X is kept');
    again.type('\x01d');
    await again.exited;
    assert.equal(await engine.inspect('left', '{{.State.Running}}'), 'true');
    await engine.ok('rm', '-f', 'left');
  });

  it('attach without a terminal sees both streams and gets the exit code', async () => {
    await engine.ok(
      'create',
      '-i',
      '--name',
      'attached',
      'busybox',
      'sh',
      '-c',
      'read line; echo "out $line"; echo "err $line" >&2; exit 8',
    );
    await engine.ok('start', 'attached');
    const session = engine.session('attach', 'attached');
    await new Promise((resolve) => setTimeout(resolve, 300));
    session.send('hello\n');
    const { code, stdout, stderr } = await session.exited;
    assert.deepEqual([code, stdout, stderr], [8, 'out hello\n', 'err hello\n']);
    await engine.ok('rm', 'attached');
  });

  it('the end of stdin reaches the program while its output still comes', async () => {
    const session = engine.session(
      'run',
      '-i',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'cat > /dev/null; sleep 0.3; echo after the end',
    );
    session.end('some input');
    assert.equal((await session.exited).stdout, 'after the end\n');
  });

  it('exec reads stdin to its end and gives the exit code', async () => {
    await engine.ok('run', '-d', '--name', 'exec-host', 'busybox', 'sleep', '60');
    const { code, stdout } = await engine.dockerWith(
      { input: 'abc' },
      'exec',
      '-i',
      'exec-host',
      'sh',
      '-c',
      'wc -c; exit 11',
    );
    assert.deepEqual([code, stdout.trim()], [11, '3']);
    assert.equal((await engine.docker('exec', 'exec-host', 'no-such-program')).code, 127);
    assert.equal((await engine.docker('exec', 'exec-host', '/etc/passwd')).code, 126);
    assert.equal(
      await engine.ok(
        'exec',
        '-u',
        'nobody',
        '-w',
        '/tmp',
        '-e',
        'E=1',
        'exec-host',
        'sh',
        '-c',
        'id -un; pwd; echo $E',
      ),
      'nobody\n/tmp\n1',
    );
    await engine.ok('rm', '-f', 'exec-host');
  });

  it('a client that vanishes does not disturb the container', async () => {
    const session = engine.session(
      'run',
      '--name',
      'orphan',
      'busybox',
      'sh',
      '-c',
      'echo up; for i in $(seq 30); do echo $i; sleep 0.05; done',
    );
    await session.until('up');
    session.kill('SIGKILL');
    await session.exited;
    assert.equal(await engine.ok('wait', 'orphan'), '0');
    assert.match(await engine.ok('logs', 'orphan'), /\n30$/);
    await engine.ok('rm', 'orphan');
  });
});
