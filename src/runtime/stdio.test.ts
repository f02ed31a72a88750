import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isKind } from '../base/index.ts';
import { Fd } from '../sys/index.ts';
import { libcFunction } from '../sys/libc.ts';
import { attachStdio } from './stdio.ts';
import type { OutputFrame, TaskStdio } from './types.ts';

const socketCall = libcFunction<[number, number, number]>('int socket(int domain, int type, int protocol)');
const bindCall = libcFunction<[number, Buffer, number]>('int bind(int fd, const void *address, uint length)');
const listenCall = libcFunction<[number, number]>('int listen(int fd, int backlog)');
const acceptCall = libcFunction<[number, null, null]>('int accept(int fd, void *address, void *length)');
const sendCall = libcFunction<[number, Uint8Array, number, number]>(
  'long send(int fd, const void *data, size_t length, int flags)',
);
const recvCall = libcFunction<[number, Buffer, number, number]>(
  'long recv(int fd, void *data, size_t length, int flags)',
);
const AF_UNIX = 1;
const SEQPACKET_CLOEXEC = 5 | 0o2000000;
const NOW = 0x40 | 0x4000;

let base: string;
let path: string;
let listener: Fd;
let open: Disposable[];

/** Plays the monitor: its socket, and in the same directory the pid of its process. */
beforeEach(() => {
  open = [];
  base = mkdtempSync(join(tmpdir(), 'wharf-stdio-'));
  path = `${base}/attach`;
  listener = new Fd(socketCall(AF_UNIX, SEQPACKET_CLOEXEC, 0));
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  assert.equal(bindCall(listener.fd, address, 2 + path.length + 1), 0);
  assert.equal(listenCall(listener.fd, 16), 0);
});
afterEach(() => {
  for (const each of open) each[Symbol.dispose]();
  listener.close();
  rmSync(base, { recursive: true, force: true });
});

function attached(): { stdio: TaskStdio; peer: Fd } {
  const stdio = attachStdio(path);
  const peer = new Fd(acceptCall(listener.fd, null, null));
  open.push({ [Symbol.dispose]: () => stdio.close() }, peer);
  return { stdio, peer };
}

/** Sends one packet; false when the connection's buffer is full. */
const print = (peer: Fd, text: string) =>
  sendCall(peer.fd, Buffer.from(text), Buffer.byteLength(text), NOW) >= 0;

/** What came to the monitor, one packet; `''` for the end, undefined for nothing yet. */
function arrived(peer: Fd): string | undefined {
  const buffer = Buffer.alloc(64 * 1024);
  const length = recvCall(peer.fd, buffer, buffer.length, NOW);
  return length < 0 ? undefined : buffer.toString('utf8', 0, length);
}

async function arrival(peer: Fd): Promise<string> {
  for (;;) {
    const text = arrived(peer);
    if (text !== undefined) return text;
    await turn();
  }
}

async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await turn();
}

async function all(stdio: TaskStdio): Promise<OutputFrame[]> {
  const frames: OutputFrame[] = [];
  for await (const frame of stdio.output) frames.push(frame);
  return frames;
}
const texts = (frames: OutputFrame[]) => frames.map(({ stream, data }) => `${stream}: ${data}`);
const descriptors = () => readdirSync('/proc/self/fd').length;

/** A process of the test's own, to stand for the container's; ended when the test ends. */
async function processOfTheMonitor() {
  const child = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('spawn', resolve));
  writeFileSync(`${base}/pid`, String(child.pid));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  open.push({ [Symbol.dispose]: () => void child.kill('SIGKILL') });
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

describe('the attach protocol', () => {
  it('is one byte of stream and then data, in order', async () => {
    const { stdio, peer } = attached();
    print(peer, '\x02one');
    print(peer, '\x03two');
    print(peer, '\x02three\n\0four');
    peer.close();
    assert.deepEqual(texts(await all(stdio)), ['stdout: one', 'stderr: two', 'stdout: three\n\0four']);
  });

  it('leaves bytes as they are, a character cut in two and a piece without any', async () => {
    const { stdio, peer } = attached();
    const euro = Buffer.from('€');
    for (const piece of [euro.subarray(0, 1), euro.subarray(1), Buffer.alloc(0)]) {
      const packet = Buffer.concat([Buffer.of(2), piece]);
      assert.ok(sendCall(peer.fd, packet, packet.length, NOW) > 0);
    }
    peer.close();
    const frames = await all(stdio);
    assert.deepEqual(
      frames.map(({ data }) => data.length),
      [1, 2, 0],
    );
    assert.equal(Buffer.concat(frames.map(({ data }) => data)).toString(), '€');
  });

  it('waits for output that comes later, and ends with the connection', async () => {
    const { stdio, peer } = attached();
    const reader = stdio.output[Symbol.asyncIterator]();
    const first = reader.next();
    await turns(3);
    print(peer, '\x02late');
    assert.equal(String((await first).value?.data), 'late');
    const end = reader.next();
    peer.close();
    assert.equal((await end).done, true);
    assert.equal((await reader.next()).done, true);
  });

  it('is not there without a socket, or when nobody listens', () => {
    const before = descriptors();
    assert.throws(() => attachStdio(`${base}/nosuch`), { kind: 'not-found' });
    writeFileSync(`${base}/file`, '');
    assert.throws(() => attachStdio(`${base}/file`));
    listener.close();
    assert.throws(
      () => attachStdio(path),
      (thrown) => isKind(thrown, 'unavailable'),
    );
    assert.equal(descriptors(), before - 1);
  });
});

describe('input', () => {
  it('comes as it was written, and its end after all of it', async () => {
    const { stdio, peer } = attached();
    await stdio.write(Buffer.from('a'));
    await stdio.write(Buffer.from('bc\n'));
    stdio.closeInput();
    stdio.closeInput();
    assert.equal(await arrival(peer), 'a');
    assert.equal(await arrival(peer), 'bc\n');
    assert.equal(await arrival(peer), '');
  });

  it('that is long comes in packets that the monitor can take, complete', async () => {
    const { stdio, peer } = attached();
    const sent = 'x'.repeat(300_000);
    const written = stdio.write(Buffer.from(sent));
    let received = '';
    while (received.length < sent.length) {
      const packet = await arrival(peer);
      assert.ok(packet.length <= 32 * 1024);
      received += packet;
    }
    await written;
    assert.equal(received, sent);
  });

  it('after its end is refused, and output still comes', async () => {
    const { stdio, peer } = attached();
    stdio.closeInput();
    await assert.rejects(stdio.write(Buffer.from('x')), (thrown) => isKind(thrown, 'unavailable'));
    print(peer, '\x02still');
    peer.close();
    assert.deepEqual(texts(await all(stdio)), ['stdout: still']);
  });

  it('that nobody takes any more is refused when the monitor goes', async () => {
    const { stdio, peer } = attached();
    const stuck = stdio.write(Buffer.alloc(4 << 20));
    await turns(2);
    peer.close();
    await assert.rejects(stuck, (thrown) => isKind(thrown, 'unavailable'));
  });
});

describe('letting go', () => {
  it('ends the output of a reader that waits, and the connection for the monitor', async () => {
    const { stdio, peer } = attached();
    const reading = all(stdio);
    await turns(2);
    stdio.close();
    stdio.close();
    assert.deepEqual(await reading, []);
    assert.equal(await arrival(peer), '');
    stdio.closeInput();
    await assert.rejects(stdio.write(Buffer.from('x')), (thrown) => isKind(thrown, 'unavailable'));
  });

  it('keeps what had come for the reader that is slow', async () => {
    const { stdio, peer } = attached();
    const reader = stdio.output[Symbol.asyncIterator]();
    print(peer, '\x02one');
    print(peer, '\x02two');
    assert.equal(String((await reader.next()).value?.data), 'one');
    stdio.close();
    assert.equal(String((await reader.next()).value?.data), 'two');
    assert.equal((await reader.next()).done, true);
  });

  it('with the input kept leaves the connection, and takes from it what nobody reads', async () => {
    const { stdio, peer } = attached();
    const reading = all(stdio);
    await turns(2);
    stdio.close({ keepInput: true });
    assert.deepEqual(await reading, []);
    // Many times what a socket's buffer holds: it can all be printed only if it is taken.
    for (let at = 0; at < 2000; at++) while (!print(peer, `\x02${'y'.repeat(4096)}`)) await turn();
    assert.equal(arrived(peer), undefined, 'the input goes on');
    assert.deepEqual(await all(stdio), []);
  });

  it('with the input kept ends with the monitor, and may be closed for good', async () => {
    const before = descriptors();
    const { stdio, peer } = attached();
    stdio.close({ keepInput: true });
    stdio.close({ keepInput: true });
    stdio.close();
    assert.equal(await arrival(peer), '');
    const second = attached();
    second.stdio.close({ keepInput: true });
    second.peer.close();
    peer.close();
    while (descriptors() > before) await turn();
    assert.equal(descriptors(), before);
  });

  it('of fifty connections, by either side, leaves no descriptor', async () => {
    const before = descriptors();
    for (let at = 0; at < 50; at++) {
      const { stdio, peer } = attached();
      print(peer, '\x02x');
      if (at % 2 === 0) stdio.close();
      peer.close();
      await all(stdio);
    }
    while (descriptors() > before) await turn();
    assert.equal(descriptors(), before);
  });
});

describe('a reader that stands still', () => {
  /** Prints until the connection takes no more, after the reader's side had its turns. */
  async function fill(peer: Fd, from: number): Promise<number> {
    let at = from;
    for (let refusals = 0; refusals < 20; ) {
      if (print(peer, `\x02${at}`)) at++;
      else refusals++;
      if (at % 100 === 0 || refusals > 0) await turn();
      if (at > from + 100_000) return at;
    }
    return at;
  }

  it('holds the monitor back, and loses nothing when it goes on', async () => {
    await processOfTheMonitor();
    const { stdio, peer } = attached();
    const held = await fill(peer, 0);
    assert.ok(held < 10_000, 'the monitor was held back');
    const reader = stdio.output[Symbol.asyncIterator]();
    for (let at = 0; at < held; at++) assert.equal(String((await reader.next()).value?.data), String(at));
    print(peer, '\x02end');
    assert.equal(String((await reader.next()).value?.data), 'end');
  });

  it('does not hold it back when the process has ended: all is taken at once', async () => {
    const kill = await processOfTheMonitor();
    const { stdio, peer } = attached();
    const held = await fill(peer, 0);
    await kill();
    let printed = held;
    for (; printed < held + 3000; printed++) while (!print(peer, `\x02${printed}`)) await turn();
    peer.close();
    const frames = await all(stdio);
    assert.equal(frames.length, printed);
    assert.equal(String(frames.at(-1)?.data), String(printed - 1));
  });

  it('does not hold it back when the process is long gone', async () => {
    await (await processOfTheMonitor())();
    const { stdio, peer } = attached();
    for (let at = 0; at < 3000; at++) while (!print(peer, '\x02x')) await turn();
    peer.close();
    assert.equal((await all(stdio)).length, 3000);
  });

  it('that lets go ends the wait for the process, and leaves no descriptor', async () => {
    await processOfTheMonitor();
    const before = descriptors();
    const { stdio, peer } = attached();
    await fill(peer, 0);
    assert.ok(descriptors() > before + 2, 'the process is watched');
    stdio.close();
    peer.close();
    while (descriptors() > before) await turn();
    assert.equal(descriptors(), before);
  });

  it('stands in nobody else’s way: each connection has a pace of its own', async () => {
    await processOfTheMonitor();
    const slow = attached();
    const fast = attached();
    await fill(slow.peer, 0);
    const reading = all(fast.stdio);
    for (let at = 0; at < 1000; at++) while (!print(fast.peer, `\x02${at}`)) await turn();
    fast.peer.close();
    assert.equal((await reading).length, 1000);
  });
});
