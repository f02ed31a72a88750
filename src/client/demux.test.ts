import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Demultiplexer } from './demux.ts';

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test('frames come apart however the bytes are cut', () => {
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'more')]);
  for (let size = 1; size <= bytes.length; size++) {
    const seen = { stdout: '', stderr: '', stdin: '', system: '' };
    const demux = new Demultiplexer((name, data) => {
      seen[name] += data.toString();
    });
    for (let at = 0; at < bytes.length; at += size) demux.push(bytes.subarray(at, at + size));
    assert.deepEqual([seen.stdout, seen.stderr, demux.complete], ['outmore', 'err', true]);
  }
});

test('what is no frame is refused', () => {
  const demux = new Demultiplexer(() => undefined);
  assert.throws(() => demux.push(Buffer.from('plain text')), /Unrecognized input header: 112/);
});
