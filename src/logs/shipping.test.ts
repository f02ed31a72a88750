import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { identityOf } from './files.ts';
import { LogFolder } from './log-file.cases.ts';
import { DatagramServer, StreamServer, until } from './log-server.cases.ts';
import { openLogReader } from './reader.ts';
import { isShipped, type LogShipping, openLogShipping, tryLogServer } from './shipping.ts';

const NEVER = new AbortController().signal;

const source = {
  id: 'cd'.repeat(32),
  name: 'web',
  imageId: '',
  imageName: 'busybox',
  command: '',
  created: '',
  tag: 'tag',
  attributes: new Map<string, string>(),
};

/** The texts of syslog messages on a stream. */
function texts(received: Buffer): string[] {
  const lines = received.toString().split('\n').slice(0, -1);
  return lines.map((line) => line.slice(line.indexOf(']: ') + 3));
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));

function syslogTo(server: StreamServer, more: Record<string, string> = {}) {
  return { 'syslog-address': `tcp://127.0.0.1:${server.port}`, ...more };
}

function ship(shipping: LogShipping, log: LogFolder, options: Record<string, string>, driver = 'syslog') {
  return shipping.ship({ logPath: log.path, driver, options, source });
}

describe('shipping', () => {
  it('sends what is there and what comes, and ends with the container', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    const shipping = openLogShipping(silentLog);
    log.write(log.lines(1, 3));
    ship(shipping, log, syslogTo(server));
    await until(() => texts(server.received).length === 3);
    log.append(log.lines(4, 5));
    await until(() => texts(server.received).length === 5);
    log.append(log.lines(6, 2000));
    await shipping.release(log.path);
    await until(() => texts(server.received).length === 2000);
    assert.deepEqual(texts(server.received), numbers(1, 2000));
    assert.deepEqual(shipping.reports(), []);
  });

  it('goes on where an earlier daemon stopped, over files that were rotated since', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    log.write(log.lines(1, 100));
    for (const [from, to] of [
      [101, 300],
      [301, 500],
    ] as const) {
      const shipping = openLogShipping(silentLog);
      ship(shipping, log, syslogTo(server));
      await until(() => texts(server.received).length === from - 1);
      await until(() =>
        readFileSync(`${log.path}.shipped`, 'latin1').includes(` ${statSync(log.path).size} `),
      );
      await shipping.close();
      log.append(log.lines(from, from + 99));
      log.rotate();
      log.append(log.lines(from + 100, to));
      if (from === 101) {
        // The first rotated file gets the number of the next one.
        const again = openLogShipping(silentLog);
        ship(again, log, syslogTo(server));
        await until(() => texts(server.received).length === to);
        await until(() =>
          readFileSync(`${log.path}.shipped`, 'latin1').includes(` ${statSync(log.path).size} `),
        );
        await again.close();
        renameSync(`${log.path}.1`, `${log.path}.2`);
      }
    }
    const last = openLogShipping(silentLog);
    ship(last, log, syslogTo(server));
    await last.release(log.path);
    await until(() => texts(server.received).length >= 500);
    assert.deepEqual(texts(server.received), numbers(1, 500));
    assert.equal(isShipped(log.path), true);
    await openLogReader().remove(log.path);
    assert.equal(isShipped(log.path), false);
  });

  it('waits for a server that is not there, and loses nothing', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    const { port } = server;
    await server.stop();
    const shipping = openLogShipping(silentLog);
    log.write(log.lines(1, 50));
    ship(shipping, log, syslogTo({ port } as StreamServer));
    await until(() => shipping.reports().length === 1);
    assert.match(shipping.reports()[0]?.trouble ?? '', /connection refused/);
    log.append(log.lines(51, 60));
    await server.listen(port);
    await until(() => texts(server.received).length === 60);
    assert.deepEqual(texts(server.received), numbers(1, 60));
    await until(() => shipping.reports().length === 0);
    await shipping.close();
  });

  it('of a server that resets sends what it did not acknowledge again, and no more than a batch', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    server.resetsAfter = 500_000;
    const got: number[] = [];
    const held = new Map<Socket, string>();
    server.onData = (data, connection) => {
      let text = (held.get(connection) ?? '') + data.toString('latin1');
      for (;;) {
        const match = /\xa3log.n(\d+)\x81\xa5chunk.(.{24})/s.exec(text);
        if (!match) break;
        text = text.slice(match.index + match[0].length);
        got.push(Number(match[1]));
        connection.write(
          Buffer.concat([Buffer.from('\x81\xa3ack\xb8', 'latin1'), Buffer.from(match[2] as string)]),
        );
      }
      held.set(connection, text);
    };
    const shipping = openLogShipping(silentLog);
    let text = '';
    for (let at = 1; at <= 5000; at++) text += log.record(`n${at}`);
    log.write(text);
    ship(
      shipping,
      log,
      { 'fluentd-address': `127.0.0.1:${server.port}`, 'fluentd-request-ack': 'true' },
      'fluentd',
    );
    await until(() => got.at(-1) === 5000);
    await shipping.close();
    assert.equal(new Set(got).size, 5000, 'none is lost');
    assert.ok(server.connections.length > 1, 'it was reset');
    // A batch is 64 KiB of the log.
    const most = Math.ceil((64 * 1024) / (text.length / 5000));
    for (let at = 1; at < got.length; at++) {
      const back = (got[at - 1] as number) - (got[at] as number);
      assert.ok(back <= most, `${back} lines again`);
    }
  });

  it('of a server that hangs goes on with nothing, and ends at once with the daemon', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    server.hangs = true;
    const shipping = openLogShipping(silentLog);
    log.write(log.record('x'.repeat(8000)).repeat(4000));
    ship(shipping, log, syslogTo(server));
    await until(() => server.connections.length === 1);
    shipping.hurry();
    await shipping.release(log.path);
    await shipping.close();
    assert.equal(existsSync(log.path), true);
  });

  it('in non-blocking mode drops what is more than may wait, and counts it', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    const { port } = server;
    await server.stop();
    const shipping = openLogShipping(silentLog);
    const options = { mode: 'non-blocking', 'max-buffer-size': '64k' };
    log.write(log.lines(1, 10_000));
    ship(shipping, log, syslogTo({ port } as StreamServer, options));
    await until(() => (shipping.reports()[0]?.lostRecords ?? 0) > 8000);
    await server.listen(port);
    await until(() => texts(server.received).at(-1) === '10000');
    const got = texts(server.received);
    const lost = shipping.reports()[0]?.lostRecords ?? 0;
    assert.deepEqual(got, numbers(10_000 - got.length + 1, 10_000));
    assert.equal(lost + got.length, 10_000);
    await shipping.close();
    const next = openLogShipping(silentLog);
    ship(next, log, syslogTo(server, options));
    assert.equal(next.reports()[0]?.lostRecords, lost, 'the next daemon knows it');
    await next.close();
  });

  it('puts pieces of a line together, up to 16 KiB', async () => {
    using log = new LogFolder();
    using server = await new DatagramServer().listen();
    const shipping = openLogShipping(silentLog);
    const piece = 'x'.repeat(8192);
    log.write(
      log.record(piece, { partial: true }) +
        log.record(piece, { partial: true }) +
        log.record('err', { stderr: true }) +
        log.record('end') +
        log.record('next'),
    );
    const options = {
      'gelf-address': `udp://127.0.0.1:${server.port}`,
      'gelf-compression-type': 'none',
    };
    ship(shipping, log, options, 'gelf');
    await shipping.release(log.path);
    await until(() => server.received.some((data) => data.includes('"next"')));
    const whole = server.received
      .filter((data) => data[0] === 0x7b)
      .map((data) => JSON.parse(data.toString()));
    assert.deepEqual(
      whole.map(({ short_message: text, level }) => [text, level]),
      [
        ['err', 3],
        ['end', 6],
        ['next', 6],
      ],
    );
    const chunks = server.received
      .filter((data) => data[0] === 0x1e)
      .sort((a, b) => (a[10] ?? 0) - (b[10] ?? 0));
    const long = JSON.parse(Buffer.concat(chunks.map((chunk) => chunk.subarray(12))).toString());
    assert.equal(long.short_message.length, 16_384);
  });

  it('holds back the files that the server does not have, up to a bound, and counts what is given up', async () => {
    using log = new LogFolder();
    const warnings: string[] = [];
    const shipping = openLogShipping({ ...silentLog, warn: (text) => void warnings.push(text) });
    log.write(log.lines(1, 10));
    const hold = ship(shipping, log, { 'syslog-address': 'tcp://127.0.0.1:1' });
    assert.ok(hold);
    const identity = identityOf(statSync(log.path, { bigint: true }));
    await until(() => shipping.reports().length > 0);
    log.rotate();
    appendFileSync(log.path, log.lines(11, 15));
    assert.equal(hold.needs(identity), true);
    assert.equal(hold.mostFiles, 50);
    await hold.giveUp(identity);
    assert.equal(hold.needs(identity), false);
    assert.equal(shipping.reports()[0]?.lostRecords, 10);
    assert.ok(warnings.some((text) => text.includes('are gone')));
    await shipping.close();
  });

  it('begins anew when the saved position makes no sense', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    log.write(log.lines(1, 5));
    writeFileSync(`${log.path}.shipped`, 'nonsense');
    const shipping = openLogShipping(silentLog);
    ship(shipping, log, syslogTo(server));
    await shipping.release(log.path);
    await until(() => texts(server.received).length === 5);
  });
});

describe('a log server is tried', () => {
  it('before a start, with the words of the reference', async () => {
    for (const [driver, options, message] of [
      [
        'syslog',
        { 'syslog-address': 'tcp://127.0.0.1:1' },
        'dial tcp 127.0.0.1:1: connect: connection refused',
      ],
      [
        'syslog',
        { 'syslog-address': 'unix:///etc/passwd' },
        'dial unix /etc/passwd: connect: connection refused',
      ],
      [
        'syslog',
        { 'syslog-address': 'tcp+tls://127.0.0.1:1', 'syslog-tls-ca-cert': '/nowhere' },
        'could not read CA certificate "/nowhere": open /nowhere: no such file or directory',
      ],
      [
        'syslog',
        { 'syslog-address': 'tcp+tls://127.0.0.1:1', 'syslog-tls-cert': '/nowhere' },
        'Could not load X509 key pair: open /nowhere: no such file or directory',
      ],
      ['fluentd', { 'fluentd-address': '127.0.0.1:1' }, 'dial tcp 127.0.0.1:1: connect: connection refused'],
      [
        'fluentd',
        { 'fluentd-address': 'unix:///nowhere/x' },
        'dial unix /nowhere/x: connect: no such file or directory',
      ],
      [
        'gelf',
        { 'gelf-address': 'tcp://127.0.0.1:1' },
        'gelf: cannot connect to GELF endpoint: 127.0.0.1:1 dial tcp 127.0.0.1:1: connect: connection refused',
      ],
      [
        'gelf',
        { 'gelf-address': 'udp://127.0.0.1:99999' },
        'gelf: cannot connect to GELF endpoint: 127.0.0.1:99999 dial udp: address 99999: invalid port',
      ],
    ] as [string, Record<string, string>, string][]) {
      await assert.rejects(
        (async () => tryLogServer(driver, options, source, NEVER))(),
        { message },
        JSON.stringify(options),
      );
    }
  });

  it('not where it need not be there', async () => {
    await tryLogServer(
      'fluentd',
      { 'fluentd-address': '127.0.0.1:1', 'fluentd-async': 'true' },
      source,
      NEVER,
    );
    await tryLogServer('syslog', { 'syslog-address': 'udp://127.0.0.1:9' }, source, NEVER);
    await tryLogServer('gelf', { 'gelf-address': 'udp://127.0.0.1:9' }, source, NEVER);
  });
});
