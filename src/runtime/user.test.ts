import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
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

function imageWith(files: { passwd?: string; group?: string }): string {
  const image = mkdtempSync(join(root, 'image-'));
  mkdirSync(`${image}/etc`);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${image}/etc/${name}`, text);
  return image;
}

test('devices, links to them, folders and links out of the image are no user database', () => {
  const image = imageWith({});
  for (const make of [
    () => symlinkSync('/dev/zero', `${image}/etc/passwd`),
    () => execFileSync('mknod', [`${image}/etc/passwd`, 'c', '1', '5']),
    () => mkdirSync(`${image}/etc/passwd`),
    () => symlinkSync('passwd', `${image}/etc/passwd`),
    () => symlinkSync('../../../../../../etc/passwd', `${image}/etc/passwd`),
    () => {
      execFileSync('mkfifo', [`${image}/pipe`]);
      symlinkSync('/pipe', `${image}/etc/passwd`);
    },
  ]) {
    make();
    assert.deepEqual(resolveUser(image, '5').additionalGids, [0]);
    assert.throws(() => resolveUser(image, 'daemon'), /no matching entries in passwd file/);
    rmSync(`${image}/etc/passwd`, { recursive: true });
  }
});

test('a link within the image is followed there', () => {
  const image = imageWith({ passwd: '' });
  writeFileSync(`${image}/real`, 'app:x:9:9::/app:/bin/sh\n');
  rmSync(`${image}/etc/passwd`);
  symlinkSync('/real', `${image}/etc/passwd`);
  assert.equal(resolveUser(image, 'app').uid, 9);
});

test('a database of a gigabyte, and one of one endless line, cost nothing', () => {
  const image = imageWith({ group: '' });
  truncateSync(`${image}/etc/group`, 1024 ** 3);
  assert.deepEqual(resolveUser(image, '5').additionalGids, [0]);
  const line = imageWith({ passwd: `${'x'.repeat(200_000)}:x:1:1::/:/\nok:x:2:3::/:/\n` });
  assert.equal(resolveUser(line, 'ok').uid, 2);
});

test('numbers are numbers, whatever the image calls its users', () => {
  const image = imageWith({ passwd: '1:x:0:0::/root:/bin/sh\n2147483648:x:0:0::/:/\n+5:x:0:0::/:/\n' });
  assert.equal(resolveUser(image, '1').uid, 1);
  assert.equal(resolveUser(image, '+5').uid, 5);
  for (const spec of ['2147483648', '4294967296', '-1', '99999999999999999999', '0:2147483648', '0:-1'])
    assert.throws(() => resolveUser(image, spec), /must be in range 0-2147483647/, spec);
  assert.equal(resolveUser(image, '2147483647').uid, 2147483647);
});

test('entries out of range, with too few fields or in comments do not count', () => {
  const image = imageWith({
    passwd: 'big:x:4294967296:0::/:/\nneg:x:-1:0::/:/\nfew:x\n#c:x:1:1::/:/\nhex:x:0x0:0::/:/\n:x:0:0::/:/\n',
  });
  for (const name of ['big', 'neg', 'few', '#c', 'c', 'hex'])
    assert.throws(() => resolveUser(image, name), /no matching entries/, name);
  assert.equal(resolveUser(image, '').uid, 0);
});

test('supplementary groups are the image’s, the primary one included, unless a group is named', () => {
  const image = imageWith({
    passwd: 'app:x:9:9::/app:/bin/sh\n',
    group: 'app:x:9:\na:x:20:app,other\nb:x:21:other,app\nc:x:22:other\ntwice:x:20:app\n',
  });
  assert.deepEqual(resolveUser(image, 'app').additionalGids, [9, 20, 21]);
  assert.deepEqual(resolveUser(image, '9').additionalGids, [9, 20, 21]);
  assert.deepEqual(resolveUser(image, 'app:c').additionalGids, [22]);
  assert.deepEqual(resolveUser(image, 'app:c', ['b', '77']).additionalGids, [22, 21, 77]);
  assert.throws(() => resolveUser(image, 'app', ['nosuch']), /unable to find group nosuch/);
});
