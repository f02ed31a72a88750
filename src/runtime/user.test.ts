import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { resolveUser } from './user.ts';

const root = mkdtempSync(join(tmpdir(), 'wharf-user-'));
mkdirSync(`${root}/etc`);
after(() => rmSync(root, { recursive: true, force: true }));
writeFileSync(
  `${root}/etc/passwd`,
  'root:x:0:0:r:/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n4294967296:x:0:0::/:/\n',
);
writeFileSync(`${root}/etc/group`, 'root:x:0:\nweb:x:34:\nextra:x:40:web\n');

test('names, numbers, groups and home follow the image', () => {
  assert.deepEqual(resolveUser(root, 'web', ['7']), {
    uid: 33,
    gid: 34,
    additionalGids: [34, 40, 7],
    home: '/srv',
    name: 'web',
  });
  assert.deepEqual(resolveUser(root, '1000'), {
    uid: 1000,
    gid: 0,
    additionalGids: [0],
    home: '/',
    name: '',
  });
  assert.equal(resolveUser(root, '+0').home, '/root');
  assert.equal(resolveUser(root, '00').uid, 0);
});

test('what is no user is refused with the text that clients know', () => {
  assert.throws(() => resolveUser(root, 'nosuch'), {
    message: 'unable to find user nosuch: no matching entries in passwd file',
  });
  assert.throws(() => resolveUser(root, '0:nosuch'), {
    message: 'unable to find group nosuch: no matching entries in group file',
  });
  for (const large of ['2147483648', '4294967296'])
    assert.throws(() => resolveUser(root, large), { message: 'uids and gids must be in range 0-2147483647' });
  for (const odd of ['0x0', ' 0']) assert.throws(() => resolveUser(root, odd), /no matching entries/);
});

test('a FIFO in place of passwd neither hangs nor hurts', () => {
  const other = `${root}/fifo`;
  mkdirSync(`${other}/etc`, { recursive: true });
  execFileSync('mkfifo', [`${other}/etc/passwd`]);
  assert.equal(resolveUser(other, '5').uid, 5);
});
