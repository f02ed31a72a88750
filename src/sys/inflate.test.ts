import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isKind } from '../base/index.ts';
import { type Inflater, openGunzip, openUnzstd } from './inflate.ts';

type Open = (output: Buffer) => Inflater;
const KINDS: [string, Open, (bytes: Buffer) => Buffer][] = [
  ['gzip', openGunzip, (bytes) => gzipSync(bytes)],
  ['zstd', openUnzstd, (bytes) => zstdCompressSync(bytes)],
];
const corrupt = (thrown: unknown) => isKind(thrown, 'corrupt');

/** What comes out when the data goes in by pieces of `step` bytes, with an output buffer of `room`. */
function inflated(open: Open, data: Buffer, step: number, room: number): Buffer {
  using inflater = open(Buffer.alloc(room));
  const out: Buffer[] = [];
  for (let at = 0; at < data.length; at += step)
    inflater.push(data.subarray(at, at + step), (bytes) => out.push(Buffer.from(bytes)));
  inflater.finish();
  return Buffer.concat(out);
}

for (const [name, open, compress] of KINDS) {
  describe(name, () => {
    const plain = Buffer.concat([randomBytes(70_000), Buffer.alloc(900_000, 'abc'), randomBytes(5)]);

    it('gives back what was compressed, whatever the pieces and the room', () => {
      const data = compress(plain);
      for (const step of [1, 7, 4096, data.length]) {
        for (const room of [1, 1000, 1 << 18]) {
          if (step === 1 && room === 1) continue;
          assert.ok(inflated(open, data, step, room).equals(plain), `${step} ${room}`);
        }
      }
    });

    it('takes many members or frames as one', () => {
      const parts = [plain, Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(0), plain];
      const data = Buffer.concat(parts.map(compress));
      for (const step of [1, 333, data.length])
        assert.ok(inflated(open, data, step, 65_536).equals(Buffer.concat(parts)));
    });

    it('cut at any byte is damaged', () => {
      const data = compress(Buffer.from('some words to be compressed'));
      for (let cut = 1; cut < data.length; cut++)
        assert.throws(() => inflated(open, data.subarray(0, cut), 5, 100), corrupt, `${cut}`);
    });

    it('with other data behind it is damaged', () => {
      assert.throws(
        () => inflated(open, Buffer.concat([compress(plain), Buffer.from('tail')]), 4096, 4096),
        corrupt,
      );
    });

    it('changed in one byte gives nothing else than what it held, or is damaged', () => {
      const text = Buffer.from('some words to be compressed, some words to be compressed');
      const data = compress(text);
      let damaged = 0;
      for (let at = 0; at < data.length; at++) {
        const copy = Buffer.from(data);
        copy.writeUInt8((copy.readUInt8(at) ^ 0x55) & 0xff, at);
        try {
          inflated(open, copy, 64, 64);
        } catch (thrown) {
          assert.ok(corrupt(thrown), String(thrown));
          damaged += 1;
        }
      }
      assert.ok(damaged > data.length / 3);
    });

    it('passes on what its taker throws, and can be disposed of twice', () => {
      const inflater = open(Buffer.alloc(10));
      const stop = new Error('enough');
      assert.throws(
        () =>
          inflater.push(compress(plain), () => {
            throw stop;
          }),
        stop,
      );
      inflater[Symbol.dispose]();
      inflater[Symbol.dispose]();
    });
  });
}

describe('gzip', () => {
  it('may be padded by zeros behind a member, and by nothing before one', () => {
    const data = Buffer.concat([gzipSync('one'), Buffer.alloc(700), gzipSync('two'), Buffer.alloc(3)]);
    assert.equal(String(inflated(openGunzip, data, 100, 100)), 'onetwo');
    assert.throws(() => inflated(openGunzip, Buffer.alloc(10), 10, 10), corrupt);
    assert.throws(() => inflated(openGunzip, Buffer.alloc(0), 10, 10), corrupt);
  });
});

describe('zstd', () => {
  it('has skippable frames, which hold nothing', () => {
    const skippable = Buffer.concat([Buffer.from('5a2a4d1804000000', 'hex'), Buffer.from('skip')]);
    const data = Buffer.concat([
      skippable,
      zstdCompressSync('one'),
      skippable,
      zstdCompressSync('two'),
      skippable,
    ]);
    for (const step of [1, 5, data.length])
      assert.equal(String(inflated(openUnzstd, data, step, 2)), 'onetwo');
  });

  it('refuses a window that no image needs', () => {
    // A frame header with a window descriptor of 2 GiB (RFC 8878, 3.1.1.1.2).
    const frame = Buffer.from('28b52ffd00a8010000', 'hex');
    assert.throws(() => inflated(openUnzstd, frame, 100, 100), /too much memory/);
  });
});
