import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it, mock } from 'node:test';
import { hungUp } from '../../sys/index.ts';
import { whenVanished } from './vanished.ts';

const directory = mkdtempSync(join(tmpdir(), 'vanished-'));
const server = createServer({ allowHalfOpen: true });

/** A connection as the server and as the client see it. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const accepted = once(server, 'connection');
  const far = connect({ path: join(directory, 's'), allowHalfOpen: true });
  const [near] = (await accepted) as [Socket];
  near.resume();
  return { near, far };
}

describe('whenVanished', () => {
  before(() => once(server.listen(join(directory, 's')), 'listening'));
  after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  it('tells at once of a client that is gone when its side ends', async () => {
    const { near, far } = await pair();
    far.destroy();
    await once(near, 'end');
    let left = 0;
    whenVanished(near, () => left++);
    assert.equal(left, 1);
    near.destroy();
  });

  it('waits for one that has only ended its side, and finds it when it goes', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const { near, far } = await pair();
      far.end();
      await once(near, 'end');
      let left = 0;
      const end = whenVanished(near, () => left++);
      mock.timers.tick(5_000);
      assert.equal(left, 0, 'it still reads');
      far.destroy();
      await once(far, 'close');
      mock.timers.tick(5_000);
      assert.equal(left, 1);
      end();
      mock.timers.tick(5_000);
      assert.equal(left, 1);
      near.destroy();
    } finally {
      mock.timers.reset();
    }
  });

  it('has nothing to say of a stream without a descriptor', () => {
    const end = whenVanished(new PassThrough(), () => assert.fail('it has no client'));
    end();
  });
});

describe('hungUp', () => {
  it('answers for many at once, and for none', async () => {
    assert.deepEqual(hungUp([]), []);
    assert.deepEqual(hungUp([0, 0]).length, 2);
  });
});
