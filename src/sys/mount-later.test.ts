import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isKind } from '../base/index.ts';
import { isErrno } from './errno.ts';
import { umountIfMounted } from './mount.ts';
import { mountInfo } from './mount-info.ts';
import { mountLater } from './mount-later.ts';

let target: string;
beforeEach(() => {
  target = mkdtempSync(join(tmpdir(), 'wharf-later-'));
});
afterEach(() => {
  umountIfMounted(target, { detach: true });
  rmSync(target, { recursive: true, force: true });
});
const isMounted = () => mountInfo().some(({ mountPoint }) => mountPoint === target);

test('mounts, and fails, as the call itself', async () => {
  await mountLater({ source: 'tmpfs', target, type: 'tmpfs', data: 'size=1m' }, 10_000);
  assert.ok(isMounted());
  await assert.rejects(
    mountLater({ source: 'x', target: join(target, 'none'), type: 'tmpfs' }, 10_000),
    (thrown) => isErrno(thrown, 'ENOENT'),
  );
});

test('what does not answer is given up, and taken away when it succeeds after all', async () => {
  // Nothing is as quick as no time at all: the thread has not even begun.
  await assert.rejects(mountLater({ source: 'tmpfs', target, type: 'tmpfs' }, 0), (thrown) =>
    isKind(thrown, 'unavailable'),
  );
  await delay(300);
  assert.equal(isMounted(), false);
});
