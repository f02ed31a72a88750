import assert from 'node:assert/strict';
import { it } from 'node:test';
import { errnoCode, isKind, WharfError } from './errors.ts';

it('carries kind, message and cause', () => {
  const cause = new Error('below');
  const error = new WharfError('conflict', 'in use', { cause });
  assert.ok(error instanceof Error && isKind(error, 'conflict') && !isKind(error, 'invalid'));
  assert.deepEqual([error.name, error.message, error.cause], ['WharfError', 'in use', cause]);
});

it('is made from anything thrown', () => {
  const own = new WharfError('invalid', 'x');
  assert.equal(WharfError.from(own, 'internal'), own);
  const abort = AbortSignal.abort().reason as unknown;
  assert.ok(isKind(WharfError.from(abort), 'cancelled'));
  const plain = new Error('plain');
  assert.deepEqual(
    [WharfError.from(plain, 'corrupt').kind, WharfError.from(plain).cause],
    ['corrupt', plain],
  );
  for (const thrown of ['text', 5, undefined, null]) {
    assert.deepEqual(
      [WharfError.from(thrown).kind, WharfError.from(thrown).message],
      ['internal', String(thrown)],
    );
  }
});

it('recognises kinds of WharfErrors only', () => {
  assert.equal(isKind({ kind: 'invalid' }, 'invalid'), false);
  assert.equal(isKind(undefined, 'invalid'), false);
});

it('gives the code of a system error', () => {
  assert.equal(errnoCode(Object.assign(new Error('x'), { code: 'ENOENT' })), 'ENOENT');
  for (const thrown of [new Error('x'), { code: 5 }, null, undefined, 'ENOENT']) {
    assert.equal(errnoCode(thrown), undefined);
  }
});
