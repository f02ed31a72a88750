import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isKind } from './errors.ts';
import { makeFolder } from './make-folder.ts';

const dir = mkdtempSync(join(tmpdir(), 'wharf-folder-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const modeOf = (path: string) => statSync(path).mode & 0o777;
const refused = (path: string, text: RegExp) =>
  assert.throws(
    () => makeFolder(path, 0o700),
    (thrown) => isKind(thrown, 'invalid') && text.test(String(thrown)),
  );

describe('makeFolder', () => {
  it('makes what is missing, and leaves what is there', () => {
    makeFolder(join(dir, 'a/b/c'), 0o700);
    assert.equal(modeOf(join(dir, 'a')), 0o700);
    assert.equal(modeOf(join(dir, 'a/b/c')), 0o700);
    chmodSync(join(dir, 'a'), 0o750);
    makeFolder(join(dir, 'a/b/../../a/'), 0o700);
    assert.equal(modeOf(join(dir, 'a')), 0o750);
    symlinkSync('a', join(dir, 'link'));
    makeFolder(join(dir, 'link/d'), 0o700);
    assert.equal(modeOf(join(dir, 'a/d')), 0o700);
  });

  it('ends with an error on file systems that take no folders', () => {
    refused('/proc/none/such', /the folder \/proc\/none can't be made: the file system of \/proc takes none/);
    refused('/proc/none', /the folder \/proc\/none can't be made/);
    refused('/sys/none', /the folder \/sys\/none can't be made/);
  });

  it('names what is in the way', () => {
    writeFileSync(join(dir, 'file'), '');
    refused(join(dir, 'file'), /file can't be made: .*EEXIST/);
    refused(join(dir, 'file/below'), /below can't be made: .*ENOTDIR/);
    symlinkSync('nowhere', join(dir, 'dangling'));
    refused(join(dir, 'dangling'), /dangling can't be made/);
    refused(join(dir, 'dangling/below'), /dangling can't be made/);
  });
});
