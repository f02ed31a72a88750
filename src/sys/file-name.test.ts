import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { decodeName, encodeName, fstatat, O, openat2, readlinkat, readNames, symlinkat } from './index.ts';

it('any bytes become a text and the same bytes again, no two the same text', () => {
  const texts = new Map<string, string>();
  let seed = 7;
  for (let turn = 0; turn < 20_000; turn++) {
    const bytes = Buffer.alloc(1 + (turn % 7));
    for (let at = 0; at < bytes.length; at++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      bytes[at] = seed >>> 24 || 1;
    }
    const text = decodeName(bytes);
    assert.ok(encodeName(text).equals(bytes), bytes.toString('hex'));
    const other = texts.get(text) ?? bytes.toString('hex');
    assert.equal(other, bytes.toString('hex'));
    texts.set(text, other);
  }
});

it('what is UTF-8 stays as it is', () => {
  for (const text of ['plain', 'caf\u00e9', '\ud83d\udea2', '\ufffd', 'a\ufffdb\u20ac'])
    assert.deepEqual([decodeName(Buffer.from(text)), encodeName(text).toString()], [text, text]);
});

it('calls find files by such texts', (t) => {
  const base = mkdtempSync('/var/tmp/wharf-names-');
  t.after(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, 'd'));
  writeFileSync(Buffer.concat([Buffer.from(`${base}/d/`), Buffer.from([0x61, 0xff])]), 'four');
  using folder = openat2(base, 'd', { flags: O.RDONLY | O.DIRECTORY });
  const [name] = readNames(folder);
  assert.equal(name, 'a\udcff');
  assert.equal(fstatat(folder, name).size, 4);
  symlinkat('to\udcfe', folder, 'link\udcfd');
  assert.equal(readlinkat(folder, 'link\udcfd'), 'to\udcfe');
  assert.deepEqual(readNames(folder).sort(), ['a\udcff', 'link\udcfd']);
});
