import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UndoStack } from './disposal.ts';
import { type LogFields, silentLog } from './log.ts';

it('undoes in reverse and waits for each step', async () => {
  const seen: string[] = [];
  const fail = async () => {
    await using undo = new UndoStack(silentLog);
    undo.push('first', () => void seen.push('first'));
    undo.push('second', async () => {
      await Promise.resolve();
      seen.push('second');
    });
    throw new Error('the operation');
  };
  await assert.rejects(fail(), /the operation/);
  assert.deepEqual(seen, ['second', 'first']);
});

it('undoes nothing after commit, and what came after it', async () => {
  const seen: string[] = [];
  {
    await using undo = new UndoStack(silentLog);
    undo.push('kept', () => void seen.push('kept'));
    undo.commit();
    undo.push('later', () => void seen.push('later'));
  }
  assert.deepEqual(seen, ['later']);
});

it('logs a step that fails, goes on, and lets the first error through', async () => {
  const warnings: (LogFields | undefined)[] = [];
  const log = { ...silentLog, warn: (_: string, fields?: LogFields) => void warnings.push(fields) };
  const seen: string[] = [];
  const fail = async () => {
    await using undo = new UndoStack(log);
    undo.push('below', () => void seen.push('below'));
    undo.push('bad', () => {
      throw new Error('step');
    });
    throw new Error('the operation');
  };
  await assert.rejects(fail(), /the operation/);
  assert.deepEqual(seen, ['below']);
  assert.deepEqual(
    warnings.map((fields) => [fields?.['step'], String(fields?.['error'])]),
    [['bad', 'Error: step']],
  );
});

it('undoes each step once, though disposed twice', async () => {
  let count = 0;
  const undo = new UndoStack(silentLog);
  undo.push('step', () => {
    count += 1;
  });
  await undo[Symbol.asyncDispose]();
  await undo[Symbol.asyncDispose]();
  assert.equal(count, 1);
});
