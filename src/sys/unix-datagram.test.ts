import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { sealedFile } from './sealed.ts';
import { unacknowledged } from './send-queue.ts';
import { UnixDatagram } from './unix-datagram.ts';

const folder = mkdtempSync(join(tmpdir(), 'wharf-dgram-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Prints each datagram's text, or what is in the file that came with an empty one; waits for a line first, if asked to. */
const RECEIVER = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
if sys.argv[2] == 'late': sys.stdin.readline()
while True:
    data, fds, _, _ = socket.recv_fds(s, 65536, 1)
    for fd in fds: data = b'file:%d' % os.fstat(fd).st_size
    print(data.decode(), flush=True)
    if data == b'end': break
`;

async function receiver(name: string, when: 'now' | 'late') {
  const path = join(folder, name);
  const child = spawn('python3', ['-c', RECEIVER, path, when], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
  return { path, child, lines: async () => (await once(child, 'close')) && text.trimEnd().split('\n') };
}

describe('datagrams of a Unix socket', () => {
  it('arrive in order, with a descriptor where one is given', async () => {
    const { path, lines } = await receiver('plain', 'now');
    using socket = UnixDatagram.connect(path);
    await socket.send(Buffer.from('one'));
    using file = sealedFile('content', Buffer.alloc(300_000));
    await socket.send(Buffer.alloc(0), file);
    await socket.send(Buffer.from('end'));
    assert.deepEqual(await lines(), ['one', 'file:300000', 'end']);
  });

  it('wait while the receiver takes none', async () => {
    const { path, child, lines } = await receiver('late', 'late');
    using socket = UnixDatagram.connect(path);
    let sent = 0;
    const sending = (async () => {
      for (let at = 0; at < 2000; at++) {
        await socket.send(Buffer.from(String(at)));
        sent++;
      }
      await socket.send(Buffer.from('end'));
    })();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(sent < 2000, 'the queue is full');
    child.stdin.end('\n');
    await sending;
    assert.deepEqual(await lines(), [...Array.from({ length: 2000 }, (_, at) => String(at)), 'end']);
  });

  it('that are too long, or that nobody takes, say so', async () => {
    assert.throws(() => UnixDatagram.connect(join(folder, 'none')), { kind: 'not-found' });
    const { path, lines, child } = await receiver('short', 'late');
    using socket = UnixDatagram.connect(path);
    await assert.rejects(
      socket.send(Buffer.alloc(8 * 1024 * 1024)),
      (thrown: Error) => (thrown.cause as NodeJS.ErrnoException).code === 'EMSGSIZE',
    );
    const flood = (async () => {
      for (;;) await socket.send(Buffer.from('x'));
    })();
    setTimeout(() => socket.close(), 30);
    await assert.rejects(flood, { kind: 'cancelled' });
    child.kill('SIGKILL');
    await lines();
  });
});

describe('a send queue', () => {
  it('has what the peer has not read', async () => {
    const server = createServer((connection) => {
      connection.pause();
      setTimeout(() => connection.resume(), 100);
    });
    const path = join(folder, 'queue');
    server.listen(path);
    await once(server, 'listening');
    const socket = connect(path);
    await once(socket, 'connect');
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    assert.equal(unacknowledged(fd), 0);
    socket.write(Buffer.alloc(1000));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(unacknowledged(fd) > 0);
    while (unacknowledged(fd) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
    server.close();
    assert.throws(() => unacknowledged(-1));
  });
});
