import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFailureCode } from './creating.ts';
import { parseMount } from './mounts.ts';

const bind = (rest: string) => () => parseMount(`type=bind,src=/a,dst=/b,${rest}`);

test('bind-recursive asks for what it needs, in any order', () => {
  const text = (how: string, field: string) => ({
    message: `option 'bind-recursive=${how}' requires '${field}' to be specified in conjunction`,
  });
  assert.throws(bind('bind-recursive=readonly'), text('readonly', 'readonly'));
  assert.throws(bind('bind-recursive=writable'), text('writable', 'readonly'));
  assert.throws(bind('bind-recursive=readonly,ro'), text('readonly', 'bind-propagation=rprivate'));
  assert.throws(
    bind('ro,bind-propagation=rslave,bind-recursive=readonly'),
    text('readonly', 'bind-propagation=rprivate'),
  );
  assert.deepEqual(bind('bind-recursive=readonly,bind-propagation=rprivate,ro')()['BindOptions'], {
    ReadOnlyForceRecursive: true,
    Propagation: 'rprivate',
  });
  assert.deepEqual(bind('bind-recursive=writable,ro')()['BindOptions'], { ReadOnlyNonRecursive: true });
  assert.deepEqual(bind('bind-recursive=disabled')()['BindOptions'], { NonRecursive: true });
});

test('a tmpfs has no negative size', () => {
  assert.throws(() => parseMount('type=tmpfs,dst=/a,tmpfs-size=-1'), {
    message: 'invalid value for tmpfs-size: -1',
  });
});

test('what could not be started has the exit codes of the shell', () => {
  assert.equal(startFailureCode('exec: "x": executable file not found in $PATH'), 127);
  assert.equal(startFailureCode('exec /x: permission denied'), 126);
  assert.equal(startFailureCode('exec /x: is a directory'), 126);
  assert.equal(startFailureCode('mount /x: not a directory'), 125);
});
