import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../base/index.ts';
import { LogFolder } from '../log-file.cases.ts';
import { StreamServer, until } from '../log-server.cases.ts';
import { openLogShipping } from '../shipping.ts';
import type { LogEntry, LogSink } from '../sinks/types.ts';
import { retryOf } from './retry.ts';
import { Shipper } from './shipper.ts';

const ENDLESS = { first: 50, longest: 5000, most: Number.POSITIVE_INFINITY };

/** A server that fails, hangs or takes. */
class Sink implements LogSink {
  readonly taken: string[] = [];
  attempts = 0;
  isDown = false;
  hangs: Promise<void> | undefined;

  async send(entries: readonly LogEntry[], signal: AbortSignal): Promise<void> {
    this.attempts++;
    if (this.hangs) {
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      await Promise.race([this.hangs, promise]);
    }
    if (this.isDown) throw new Error('down');
    this.taken.push(...entries.map(({ line }) => line.toString()));
  }

  close(): void {}
}

function ship(log: LogFolder, sink: LogSink, more: { most?: number; buffer?: number; hanging?: number }) {
  const { most = ENDLESS.most, buffer, hanging } = more;
  return new Shipper({
    container: 'c',
    name: 'web',
    driver: 'fluentd',
    logPath: log.path,
    sink,
    buffer,
    retry: { first: 1, longest: 1, most },
    mostFiles: 10,
    log: silentLog,
    ...(hanging === undefined ? {} : { hanging }),
  });
}

describe('attempts', () => {
  it('have no end and are soon repeated when no option says more', () => {
    for (const driver of ['fluentd', 'gelf', 'syslog', 'journald'])
      assert.deepEqual(retryOf(driver, {}), ENDLESS);
  });

  it('are as many, and as far apart, as the options say', () => {
    const fluentd = (wait: string, attempts: string) =>
      retryOf('fluentd', { 'fluentd-retry-wait': wait, 'fluentd-max-retries': attempts });
    assert.deepEqual(fluentd('2s', '7'), { first: 2000, longest: 5000, most: 7 });
    assert.deepEqual(fluentd('1m', '0'), { first: 60_000, longest: 60_000, most: 13 });
    assert.deepEqual(fluentd('0', ''), { ...ENDLESS, first: 1 });
    const gelf = { 'gelf-tcp-reconnect-delay': '3', 'gelf-tcp-max-reconnect': '0' };
    assert.deepEqual(retryOf('gelf', gelf), { first: 3000, longest: 3000, most: 1 });
    assert.equal(retryOf('gelf', { 'gelf-tcp-reconnect-delay': '0' }).first, 50);
  });

  it('that are used up give lines up, count them, and begin anew with the next', async () => {
    using log = new LogFolder();
    const sink = new Sink();
    sink.isDown = true;
    log.write(log.lines(1, 40));
    const shipper = ship(log, sink, { most: 3 });
    await until(() => shipper.report.lostRecords === 40);
    assert.equal(sink.attempts, 3);
    assert.equal(shipper.report.trouble, 'down');
    sink.isDown = false;
    log.append(log.lines(41, 42));
    await until(() => sink.taken.length === 2);
    assert.deepEqual(sink.taken, ['41', '42']);
    assert.equal(shipper.report.trouble, undefined);
    await shipper.close();
  });
});

describe('a server that hangs', () => {
  it('is told of in blocking mode, and waited for', async () => {
    using log = new LogFolder();
    const sink = new Sink();
    const { promise, resolve } = Promise.withResolvers<void>();
    sink.hangs = promise;
    log.write(log.lines(1, 5));
    const shipper = ship(log, sink, { hanging: 5 });
    await until(() => shipper.report.trouble !== undefined);
    assert.equal(shipper.report.trouble, 'it has taken nothing for 0.005 s');
    resolve();
    await until(() => sink.taken.length === 5);
    assert.deepEqual([sink.attempts, shipper.report.trouble, shipper.report.lostRecords], [1, undefined, 0]);
    await shipper.close();
  });

  it('is left in non-blocking mode', async () => {
    using log = new LogFolder();
    const sink = new Sink();
    sink.hangs = new Promise(() => undefined);
    log.write(log.lines(1, 500));
    const shipper = ship(log, sink, { hanging: 5, buffer: 1000 });
    await until(() => shipper.report.lostRecords > 400);
    assert.match(shipper.report.trouble ?? '', /taken nothing/);
    await shipper.close();
  });
});

describe('what an option can not do', () => {
  it('is told', async () => {
    using log = new LogFolder();
    await using server = await new StreamServer().listen();
    const told: string[] = [];
    const shipping = openLogShipping({ ...silentLog, info: (message) => told.push(message) });
    const options = { 'fluentd-address': `127.0.0.1:${server.port}`, 'fluentd-buffer-limit': '10' };
    const source = { id: 'c', name: 'c', imageId: '', imageName: '', command: '', created: '', tag: 't' };
    shipping.ship({
      logPath: log.path,
      driver: 'fluentd',
      options,
      source: { ...source, attributes: new Map() },
    });
    assert.match(told.join(), /fluentd-buffer-limit bounds nothing/);
    await shipping.close();
  });
});

describe('a server of datagrams', () => {
  it('has no attempts of its own: what failed is sent again', () => {
    assert.deepEqual(retryOf('gelf', { 'gelf-address': 'udp://127.0.0.1:9' }), ENDLESS);
    assert.deepEqual(retryOf('journald', { mode: 'blocking' }), ENDLESS);
  });
});
