import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { WharfError } from '../base/index.ts';
import type { CopyOut, PathStat } from './backend/index.ts';
import { ServerFixture } from './testing/fixture.ts';

const STAT: PathStat = { name: 'f', size: 3, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' };
const HEADER = Buffer.from(JSON.stringify(STAT)).toString('base64');

/** A copy whose archive is these pieces, and whether it was let go. */
function copyOf(pieces: () => AsyncGenerator<Uint8Array>): CopyOut & { disposed: boolean } {
  return {
    stat: STAT,
    archive: pieces(),
    disposed: false,
    async [Symbol.asyncDispose]() {
      this.disposed = true;
    },
  };
}

test('HEAD and GET tell of the path in a header, GET with the archive behind', async () => {
  const asked: unknown[][] = [];
  const copy = copyOf(async function* () {
    yield Buffer.from('one ');
    yield Buffer.from('two');
  });
  await using fixture = await ServerFixture.start({
    copies: {
      stat: async (...call) => {
        asked.push(call);
        return STAT;
      },
      get: async (ref, path) => {
        asked.push([ref, path]);
        return copy;
      },
    },
  });
  const head = await fixture.ask('HEAD', '/v1.51/containers/web/archive?path=%2Fa%20b');
  assert.deepEqual([head.status, head.headers['x-docker-container-path-stat'], head.body], [200, HEADER, '']);
  assert.equal(head.headers['content-type'], undefined);
  const got = await fixture.ask('GET', '/containers/web/archive?path=x');
  assert.deepEqual(
    [got.status, got.headers['x-docker-container-path-stat'], got.body],
    [200, HEADER, 'one two'],
  );
  assert.equal(got.headers['content-type'], 'application/x-tar');
  assert.deepEqual(asked, [
    ['web', '/a b'],
    ['web', 'x'],
  ]);
  assert.ok(copy.disposed);
});

test('PUT hands its body over, and its options as Docker reads them', async () => {
  const asked: unknown[] = [];
  await using fixture = await ServerFixture.start({
    copies: {
      async put(ref, path, source, options) {
        let text = '';
        for await (const piece of source) text += Buffer.from(piece).toString();
        asked.push([ref, path, text, options.noOverwriteDirNonDir, options.copyUidGid]);
      },
    },
  });
  for (const query of [
    '',
    '&noOverwriteDirNonDir=1&copyUIDGID=true',
    '&noOverwriteDirNonDir=0&copyUIDGID=no',
  ]) {
    const { status, body, headers } = await fixture.ask(
      'PUT',
      `/containers/web/archive?path=/d${query}`,
      'a tar',
    );
    assert.deepEqual([status, body, headers['content-length']], [200, '', '0']);
  }
  assert.deepEqual(asked, [
    ['web', '/d', 'a tar', false, false],
    ['web', '/d', 'a tar', true, true],
    ['web', '/d', 'a tar', false, false],
  ]);
});

test('a call without a path, or whose backend refuses, is answered in words', async () => {
  const refuse = async () => {
    throw new WharfError('not-found', 'Could not find the file /x in container web');
  };
  await using fixture = await ServerFixture.start({ copies: { stat: refuse, get: refuse, put: refuse } });
  for (const method of ['GET', 'PUT']) {
    for (const query of ['', '?path=']) {
      const { status, body } = await fixture.ask(method, `/containers/web/archive${query}`);
      assert.deepEqual([status, JSON.parse(body)], [400, { message: 'bad parameter: pathcannot be empty' }]);
    }
    const { status, body } = await fixture.ask(method, '/containers/web/archive?path=/x');
    assert.deepEqual(
      [status, JSON.parse(body)],
      [404, { message: 'Could not find the file /x in container web' }],
    );
  }
  assert.equal((await fixture.ask('HEAD', '/containers/web/archive?path=/x')).status, 404);
  assert.equal((await fixture.ask('HEAD', '/containers/web/archive')).status, 400);
});

test('an archive that breaks off cuts the connection, and is let go', async () => {
  const copy = copyOf(async function* () {
    yield Buffer.from('begun');
    throw new WharfError('internal', 'the disk is gone');
  });
  await using fixture = await ServerFixture.start({ copies: { get: async () => copy } });
  await assert.rejects(fixture.ask('GET', '/containers/web/archive?path=/x'));
  assert.ok(copy.disposed);
});

test('a client that goes away ends the copy', async () => {
  const ended = Promise.withResolvers<void>();
  const copy = copyOf(async function* () {
    try {
      for (;;) yield Buffer.alloc(1 << 16);
    } finally {
      ended.resolve();
    }
  });
  await using fixture = await ServerFixture.start({ copies: { get: async () => copy } });
  const outgoing = request({
    socketPath: fixture.path,
    path: '/containers/web/archive?path=/x',
    agent: false,
  });
  outgoing.on('error', () => undefined);
  outgoing.on('response', (incoming) =>
    incoming.on('error', () => undefined).once('data', () => outgoing.destroy()),
  );
  outgoing.end();
  await ended.promise;
});
