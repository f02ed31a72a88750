import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../base/index.ts';
import { placeText, processPlace } from '../sys/index.ts';
import type { FakeOverrides } from './testing/fake-backends.ts';
import { ServerFixture } from './testing/fixture.ts';

const here = processPlace(process.pid);
const CALLER = encodeURIComponent(here ? placeText(here) : '');
const IN = `/wharf/containers/web/copy-in?path=%2Fd&folder=%2Fsrv&entry=f&name=new&caller=`;
const OUT = `/wharf/containers/web/copy-out?path=%2Fd%2Ff&folder=%2Fsrv&caller=`;

const lines = (body: string) =>
  body
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line));

function backend(asked: unknown[][]): FakeOverrides {
  return {
    copies: {
      async *putFromHost(...[ref, path, source, options]) {
        asked.push([ref, path, source, options]);
        yield { bytes: 512 };
        yield { bytes: 1024, hostError: 'no such file' };
      },
      async *getToHost(...[ref, path, target]) {
        asked.push([ref, path, target]);
        yield { bytes: 2048 };
      },
    },
  };
}

test('root in the daemon’s own place is served, with steps', async () => {
  const asked: unknown[][] = [];
  await using fixture = await ServerFixture.start(backend(asked));
  const put = await fixture.ask('POST', `${IN}${CALLER}&copyUIDGID=true`);
  assert.equal(put.status, 200);
  assert.deepEqual(lines(put.body), [{ Bytes: 512 }, { Bytes: 1024, HostError: 'no such file' }]);
  const got = await fixture.ask('POST', `${OUT}${CALLER}&keepOwners=1`);
  assert.deepEqual(lines(got.body), [{ Bytes: 2048 }]);
  assert.deepEqual(asked, [
    [
      'web',
      '/d',
      { folder: '/srv', entry: 'f', name: 'new' },
      { noOverwriteDirNonDir: false, copyUidGid: true },
    ],
    ['web', '/d/f', { folder: '/srv', name: undefined, keepOwners: true }],
  ]);
});

test('whoever says another place is refused before anything is done', async () => {
  const asked: unknown[][] = [];
  await using fixture = await ServerFixture.start(backend(asked));
  for (const caller of ['', 'elsewhere', CALLER.replace(String(process.pid), '1')])
    for (const path of [IN, OUT]) {
      const { status, body } = await fixture.ask('POST', `${path}${caller}`);
      assert.deepEqual(
        [status, JSON.parse(body).message],
        [501, 'only root on the same host copies in place'],
      );
    }
  assert.deepEqual(asked, []);
});

test('what is missing is named, and an error behind the first step comes as a line', async () => {
  await using fixture = await ServerFixture.start({
    copies: {
      async *putFromHost() {
        yield { bytes: 1 };
        throw new WharfError('not-found', 'Could not find the file /d in container web');
      },
    },
  });
  const bare = await fixture.ask('POST', `/wharf/containers/web/copy-in?path=%2Fd&caller=${CALLER}`);
  assert.deepEqual([bare.status, JSON.parse(bare.body).message], [400, 'the parameter folder is missing']);
  const { body } = await fixture.ask('POST', `${IN}${CALLER}`);
  assert.match(lines(body).at(-1).errorDetail.message, /^Could not find the file/);
});
