import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownExecRoot, ownNetworkNames, withRealRoots } from './ownership.ts';

test('roots that a link leads to have their real names', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'wharf-roots-')));
  try {
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'));
    const settings = {
      dataRoot: join(directory, 'link/data'),
      execRoot: join(directory, 'run'),
      debug: true,
    };
    assert.deepEqual(withRealRoots(settings), { ...settings, dataRoot: join(directory, 'real/data') });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

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

test('a bridge and an nft table have one daemon at a time', () => {
  const locks = mkdtempSync(join(tmpdir(), 'wharf-locks-'));
  try {
    {
      using _first = ownNetworkNames({ bridge: 'b0', nftTable: 't0' }, locks);
      assert.throws(() => ownNetworkNames({ bridge: 'b0', nftTable: 't1' }, locks), {
        kind: 'conflict',
        message: 'the bridge b0 belongs to another running daemon: give this one another by --bridge',
      });
      assert.throws(() => ownNetworkNames({ bridge: 'b1', nftTable: 't0' }, locks), {
        kind: 'conflict',
        message: 'the nft table t0 belongs to another running daemon: give this one another by --nft-table',
      });
      // What was refused for its table has let go of its bridge.
      using _other = ownNetworkNames({ bridge: 'b1', nftTable: 't1' }, locks);
    }
    using _next = ownNetworkNames({ bridge: 'b0', nftTable: 't0' }, locks);
  } finally {
    rmSync(locks, { recursive: true });
  }
});

test('names that would lead elsewhere are refused', () => {
  assert.throws(() => ownNetworkNames({ bridge: '../x', nftTable: 't' }), { kind: 'invalid' });
  assert.throws(() => ownNetworkNames({ bridge: 'b', nftTable: 'a/b' }), { kind: 'invalid' });
});
