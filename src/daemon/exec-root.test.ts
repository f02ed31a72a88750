import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownExecRoot } from './exec-root.ts';

test('an exec root has one daemon at a time', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-exec-root-'));
  try {
    const root = join(directory, 'run');
    {
      using _first = ownExecRoot(root);
      assert.throws(() => ownExecRoot(root), {
        kind: 'conflict',
        message: `the exec root ${root} is in use by another running daemon: give this one another by --exec-root`,
      });
      using _other = ownExecRoot(join(directory, 'other'));
    }
    using _next = ownExecRoot(root);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
