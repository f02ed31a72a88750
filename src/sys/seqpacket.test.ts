import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isKind, type WharfError } from '../base/index.ts';
import { check } from './errno.ts';
import { AT_FDCWD, Fd } from './fd.ts';
import { libcFunction } from './libc.ts';
import { SeqpacketConnection } from './seqpacket.ts';
import { socketPeer } from './unix-socket.ts';

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
const MSG_DONTWAIT = 0x40;

let base: string;
let listener: Fd;
let path: string;
let connection: SeqpacketConnection;
let peer: Fd;

/** A SEQPACKET listener; what it accepts plays conmon's part, packet by packet. */
function listen(at: string): Fd {
  const made = new Fd(check(socketCall(1, 5 | 0o2000000, 0), 'socket', at));
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1, 0);
  address.write(at, 2);
  check(bindCall(made.fd, address, 2 + at.length + 1), 'bind', at);
  check(listenCall(made.fd, 5), 'listen', at);
  return made;
}

function give(data: Uint8Array | string): boolean {
  const bytes = Buffer.from(data);
  return sendCall(peer.fd, bytes, bytes.length, MSG_DONTWAIT) >= 0;
}

/** The next packet at the peer, or undefined when there is none; empty at the end. */
function take(): Buffer | undefined {
  const buffer = Buffer.alloc(64 * 1024);
  const length = recvCall(peer.fd, buffer, buffer.length, MSG_DONTWAIT);
  return length < 0 ? undefined : buffer.subarray(0, length);
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await turn();
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-seq-'));
  path = join(base, 'attach');
  listener = listen(path);
  connection = SeqpacketConnection.connect(path);
  peer = new Fd(check(acceptCall(listener.fd, null, null), 'accept', path));
});
afterEach(() => {
  connection.close();
  peer.close();
  listener.close();
  rmSync(base, { recursive: true, force: true });
});

describe('receiving', () => {
  it('keeps the bounds of packets and their bytes, then tells the end once', async () => {
    const seen: Buffer[] = [];
    const ends: (WharfError | undefined)[] = [];
    connection.onMessage((data) => seen.push(data));
    connection.onClose((error) => ends.push(error));
    for (let at = 0; at < 40; at++) assert.ok(give(Buffer.alloc(1 + at * 50, at)));
    peer.close();
    await until(() => ends.length > 0);
    connection.close();
    assert.deepEqual(ends, [undefined]);
    assert.equal(seen.length, 40);
    for (const [at, data] of seen.entries()) assert.deepEqual(data, Buffer.alloc(1 + at * 50, at));
  });

  it('takes a bounded number of packets in one turn', async () => {
    let seen = 0;
    connection.onMessage(() => {
      seen += 1;
    });
    let sent = 0;
    while (sent < 100 && give('x')) sent += 1;
    await until(() => seen > 0);
    assert.ok(seen <= 16);
    await until(() => seen === sent);
  });

  it('delivers nothing while paused, not even the rest of what was taken, and loses nothing', async () => {
    const seen: string[] = [];
    let ended = false;
    connection.onMessage((data) => {
      seen.push(data.toString());
      if (seen.length === 1) connection.pause();
    });
    connection.onClose(() => {
      ended = true;
    });
    for (const text of ['a', 'b', 'c']) give(text);
    peer.close();
    await until(() => seen.length > 0);
    for (let left = 10; left > 0; left--) await turn();
    assert.deepEqual([seen, ended], [['a'], false]);
    connection.resume();
    await until(() => ended);
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('holds the peer back while paused', async () => {
    let bytes = 0;
    connection.onMessage((data) => {
      bytes += data.length;
    });
    connection.pause();
    let sent = 0;
    while (sent < 1000 && give(Buffer.alloc(8193))) sent += 1;
    assert.ok(sent < 1000);
    for (let left = 5; left > 0; left--) await turn();
    assert.equal(bytes, 0);
    connection.resume();
    await until(() => bytes === sent * 8193);
  });

  it('reports a packet that was cut', async () => {
    const end = new Promise<WharfError | undefined>((resolve) => connection.onClose(resolve));
    give(Buffer.alloc(40_000));
    assert.ok(isKind(await end, 'corrupt'));
  });

  it('may be closed from within a packet', async () => {
    let seen = 0;
    connection.onMessage(() => {
      seen += 1;
      connection.close();
    });
    give('a');
    give('b');
    await until(() => seen > 0);
    await turn();
    assert.equal(seen, 1);
  });
});

describe('sending', () => {
  it('sends at once while there is room, in packets conmon can take', () => {
    assert.equal(connection.send(Buffer.from('hello').subarray(1)), true);
    assert.equal(take()?.toString(), 'ello');
    assert.equal(connection.send(Buffer.alloc(70_000)), true);
    assert.deepEqual(
      [take(), take(), take()].map((data) => data?.length),
      [32768, 32768, 4464],
    );
    assert.equal(connection.send(Buffer.alloc(0)), true);
    assert.equal(take(), undefined);
  });

  it('waits for room, keeps the order, and ends after the last byte', async () => {
    const waits: Promise<void>[] = [];
    const total = 200;
    for (let at = 0; at < total; at++) {
      const sent = connection.send(Buffer.alloc(20_000, at));
      if (sent !== true) waits.push(sent);
    }
    assert.ok(waits.length > 0);
    connection.shutdownWrite();
    let next = 0;
    for (let data = take(); next < total; data = take()) {
      if (data) assert.deepEqual([data.length, data[0]], [20_000, next++ & 255]);
      else await turn();
    }
    await Promise.all(waits);
    await turn();
    assert.equal(take()?.length, 0);
    await assert.rejects(
      async () => connection.send(Buffer.from('late')),
      (e) => isKind(e, 'unavailable'),
    );
  });

  it('goes on receiving after shutdownWrite', async () => {
    connection.shutdownWrite();
    const seen = new Promise<Buffer>((resolve) => connection.onMessage(resolve));
    give('still here');
    assert.equal((await seen).toString(), 'still here');
  });

  it('rejects what waits when the peer goes, and what comes after', async () => {
    connection.onClose(() => {});
    let waiting: true | Promise<void> = true;
    while (waiting === true) waiting = connection.send(Buffer.alloc(30_000));
    peer.close();
    await assert.rejects(waiting);
    await assert.rejects(
      async () => connection.send(Buffer.from('x')),
      (e) => isKind(e, 'unavailable'),
    );
  });
});

describe('connecting', () => {
  it('tells a missing socket from one that nobody serves', () => {
    assert.throws(
      () => SeqpacketConnection.connect(join(base, 'none')),
      (e) => isKind(e, 'not-found'),
    );
    const before = readdirSync('/proc/self/fd').length;
    listener.close();
    assert.throws(
      () => SeqpacketConnection.connect(path),
      (e) => isKind(e, 'unavailable'),
    );
    assert.equal(readdirSync('/proc/self/fd').length, before - 1);
  });

  it('reaches a path longer than an address holds', () => {
    const deep = join(base, 'd'.repeat(120));
    mkdirSync(deep);
    const home = process.cwd();
    process.chdir(deep);
    try {
      using far = listen('attach');
      using near = SeqpacketConnection.connect(join(deep, 'attach'));
      using accepted = new Fd(check(acceptCall(far.fd, null, null), 'accept', 'attach'));
      near.send(Buffer.from('far'));
      assert.ok(accepted.fd > 0);
    } finally {
      process.chdir(home);
    }
  });

  it('says who is at the other end, of Unix sockets only', async () => {
    assert.deepEqual(socketPeer(peer), { pid: process.pid, uid: 0, gid: 0 });
    assert.equal(socketPeer(AT_FDCWD), undefined);
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const fd = (server as unknown as { _handle: { fd: number } })._handle.fd;
    assert.equal(socketPeer(fd), undefined);
    server.close();
  });
});
