import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { mount, parseMountInfo, umount } from '../../sys/index.ts';
import { checkPropagation } from './mount-propagation.ts';

const directory = mkdtempSync(join(tmpdir(), 'propagation-'));
after(() => rmSync(directory, { recursive: true }));

/** A mount table with `/` and `directory`, each with these optional fields. */
function table(root: string, own: string) {
  const line = (id: number, point: string, fields: string) =>
    `${id} 1 0:${id} / ${point} rw,relatime ${fields ? `${fields} ` : ''}- ext4 /dev/x rw`;
  return () => parseMountInfo(`${line(20, '/', root)}\n${line(21, directory, own)}\n`);
}

describe('checkPropagation', () => {
  it('asks nothing of private binds', () => {
    for (const word of ['', 'private', 'rprivate']) checkPropagation(directory, word, table('', ''));
    assert.throws(() => checkPropagation(directory, 'shared', table('', '')));
  });

  it('needs a shared mount for shared', () => {
    const text = `path ${directory} is mounted on ${directory} but it is not a shared mount`;
    for (const fields of ['', 'master:3', 'unbindable']) {
      assert.throws(() => checkPropagation(directory, 'rshared', table('shared:1', fields)), {
        message: text,
      });
    }
    checkPropagation(directory, 'shared', table('', 'shared:4'));
  });

  it('needs a shared or slave mount for slave', () => {
    const text = `path ${directory} is mounted on ${directory} but it is not a shared or slave mount`;
    assert.throws(() => checkPropagation(directory, 'slave', table('shared:1', '')), { message: text });
    checkPropagation(directory, 'rslave', table('', 'master:3'));
    checkPropagation(directory, 'slave', table('', 'shared:3'));
  });

  it('looks at the latest of several mounts on one point', () => {
    const twice = () => [...table('', 'shared:1')(), ...table('', '')().slice(1)];
    assert.throws(() => checkPropagation(directory, 'shared', twice), /not a shared mount/);
  });

  it('reads the host when told nothing else', () => {
    mount({ source: directory, target: directory, flags: ['bind'] });
    try {
      mount({ source: directory, target: directory, flags: ['private'] });
      assert.throws(() => checkPropagation(directory, 'shared'), /not a shared mount/);
      mount({ source: directory, target: directory, flags: ['shared'] });
      checkPropagation(directory, 'shared');
    } finally {
      umount(directory, { detach: true });
    }
  });
});
