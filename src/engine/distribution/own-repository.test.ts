import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { parseReference } from '../../oci/index.ts';
import type { Repository } from '../../registry/types.ts';
import { ownRepository } from './own-repository.ts';

const HOST = 'localhost:5000';
const asked: string[] = [];
const own = {
  serves: (domain: string) => domain === HOST,
  async repository(path: string, { username, password }: { username?: string; password?: string }) {
    asked.push(`${path} ${username}`);
    if (password === 'wrong') throw new WharfError('unauthorized', 'incorrect username or password');
    if (password === 'guessed') throw new WharfError('rate-limited', 'too many wrong passwords');
    return { path } as Repository;
  },
};
const ann = (password: string) => ({ username: 'ann', password });

test('the own registry is asked for its names only', async () => {
  const found = await ownRepository({ own }, parseReference(`${HOST}/lab/app`), ann('right'));
  assert.equal(found?.path, 'lab/app');
  assert.deepEqual(asked.splice(0), ['lab/app ann']);
  assert.equal(ownRepository({ own }, parseReference('localhost:5001/lab/app'), {}), undefined);
  assert.equal(ownRepository({ own: undefined }, parseReference(`${HOST}/lab/app`), {}), undefined);
  assert.deepEqual(asked, []);
});

test('a wrong password does not make clients ask for another one', async () => {
  const reference = parseReference(`${HOST}/lab/app`);
  await assert.rejects(ownRepository({ own }, reference, ann('wrong')) ?? Promise.resolve(), {
    kind: 'internal',
    message: 'unauthorized: incorrect username or password',
  });
  await assert.rejects(ownRepository({ own }, reference, ann('guessed')) ?? Promise.resolve(), {
    kind: 'rate-limited',
  });
});
