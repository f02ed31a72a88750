import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isKind } from '../base/index.ts';
import { check } from './errno.ts';
import { Fd } from './fd.ts';
import { libcFunction } from './libc.ts';
import { SeqpacketConnection } from './seqpacket.ts';

const socketCall = libcFunction<[number, number, number]>('int socket(int domain, int type, int protocol)');
const bindCall = libcFunction<[number, Buffer, number]>('int bind(int fd, const void *address, uint length)');
const listenCall = libcFunction<[number, number]>('int listen(int fd, int backlog)');
const acceptCall = libcFunction<[number, null, null]>('int accept(int fd, void *address, void *length)');
const recvCall = libcFunction<[number, Buffer, number, number]>(
  'long recv(int fd, void *data, size_t length, int flags)',
);
const sendCall = libcFunction<[number, Uint8Array, number, number]>(
  'long send(int fd, const void *data, size_t length, int flags)',
);

let base: string;
let path: string;
let listener: Fd;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-order-'));
  path = join(base, 's');
  listener = new Fd(check(socketCall(1, 5 | 0o2000000, 0), 'socket', path));
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1, 0);
  address.write(path, 2);
  check(bindCall(listener.fd, address, 2 + path.length + 1), 'bind', path);
  check(listenCall(listener.fd, 100), 'listen', path);
});
afterEach(() => {
  listener.close();
  rmSync(base, { recursive: true, force: true });
});

const accept = () => new Fd(check(acceptCall(listener.fd, null, null), 'accept', path));
const give = (peer: Fd, text: string) =>
  assert.ok(sendCall(peer.fd, Buffer.from(text), text.length, 0x40) > 0);
const descriptors = () => readdirSync('/proc/self/fd').length;
const unavailable = (thrown: unknown) => isKind(thrown, 'unavailable');

describe('calls in an order that nobody meant', () => {
  it('after the end are refused or nothing, and the end is told once', async () => {
    const connection = SeqpacketConnection.connect(path);
    using _peer = accept();
    let ends = 0;
    connection.onClose(() => {
      ends += 1;
      connection.close();
    });
    connection.close();
    connection[Symbol.dispose]();
    await assert.rejects(async () => connection.send(Buffer.from('x')), unavailable);
    for (const call of [
      () => connection.shutdownWrite(),
      () => connection.pause(),
      () => connection.resume(),
    ])
      assert.doesNotThrow(call);
    connection.onMessage(() => assert.fail('nothing comes any more'));
    await turn();
    assert.equal(ends, 1);
  });

  it('after shutdownWrite: no more is sent, though it be asked twice, and what comes still comes', async () => {
    using connection = SeqpacketConnection.connect(path);
    using peer = accept();
    connection.shutdownWrite();
    connection.shutdownWrite();
    await assert.rejects(async () => connection.send(Buffer.from('x')), unavailable);
    const got = Promise.withResolvers<string>();
    connection.onMessage((data) => got.resolve(String(data)));
    give(peer, 'late');
    assert.equal(await got.promise, 'late');
  });

  it('after shutdownWrite, with much still to be sent: all of that goes, and nothing is added to it', async () => {
    using connection = SeqpacketConnection.connect(path);
    using peer = accept();
    let sent = 0;
    let waiting: true | Promise<void> = true;
    for (; waiting === true; sent++) waiting = connection.send(Buffer.alloc(1000, sent));
    connection.shutdownWrite();
    await assert.rejects(async () => connection.send(Buffer.alloc(1000)), unavailable);
    const buffer = Buffer.alloc(2000);
    let received = 0;
    for (let length = 1; length !== 0; ) {
      length = recvCall(peer.fd, buffer, buffer.length, 0x40);
      if (length > 0) received += 1;
      else if (length < 0) await turn();
    }
    await waiting;
    assert.equal(received, sent);
  });

  it('pause and resume in any number deliver every packet once, in order', async () => {
    using connection = SeqpacketConnection.connect(path);
    using peer = accept();
    const got: string[] = [];
    connection.resume();
    connection.onMessage((data) => {
      got.push(String(data));
      connection.pause();
      connection.pause();
      connection.resume();
    });
    for (let at = 0; at < 50; at++) give(peer, `packet ${at}`);
    while (got.length < 50) await turn();
    assert.deepEqual(
      got,
      Array.from({ length: 50 }, (_, at) => `packet ${at}`),
    );
  });

  it('the last listener counts, and an empty send is nothing', async () => {
    using connection = SeqpacketConnection.connect(path);
    using peer = accept();
    const got = Promise.withResolvers<string>();
    connection.onMessage(() => assert.fail('replaced'));
    connection.onMessage((data) => got.resolve(String(data)));
    assert.equal(connection.send(Buffer.alloc(0)), true);
    give(peer, 'one');
    assert.equal(await got.promise, 'one');
  });
});

it('a listener that throws stops none of the others that were ready in the same turn', () => {
  const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const source = `
    import { pipe2 } from ${at('./fd.ts')};
    import { writeSync } from 'node:fs';
    import { pollFd } from ${at('./poll.ts')};
    process.on('uncaughtException', (thrown) => console.log(thrown.message));
    const pipes = [pipe2(), pipe2(), pipe2()];
    const watches = pipes.map(([reader], at) => pollFd(reader.fd, { readable: true }, () => {
      watches[at][Symbol.dispose]();
      console.log('ready ' + at);
      if (at === 0) throw new Error('thrown by 0');
    }, { keepAlive: true }));
    for (const [, writer] of pipes) writeSync(writer.fd, 'x');`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  assert.deepEqual(text.trim().split('\n').sort(), ['ready 0', 'ready 1', 'ready 2', 'thrown by 0']);
});

it('a hundred connections that end by either side leave no descriptor', async () => {
  const before = descriptors();
  const ended: Promise<void>[] = [];
  for (let at = 0; at < 100; at++) {
    const connection = SeqpacketConnection.connect(path);
    const peer = accept();
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.onClose(() => resolve());
    ended.push(promise);
    if (at % 2 === 0) connection.close();
    peer.close();
  }
  await Promise.all(ended);
  assert.equal(descriptors(), before);
});
