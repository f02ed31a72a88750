import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { helpText, parseFlags } from './flags.ts';
import { OPTIONS, REFUSED_KEYS } from './options.ts';
import { resolveSettings } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'settings-'));
after(() => rmSync(directory, { recursive: true }));

/** Settings of these flags with a `daemon.json` of that content. */
function settings(document: unknown, ...flags: string[]) {
  const file = join(directory, 'daemon.json');
  writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document));
  return resolveSettings(parseFlags(['--config-file', file, ...flags]));
}

describe('parseFlags', () => {
  it('reads every form of a flag', () => {
    const flags = parseFlags([
      '-D',
      '-H',
      'unix:///a',
      '--host=unix:///b',
      '--live-restore=false',
      '--log-opt',
      'max-size=1m',
    ]);
    assert.equal(flags.get('debug'), true);
    assert.deepEqual(flags.get('host'), ['unix:///a', 'unix:///b']);
    assert.equal(flags.get('live-restore'), false);
    assert.deepEqual(flags.get('log-opt'), { 'max-size': '1m' });
  });

  for (const [args, message] of [
    [['--nope'], /unknown flag: --nope/],
    [['word'], /accepts no arguments: word/],
    [['--mtu'], /needs an argument: --mtu/],
    [['--mtu', 'big'], /--mtu takes a number: "big"/],
    [['--debug=perhaps'], /--debug is true or false/],
    [['--log-opt', 'x'], /--log-opt takes key=value/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, () => assert.throws(() => parseFlags(args), message));
  }

  it('has help for every option', () => {
    const help = helpText();
    for (const option of OPTIONS) assert.ok(help.includes(`--${option.flag}`), option.flag);
  });
});

describe('resolveSettings', () => {
  it('has working defaults', () => {
    const found = settings({});
    assert.equal(found.dataRoot, '/var/lib/wharf');
    assert.deepEqual(found.hosts, ['unix:///run/wharf/wharf.sock']);
    assert.equal(found.liveRestore, true);
    assert.equal(found.defaultShmSize, 64 * 1024 * 1024);
    assert.equal(found.network.config.nftTable, 'wharf');
    assert.equal(found.tls, undefined);
  });

  it("reads dockerd's directives from the file", () => {
    const found = settings({
      'data-root': '/d',
      hosts: ['tcp://127.0.0.1:2376'],
      tlsverify: true,
      'log-opts': { 'max-size': '10m' },
      'default-address-pools': [{ base: '10.9.0.0/16', size: 24 }],
      'default-ulimits': { nofile: { Name: 'nofile', Soft: 100, Hard: 200 } },
      'default-network-opts': { bridge: { 'com.docker.network.driver.mtu': '1400' } },
      'default-shm-size': '128M',
      runtimes: { mine: { path: '/opt/mine', runtimeArgs: ['--x'] } },
      labels: ['a=b'],
    });
    assert.equal(found.dataRoot, '/d');
    assert.deepEqual(found.tls, {
      ca: '/etc/wharf/ca.pem',
      cert: '/etc/wharf/server-cert.pem',
      key: '/etc/wharf/server-key.pem',
    });
    assert.deepEqual(found.logOpts, { 'max-size': '10m' });
    assert.deepEqual(found.network.config.defaultAddressPools, [{ base: '10.9.0.0/16', size: 24 }]);
    assert.deepEqual(found.network.config.defaultNetworkOptions, {
      bridge: { 'com.docker.network.driver.mtu': '1400' },
    });
    assert.deepEqual(found.defaultUlimits, [{ Name: 'nofile', Soft: 100, Hard: 200 }]);
    assert.equal(found.defaultShmSize, 128 * 1024 * 1024);
    assert.deepEqual(found.runtimes, { mine: { path: '/opt/mine', runtimeArgs: ['--x'] } });
  });

  it('gives an nft table of its own to a bridge of its own', () => {
    assert.equal(settings({}, '--bridge', 'br7').network.config.nftTable, 'wharf-br7');
  });

  for (const [document, message] of [
    ['{', /not JSON/],
    ['[]', /an object of directives is needed/],
    [{ nope: 1 }, /the directive "nope" is not a configuration option/],
    [{ debug: 'yes' }, /directive "debug" takes true or false/],
    [{ hosts: 'x' }, /directive "hosts" takes a list/],
    [{ mtu: -1 }, /directive "mtu" takes a whole number/],
    [{ labels: ['x'] }, /invalid label "x"/],
    [
      { 'log-driver': 'nosuch' },
      /log-driver is one of fluentd, gelf, journald, json-file, local, none, syslog/,
    ],
    [{ runtimes: { a: {} } }, /runtime "a" takes/],
    [{ 'default-shm-size': 'big' }, /default-shm-size takes a size/],
  ] as const) {
    it(`refuses ${JSON.stringify(document)}`, () => assert.throws(() => settings(document), message));
  }

  it('names every wrong directive at once', () => {
    assert.throws(() => settings({ nope: 1, debug: 2 }), /nope.*; .*debug/);
  });

  it('says why a directive of dockerd is not there', () => {
    for (const [key, why] of Object.entries(REFUSED_KEYS)) {
      assert.throws(
        () => settings({ [key]: true }),
        (error: Error) => error.message.includes(why),
        key,
      );
    }
  });

  it('refuses a directive that both the flags and the file have', () => {
    assert.throws(
      () => settings({ mtu: 1400 }, '--mtu', '1400'),
      /both as a flag and in the configuration file: mtu/,
    );
  });

  it('refuses a configuration file that was asked for and is not there', () => {
    assert.throws(() => resolveSettings(parseFlags(['--config-file', '/nonexistent'])), /can't be read/);
  });
});
