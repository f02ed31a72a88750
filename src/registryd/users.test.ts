import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { compareSync } from 'bcryptjs';
import { isKind } from '../base/index.ts';
import { listUsers, removeUsers, setUser } from './users.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-users-'));
  file = join(dir, 'users');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const hashOf = (name: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1) ?? '';

describe('users of an htpasswd file', () => {
  it('are added to a file that is made for its owner alone', async () => {
    // A name that was mistyped is no file without users.
    assert.throws(
      () => listUsers(file),
      (thrown) => isKind(thrown, 'not-found'),
    );
    assert.equal(await setUser(file, 'ann', 'first'), 'added');
    assert.equal(await setUser(file, 'bob', 'pä:ß'), 'added');
    assert.deepEqual(listUsers(file), ['ann', 'bob']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(compareSync('first', hashOf('ann')), true);
    assert.equal(compareSync('pä:ß', hashOf('bob')), true);
    assert.deepEqual(readdirSync(dir), ['users']);
  });

  it('get other passwords in their place; the rest of the file stays as it was', async () => {
    const line = `old:$2y$05$${'.'.repeat(53)}`;
    writeFileSync(file, `# staff\n${line}\nann:$2b$04$${'.'.repeat(53)}\n# end\n`);
    chmodSync(file, 0o640);
    assert.equal(await setUser(file, 'ann', 'second'), 'changed');
    const lines = readFileSync(file, 'utf8').split('\n');
    assert.deepEqual([lines[0], lines[1], lines[3], lines[4]], ['# staff', line, '# end', '']);
    assert.equal(compareSync('second', hashOf('ann')), true);
    assert.equal(statSync(file).mode & 0o777, 0o640);
  });

  it('are removed all or none', async () => {
    for (const name of ['ann', 'bob', 'cat']) await setUser(file, name, 'x');
    assert.throws(
      () => removeUsers(file, ['ann', 'eve']),
      (thrown) => isKind(thrown, 'not-found') && /no such user: eve/.test((thrown as Error).message),
    );
    assert.deepEqual(listUsers(file), ['ann', 'bob', 'cat']);
    removeUsers(file, ['ann', 'cat']);
    assert.deepEqual(listUsers(file), ['bob']);
  });

  it('are not those whose names begin alike', async () => {
    for (const name of ['ann', 'anna']) await setUser(file, name, name);
    await setUser(file, 'ann', 'other');
    assert.equal(compareSync('anna', hashOf('anna')), true);
    removeUsers(file, ['ann']);
    assert.deepEqual(listUsers(file), ['anna']);
  });

  it('have names and passwords that can be such', async () => {
    for (const name of ['', 'a:b', '@staff', '*', '#x', 'a\nb', 'a b', '.x', 'x'.repeat(129)])
      await assert.rejects(setUser(file, name, 'x'), (thrown) => isKind(thrown, 'invalid'), name);
    await assert.rejects(setUser(file, 'ann', ''), /empty password/);
    await assert.rejects(setUser(file, 'ann', 'ä'.repeat(37)), /at most 72 bytes/);
    assert.equal(await setUser(file, 'ann', 'ä'.repeat(36)), 'added');
    assert.equal(await setUser(file, 'ann.b+c@lab-1_x', 'x'), 'added');
  });

  it('are not written into a file that is damaged, or no such file', async () => {
    writeFileSync(file, 'ann:plain\n');
    await assert.rejects(setUser(file, 'bob', 'x'), /line 1: a plain password/);
    assert.equal(readFileSync(file, 'utf8'), 'ann:plain\n');
    await assert.rejects(setUser(dir, 'bob', 'x'), (thrown) => isKind(thrown, 'invalid'));
    const none = join(dir, 'none');
    await assert.rejects(
      setUser(join(none, 'users'), 'bob', 'x'),
      (thrown) =>
        isKind(thrown, 'not-found') &&
        String(thrown).endsWith(`the folder ${none} is not there: make it first by "mkdir -p ${none}"`),
    );
  });

  it('are written through a link, which stays one', async () => {
    writeFileSync(join(dir, 'real'), '');
    symlinkSync('real', file);
    await setUser(file, 'ann', 'x');
    assert.equal(readFileSync(join(dir, 'real'), 'utf8').startsWith('ann:$2'), true);
    assert.deepEqual(readdirSync(dir).sort(), ['real', 'users']);
  });

  it('are understood by htpasswd of Apache, both ways', async (context) => {
    try {
      execFileSync('htpasswd', ['-nbB', 'x', 'y'], { stdio: 'pipe' });
    } catch {
      return context.skip('apache2-utils is not installed');
    }
    await setUser(file, 'ann', 'first');
    execFileSync('htpasswd', ['-vb', file, 'ann', 'first'], { stdio: 'pipe' });
    assert.throws(() => execFileSync('htpasswd', ['-vb', file, 'ann', 'wrong'], { stdio: 'pipe' }));
    execFileSync('htpasswd', ['-bB', file, 'bob', 'second'], { stdio: 'pipe' });
    assert.deepEqual(listUsers(file), ['ann', 'bob']);
    assert.equal(compareSync('second', hashOf('bob')), true);
  });
});
