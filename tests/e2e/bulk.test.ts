import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { execute, hasStockClient, stockClient, useDaemon } from './support/index.ts';

const BIG = 500 * 1024 * 1024;
const LINES = 10_000_000;

/** Pseudo-random bytes that are cheap to make: one block in ever another order. */
function* noise(total: number): Generator<Buffer> {
  const block = createHash('sha512').update('noise').digest();
  const chunk = Buffer.alloc(1 << 20);
  for (let sent = 0, turn = 0; sent < total; turn++) {
    for (let at = 0; at < chunk.length; at += 64) block.copy(chunk, at);
    chunk.writeUInt32BE(turn, (turn * 8191) % (chunk.length - 4));
    const part = chunk.subarray(0, Math.min(chunk.length, total - sent));
    sent += part.length;
    yield Buffer.from(part);
  }
}

describe('bulk', () => {
  const engine = useDaemon();

  it('500 MB pass through run -i cat byte for byte', {
    skip: hasStockClient() ? false : 'the docker client is not installed',
  }, async () => {
    const args = [
      '-H',
      engine.host,
      'run',
      '-i',
      '--rm',
      '--net',
      'none',
      '--log-driver',
      'none',
      'busybox',
      'cat',
    ];
    const child = spawn(stockClient(), args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...engine.environment() },
    });
    const sent = createHash('sha256');
    const received = createHash('sha256');
    let bytes = 0;
    const feeding = (async () => {
      for (const chunk of noise(BIG)) {
        sent.update(chunk);
        if (!child.stdin.write(chunk)) await new Promise((resolve) => child.stdin.once('drain', resolve));
      }
      child.stdin.end();
    })();
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    for await (const chunk of child.stdout) {
      bytes += chunk.length;
      received.update(chunk);
    }
    await feeding;
    assert.equal(await ended, 0);
    assert.equal(bytes, BIG);
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });

  it('1 GB of output comes back from the log, whole and in order', async () => {
    // 10,000,000 numbered lines of 100 bytes, made by one process.
    const script = `seq -w 1 ${LINES} | sed 's/$/${'x'.repeat(91)}/'`;
    // Logs are bounded unless that is lifted.
    const whole = ['--log-opt', 'max-size=-1', '--net', 'none'];
    await engine.ok('create', '--name', 'talker', ...whole, 'busybox', 'sh', '-c', script);
    await engine.ok('start', 'talker');
    assert.equal((await engine.dockerWith({ timeout: 120_000 }, 'wait', 'talker')).stdout, '0\n');
    const pipeline = `"$0" -H "$1" logs talker | sha256sum`;
    const expected = await execute(
      'sh',
      ['-c', `seq -w 1 ${LINES} | sed 's/$/${'x'.repeat(91)}/' | sha256sum`],
      { timeout: 120_000 },
    );
    const actual = await execute('sh', ['-c', pipeline, stockClient(), engine.host], {
      timeout: 120_000,
      env: engine.environment(),
    });
    assert.equal(actual.stdout, expected.stdout);
    assert.equal(await engine.ok('logs', '--tail', '1', 'talker'), `${LINES}${'x'.repeat(91)}`);
    await engine.ok('rm', 'talker');
  });
});
