import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../base/index.ts';
import type { CommitsBackend } from './backend/index.ts';
import { ServerFixture } from './testing/fixture.ts';

type CommitInput = Parameters<CommitsBackend['commit']>[0];

async function asked(
  query: string,
  body?: unknown,
): Promise<{ input?: CommitInput; status: number; body: string }> {
  let input: CommitInput | undefined;
  await using server = await ServerFixture.start({
    commits: {
      commit: async (given) => {
        input = given;
        return { id: 'sha256:1' };
      },
    },
  });
  const answer = await server.ask('POST', `/v1.51/commit?${query}`, body);
  return { ...(input && { input }), status: answer.status, body: answer.body };
}

test('a commit hands over what is asked', async () => {
  const plain = await asked('container=c');
  assert.deepEqual([plain.status, plain.body], [201, '{"Id":"sha256:1"}\n']);
  assert.deepEqual(plain.input, {
    ref: 'c',
    repo: '',
    tag: '',
    author: '',
    comment: '',
    changes: [],
    pause: true,
    config: undefined,
    timeNs: undefined,
  });
  const query = 'container=c&repo=r&tag=t&author=a&comment=m&changes=ENV+A=1&changes=USER+u&pause=0';
  const full = await asked(query, { Cmd: ['x'], HostConfig: {} });
  assert.deepEqual(full.input?.changes, ['ENV A=1', 'USER u']);
  assert.deepEqual(full.input?.config, { Cmd: ['x'] });
  assert.equal(full.input?.pause, false);
  assert.equal((await asked('container=c', 'null')).input?.config, undefined);
});

test('a time is in seconds or as RFC 3339, and zero is one', async () => {
  const time = async (text: string) => (await asked(`container=c&timestamp=${text}`)).input?.timeNs;
  assert.equal(await time('0'), 0n);
  assert.equal(await time('1600000000'), 1_600_000_000_000_000_000n);
  assert.equal(await time('2020-09-13T12:26:40Z'), 1_600_000_000_000_000_000n);
  assert.equal(await time(''), undefined);
  for (const text of ['soon', '253402300800', '-1'])
    assert.equal((await asked(`container=c&timestamp=${text}`)).status, 400, text);
});

test('what a commit refuses', async () => {
  const none = await asked('');
  assert.deepEqual([none.status, none.body], [400, '{"message":"invalid name or ID supplied: \\"\\""}\n']);
  assert.equal((await asked('container=c', '{bad')).status, 400);
});

test('an export is streamed', async () => {
  await using server = await ServerFixture.start({
    commits: {
      export: async () =>
        (async function* () {
          yield Buffer.alloc(1 << 20, 'a');
          yield Buffer.from('end');
        })(),
    },
  });
  const answer = await server.ask('GET', '/v1.51/containers/c/export');
  assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/octet-stream']);
  assert.equal(answer.body.length, (1 << 20) + 3);
});

test('an export that fails midway cuts the connection; one that fails before is an error', async () => {
  await using server = await ServerFixture.start({
    commits: {
      export: async (ref) => {
        if (ref === 'gone') throw new WharfError('not-found', 'No such container: gone');
        return (async function* () {
          yield Buffer.from('first');
          throw new WharfError('internal', 'read: EIO');
        })();
      },
    },
  });
  const client = server.raw().send('GET /v1.51/containers/c/export HTTP/1.1\r\nHost: x\r\n\r\n');
  const text = (await client.all()).toString('latin1');
  assert.ok(!text.endsWith('0\r\n\r\n'), 'the end of a whole body is missing');
  assert.equal((await server.ask('GET', '/v1.51/containers/gone/export')).status, 404);
});
