import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, inflateSync } from 'node:zlib';
import { DatagramServer, StreamServer, until } from '../log-server.cases.ts';
import { DatagramConnection } from './datagram-connection.ts';
import { FluentdSink, fluentdMessage } from './fluentd.ts';
import { GelfSink, gelfChunks, gelfMessage } from './gelf.ts';
import { journalFields, journalMessage } from './journald.ts';
import { EventTime, packedText, packMessage } from './message-pack.ts';
import { dial, StreamConnection } from './stream-connection.ts';
import { SyslogSink, syslogMessage } from './syslog.ts';
import type { LogEntry, LogSource } from './types.ts';

const NEVER = new AbortController().signal;
const TIME = 1_795_476_588_921_123_456n;

const source: LogSource = {
  id: 'ab'.repeat(32),
  name: 'web',
  imageId: 'sha256:12',
  imageName: 'busybox',
  command: 'echo hi',
  created: '2026-11-23T23:29:48.770381166Z',
  tag: 'abababababab',
  attributes: new Map([
    ['team', 'blue'],
    ['_own', 'x'],
  ]),
};

function entry(line: string | Buffer, more: Partial<LogEntry> = {}): LogEntry {
  return { time: TIME, stream: 'stdout', line: Buffer.from(line), ...more };
}

const tcp = (port: number) => new StreamConnection({ network: 'tcp', host: '127.0.0.1', port, path: '' });
const udp = (port: number) => new DatagramConnection({ network: 'udp', host: '127.0.0.1', port, path: '' });

describe('a syslog message', () => {
  const options = { facility: 3, tag: 'web', hostname: 'host', pid: 7, counted: false } as const;
  const text = (format: Parameters<typeof syslogMessage>[0]['format'], more: Partial<LogEntry> = {}) =>
    syslogMessage({ ...options, format }, entry('hi', more)).toString();

  it('has the form that is asked for', () => {
    const stamp = /^<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d /;
    assert.match(text('unix'), stamp);
    assert.equal(text('unix').replace(stamp, ''), 'web[7]: hi\n');
    assert.equal(text('rfc3164').replace(stamp, ''), 'host web[7]: hi\n');
    assert.equal(text('rfc5424'), '<30>1 2026-11-23T23:29:48Z host web 7 web - hi\n');
    assert.equal(text('rfc5424micro'), '<30>1 2026-11-23T23:29:48.921123Z host web 7 web - hi\n');
  });

  it('of stderr is an error, and the facility counts eight', () => {
    assert.match(text('rfc5424', { stream: 'stderr' }), /^<27>/);
    const local7 = syslogMessage({ ...options, facility: 23, format: 'rfc5424' }, entry('x'));
    assert.match(local7.toString(), /^<190>/);
  });

  it('begins with its length where messages are counted', () => {
    const message = syslogMessage({ ...options, format: 'rfc5424', counted: true }, entry('hi')).toString();
    const [length, rest] = [message.slice(0, message.indexOf(' ')), message.slice(message.indexOf(' ') + 1)];
    assert.equal(Number(length), rest.length);
  });

  it('keeps bytes that are no text, and is not sent for an empty line', async () => {
    using server = await new DatagramServer().listen();
    const sink = new SyslogSink(udp(server.port), { ...options, format: 'rfc5424' });
    await sink.send([entry(''), entry(Buffer.from([0xff, 0x41]))], NEVER);
    await until(() => server.received.length > 0);
    sink.close();
    assert.equal(server.received.length, 1);
    assert.deepEqual(server.received[0]?.subarray(-3), Buffer.from([0xff, 0x41, 0x0a]));
  });
});

describe('a GELF message', () => {
  const options = { hostname: 'host', source, compression: 'none', level: 1 } as const;

  it('has the fields of the reference engine', () => {
    assert.deepEqual(JSON.parse(gelfMessage(options, entry('hi', { stream: 'stderr' })).toString()), {
      version: '1.1',
      host: 'host',
      short_message: 'hi',
      timestamp: 1_795_476_588.921,
      level: 3,
      _command: 'echo hi',
      _container_id: source.id,
      _container_name: 'web',
      _created: source.created,
      _image_id: 'sha256:12',
      _image_name: 'busybox',
      _tag: source.tag,
      _team: 'blue',
      _own: 'x',
    });
  });

  it('goes in one datagram, or in chunks with their number and count, or not at all', () => {
    assert.equal(gelfChunks(Buffer.alloc(1420))?.length, 1);
    const long = Buffer.alloc(3000, 'x');
    const chunks = gelfChunks(long) ?? [];
    assert.deepEqual(
      chunks.map((chunk) => [chunk.readUInt16BE(0), chunk[10], chunk[11]]),
      [0, 1, 2].map((at) => [0x1e0f, at, 3]),
    );
    assert.deepEqual(Buffer.concat(chunks.map((chunk) => chunk.subarray(12))), long);
    assert.equal(gelfChunks(Buffer.alloc(1408 * 128 + 1)), undefined);
  });

  it('is packed as asked for', async () => {
    using server = await new DatagramServer().listen();
    for (const [compression, unpack] of [
      ['gzip', gunzipSync],
      ['zlib', inflateSync],
      ['none', (data: Buffer) => data],
    ] as const) {
      const sink = new GelfSink(udp(server.port), { ...options, compression });
      await sink.send([entry(compression), entry('')], NEVER);
      await until(() => server.received.length > 0);
      sink.close();
      const unpacked = unpack(server.received.pop() as Buffer).toString();
      assert.equal(JSON.parse(unpacked).short_message, compression);
    }
  });

  it('ends with a zero byte on a stream', async () => {
    await using server = await new StreamServer().listen();
    const sink = new GelfSink(tcp(server.port), options);
    await sink.send([entry('a'), entry('b')], NEVER);
    await until(() => server.received.toString().endsWith('}\0'));
    sink.close();
    const texts = server.received.toString().split('\0');
    assert.deepEqual([texts.length, texts[2]], [3, '']);
    assert.deepEqual(
      texts.slice(0, 2).map((text) => JSON.parse(text).short_message),
      ['a', 'b'],
    );
  });
});

describe('MessagePack', () => {
  it('has the shortest form for lengths', () => {
    for (const [length, head] of [
      [31, 'bf'],
      [32, 'd920'],
      [255, 'd9ff'],
      [256, 'da0100'],
      [65_536, 'db00010000'],
    ] as const) {
      const packed = packMessage(Buffer.alloc(length));
      assert.equal(packed.subarray(0, packed.length - length).toString('hex'), head);
    }
    assert.equal(packMessage([1, 300, new Map([['a', 'b']])]).toString('hex'), '9301ce0000012c81a161a162');
    assert.equal(packMessage(Array(16).fill(0)).toString('hex').slice(0, 6), 'dc0010');
    assert.equal(packMessage(new EventTime(2_000_000_003n)).toString('hex'), 'd7000000000200000003');
  });

  it('reads an answer when it is whole', () => {
    const packed = packMessage(new Map([['ack', 'x'.repeat(40)]]));
    assert.deepEqual(packedText(packed, 'ack'), { text: 'x'.repeat(40), length: packed.length });
    for (let at = 0; at < packed.length; at++)
      assert.equal(packedText(packed.subarray(0, at), 'ack'), undefined);
    assert.equal(packedText(packMessage(new Map([['nak', 'x']])), 'ack'), undefined);
    assert.equal(packedText(packMessage('ack'), 'ack'), undefined);
  });
});

describe('Fluentd', () => {
  const options = { source, subSecond: false, requestAck: false, writeTimeout: 0 };

  it('gets tag, time, record and option', () => {
    const message = fluentdMessage(options, entry('hi', { partial: { id: 'p', ordinal: 2, last: true } }));
    const expected = packMessage([
      source.tag,
      1_795_476_588,
      new Map([
        ['container_id', source.id],
        ['container_name', '/web'],
        ['source', 'stdout'],
        ['log', 'hi'],
        ['team', 'blue'],
        ['_own', 'x'],
        ['partial_message', 'true'],
        ['partial_id', 'p'],
        ['partial_ordinal', '2'],
        ['partial_last', 'true'],
      ]),
      new Map(),
    ]);
    assert.deepEqual(message, expected);
  });

  it('acknowledges each message where that is asked for', async () => {
    await using server = await new StreamServer().listen();
    const chunks: string[] = [];
    server.onData = (data, connection) => {
      for (const [, chunk] of data.toString('latin1').matchAll(/chunk.(.{24})/gs)) {
        chunks.push(chunk as string);
        const answer = packMessage(new Map([['ack', chunk as string]]));
        connection.write(answer.subarray(0, 4));
        setImmediate(() => connection.write(answer.subarray(4)));
      }
    };
    const sink = new FluentdSink(tcp(server.port), { ...options, requestAck: true });
    await sink.send([entry('a')], NEVER);
    await sink.send([entry('b')], NEVER);
    assert.equal(chunks.length, 2);
    server.onData = (_data, connection) => connection.write(packMessage(new Map([['ack', 'another']])));
    await assert.rejects(sink.send([entry('c')], NEVER), /acknowledged something else/);
    server.onData = (_data, connection) => connection.end();
    await assert.rejects(sink.send([entry('d')], NEVER), { kind: 'unavailable' });
    sink.close();
  });

  it('that hangs is left after the write timeout, if there is one', async () => {
    await using server = await new StreamServer().listen();
    server.hangs = true;
    const sink = new FluentdSink(tcp(server.port), { ...options, writeTimeout: 30 });
    const much = entry(Buffer.alloc(16 * 1024 * 1024));
    await assert.rejects(sink.send([much], NEVER), /write timeout/);
    const leave = new AbortController();
    const waits = new FluentdSink(tcp(server.port), options).send([much], leave.signal);
    setTimeout(() => leave.abort(new Error('enough')), 50);
    await assert.rejects(waits, /enough/);
    sink.close();
  });
});

describe('a journal entry', () => {
  it('has the fields of the reference engine', () => {
    const text = journalMessage(journalFields(source), entry('hi', { stream: 'stderr' })).toString();
    assert.deepEqual(text.trimEnd().split('\n'), [
      'PRIORITY=3',
      'SYSLOG_TIMESTAMP=2026-11-23T23:29:48.921123456Z',
      'CONTAINER_ID=abababababab',
      `CONTAINER_ID_FULL=${source.id}`,
      'CONTAINER_NAME=web',
      'CONTAINER_TAG=abababababab',
      'IMAGE_NAME=busybox',
      'SYSLOG_IDENTIFIER=abababababab',
      'TEAM=blue',
      'OWN=x',
      'MESSAGE=hi',
    ]);
  });

  it('gives a value with a newline its length, so that it can not pass for another field', () => {
    const forged = { ...source, attributes: new Map([['a', 'x\nMESSAGE=forged']]) };
    const message = journalMessage(journalFields(forged), entry('hi'));
    const at = message.indexOf('\nA\n') + 3;
    assert.equal(message.readBigUInt64LE(at), 16n);
    assert.equal(message.toString('utf8', at + 8, at + 25), 'x\nMESSAGE=forged\n');
  });
});

describe('a connection', () => {
  it('tells in the words of the reference why there is none', async () => {
    const at = { host: '127.0.0.1', port: 1, path: '' };
    await assert.rejects(dial({ network: 'tcp', ...at }, NEVER), {
      message: 'dial tcp 127.0.0.1:1: connect: connection refused',
    });
    await assert.rejects(dial({ network: 'unix', host: '', port: 0, path: '/nowhere/x' }, NEVER), {
      message: 'dial unix /nowhere/x: connect: no such file or directory',
    });
    await assert.rejects(dial({ network: 'tcp', ...at, port: 99_999 }, NEVER), /address 99999: invalid port/);
    await assert.rejects(dial({ network: 'tcp', ...at, host: 'nosuch.invalid' }, NEVER), {
      message: 'dial tcp: lookup nosuch.invalid: no such host',
    });
  });

  it('is opened anew after it broke', async () => {
    await using server = await new StreamServer().listen();
    const connection = tcp(server.port);
    await connection.write(Buffer.from('a'), NEVER);
    const { port } = server;
    await server.stop();
    await assert.rejects(
      (async () => {
        for (;;) await connection.write(Buffer.from('lost'), NEVER);
      })(),
      { kind: 'unavailable' },
    );
    await server.listen(port);
    await connection.write(Buffer.from('b'), NEVER);
    await until(() => server.received.toString().endsWith('b'));
    connection.drop();
  });

  it('that is old enough makes place for another', async () => {
    await using server = await new StreamServer().listen();
    const at = { network: 'tcp', host: '127.0.0.1', port: server.port, path: '' } as const;
    const connection = new StreamConnection(at, 0);
    for (const text of ['a', 'b']) await connection.write(Buffer.from(text), NEVER);
    await until(() => server.received.toString() === 'ab');
    assert.equal(server.connections.length, 2);
    connection.drop();
  });

  it('that is reset in the middle of a write fails that write', async () => {
    await using server = await new StreamServer().listen();
    server.resetsAfter = 1000;
    const connection = tcp(server.port);
    await assert.rejects(connection.write(Buffer.alloc(8 * 1024 * 1024), NEVER), { kind: 'unavailable' });
    connection.drop();
  });

  it('of datagrams that nobody takes tells it with the next one', async () => {
    const server = await new DatagramServer().listen();
    const connection = udp(server.port);
    await connection.send(Buffer.from('a'), NEVER);
    server[Symbol.dispose]();
    await assert.rejects(
      (async () => {
        for (;;) {
          await connection.send(Buffer.from('b'), NEVER);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })(),
      /connection refused/,
    );
    connection.drop();
  });
});
