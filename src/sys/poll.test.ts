import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { isKind } from '../base/index.ts';
import { isErrno } from './errno.ts';
import { Fd, pipe2 } from './fd.ts';
import { pollFd, type Readiness } from './poll.ts';

const keepAlive = { keepAlive: true };
const openFds = () => readdirSync('/proc/self/fd').length;

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await turn();
}

it('tells when data comes, as long as it is there, and lets promises go on', async () => {
  const [reader, writer] = pipe2();
  let calls = 0;
  const { promise, resolve } = Promise.withResolvers<Readiness>();
  const watch = pollFd(
    reader.fd,
    { readable: true },
    (ready) => {
      calls += 1;
      if (calls === 3) readSync(reader.fd, Buffer.alloc(10));
      if (calls === 3) resolve(ready);
    },
    keepAlive,
  );
  await turns(3);
  assert.equal(calls, 0);
  writeSync(writer.fd, 'x');
  assert.deepEqual(await promise, { readable: true, writable: false });
  await turns(3);
  assert.equal(calls, 3);
  watch[Symbol.dispose]();
  reader.close();
  writer.close();
});

it('tells of room to write, and of the end of the other side', async () => {
  const [reader, writer] = pipe2();
  const writable = await new Promise<Readiness>((resolve) => {
    const watch = pollFd(
      writer.fd,
      { writable: true },
      (ready) => {
        watch[Symbol.dispose]();
        resolve(ready);
      },
      keepAlive,
    );
  });
  assert.deepEqual(writable, { readable: false, writable: true });
  const ended = new Promise<void>((resolve) => {
    const watch = pollFd(
      reader.fd,
      { readable: true },
      () => {
        watch[Symbol.dispose]();
        resolve();
      },
      keepAlive,
    );
  });
  writer.close();
  await ended;
  reader.close();
});

it('stops for good, more than once, and keeps no descriptor', async () => {
  const before = openFds();
  const [reader, writer] = pipe2();
  const first = pollFd(reader.fd, { readable: true }, () => assert.fail('stopped'));
  const second = pollFd(reader.fd, { readable: true }, () => first[Symbol.dispose](), keepAlive);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  writeSync(writer.fd, 'x');
  await turns(5);
  second[Symbol.dispose]();
  reader.close();
  writer.close();
  await turns(2);
  assert.equal(openFds(), before);
});

it('watches hundreds at once', async () => {
  const pipes = Array.from({ length: 300 }, () => pipe2());
  const seen = new Set<number>();
  await new Promise<void>((resolve) => {
    for (const [at, [reader, writer]] of pipes.entries()) {
      const watch = pollFd(
        reader.fd,
        { readable: true },
        () => {
          watch[Symbol.dispose]();
          seen.add(at);
          if (seen.size === pipes.length) resolve();
        },
        keepAlive,
      );
      writeSync(writer.fd, 'x');
    }
  });
  for (const end of pipes.flat()) end.close();
});

it('refuses files, directories and closed descriptors', () => {
  for (const path of ['/etc/passwd', '/etc']) {
    using file = new Fd(openSync(path, 'r'));
    assert.throws(
      () => pollFd(file.fd, { readable: true }, () => {}),
      (e) => isKind(e, 'invalid'),
    );
  }
  assert.throws(
    () => pollFd(-1, { readable: true }, () => {}),
    (e) => isErrno(e, 'EBADF'),
  );
});

it('lets the process end unless it is asked to stay', () => {
  const index = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  const program = `import { pipe2, pollFd } from ${index};
    const [reader] = pipe2(); pollFd(reader.fd, { readable: true }, () => {}); console.log('done');`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(text.trim(), 'done');
});

it('survives the collection of garbage', () => {
  const index = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  const program = `import { pipe2, pollFd } from ${index}; import { writeSync } from 'node:fs';
    const [reader, writer] = pipe2();
    pollFd(reader.fd, { readable: true }, () => { console.log('seen'); process.exit(0); }, { keepAlive: true });
    setTimeout(() => { gc(); gc(); writeSync(writer.fd, 'x'); }, 1);`;
  const options = { encoding: 'utf8', timeout: 20_000 } as const;
  const text = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], options);
  assert.equal(text.trim(), 'seen');
});

it('works in a worker, in its own loop', async () => {
  const index = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  const program = `const { parentPort } = require('node:worker_threads');
    import(${index}).then(({ spawnProcess }) => spawnProcess({ file: '/bin/sh', args: ['-c', 'exit 5'], env: [] }).exited)
      .then((exit) => parentPort.postMessage(exit));`;
  const worker = new Worker(program, { eval: true });
  const exit = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assert.deepEqual(exit, { code: 5, signal: null });
  await worker.terminate();
});
