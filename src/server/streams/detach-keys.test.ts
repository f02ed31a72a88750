import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachScanner } from './detach-keys.ts';
import { frame } from './stdio-frames.ts';

/** Feeds the pieces and gives what came through, and where it detached. */
function run(keys: string, pieces: string[]): { passed: string; detachedAt: number } {
  const scanner = new DetachScanner(Buffer.from(keys));
  let passed = '';
  for (const [index, piece] of pieces.entries()) {
    const { data, detached } = scanner.feed(Buffer.from(piece));
    passed += data;
    if (detached) return { passed, detachedAt: index };
  }
  return { passed: passed + scanner.flush(), detachedAt: -1 };
}

test('keys are found within a chunk and across chunks', () => {
  assert.deepEqual(run('\x10\x11', ['ab\x10\x11cd']), { passed: 'ab', detachedAt: 0 });
  assert.deepEqual(run('\x10\x11', ['ab\x10', '\x11cd']), { passed: 'ab', detachedAt: 1 });
  assert.deepEqual(run('abc', ['a', 'b', 'c']), { passed: '', detachedAt: 2 });
});

test('what only began like the keys passes, in order', () => {
  assert.deepEqual(run('\x10\x11', ['\x10', 'x']), { passed: '\x10x', detachedAt: -1 });
  assert.deepEqual(run('\x10\x11', ['\x10', '\x10', '\x11']), { passed: '\x10', detachedAt: 2 });
  assert.deepEqual(run('aab', ['aa', 'aa', 'b']), { passed: 'aa', detachedAt: 2 });
  assert.deepEqual(run('abc', ['xab']), { passed: 'xab', detachedAt: -1 });
});

test('a partial match is held back until it is decided', () => {
  const scanner = new DetachScanner(Buffer.from('abc'));
  assert.equal(scanner.feed(Buffer.from('xa')).data.toString(), 'x');
  assert.equal(scanner.feed(Buffer.from('b')).data.toString(), '');
  assert.equal(scanner.feed(Buffer.from('d')).data.toString(), 'abd');
});

test('without keys everything passes', () => {
  assert.deepEqual(run('', ['a\x10\x11b']), { passed: 'a\x10\x11b', detachedAt: -1 });
});

test('any cut of any text gives the same as the whole', () => {
  for (const keys of ['aa', 'aba', 'abab', 'b']) {
    for (const text of ['aabaabab', 'abaababab', 'bbbb', 'aaaa', 'xyz']) {
      const at = text.indexOf(keys);
      const expected = at < 0 ? text : text.slice(0, at);
      for (let cut = 0; cut <= text.length; cut++) {
        assert.equal(
          run(keys, [text.slice(0, cut), text.slice(cut)]).passed,
          expected,
          `${keys} ${text} ${cut}`,
        );
      }
    }
  }
});

test('frames have a stream number and a big-endian length, whatever their size', () => {
  const big = Buffer.alloc(70_000, 1);
  const whole = Buffer.concat(frame('stderr', big));
  assert.deepEqual([...whole.subarray(0, 8)], [2, 0, 0, 0, 0, 1, 0x11, 0x70]);
  assert.deepEqual(whole.subarray(8), big);
  assert.deepEqual(Buffer.concat(frame('stdout', Buffer.from('hi'))), Buffer.from('\x01\0\0\0\0\0\0\x02hi'));
});
