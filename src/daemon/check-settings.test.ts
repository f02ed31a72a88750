import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkSettings, checkValues } from './check-settings.ts';
import { parseFlags } from './flags.ts';
import { resolveSettings } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'check-settings-'));
after(() => rmSync(directory, { recursive: true }));

function settings(document: object, ...flags: string[]) {
  const file = join(directory, 'daemon.json');
  writeFileSync(file, JSON.stringify(document));
  return resolveSettings(parseFlags(['--config-file', file, ...flags]));
}

describe('checkSettings', () => {
  it('passes the defaults', () => checkSettings(settings({})));

  it('passes a full configuration', () => {
    checkSettings(
      settings({
        'default-address-pools': [{ base: '10.200.0.0/16', size: 24 }],
        bip: '10.200.0.1/24',
        dns: ['192.0.2.1', '2001:db8::1'],
        'default-ulimits': { nofile: { Name: 'nofile', Soft: 10, Hard: -1 } },
        'log-opts': { 'max-size': '10m', 'max-file': '3' },
        hosts: ['unix:///run/x.sock', 'fd://'],
      }),
    );
  });

  for (const [document, message] of [
    [{ 'default-address-pools': [{ base: 'abc', size: 24 }] }, /abc/],
    [{ 'default-address-pools': [{ base: '10.0.0.0/16', size: 8 }] }, /size 8 does not fit/],
    [{ bip: '10.0.0.1/33' }, /10\.0\.0\.1\/33/],
    [{ bridge: 'a-name-that-is-too-long' }, /invalid bridge name/],
    [{ 'default-runtime': 'nix' }, /the default runtime "nix" is not installed/],
    [{ hosts: ['foo://x'] }, /host "foo:\/\/x": unix:\/\/PATH, tcp:\/\/ADDRESS:PORT or fd:\/\/ is needed/],
    [{ hosts: ['tcp://127.0.0.1:2375'] }, /TCP needs mutual TLS/],
    [
      { hosts: ['tcp://127.0.0.1:2376'], tlsverify: true, tlscert: '/nonexistent' },
      /the TLS files can't be read/,
    ],
    [{ 'data-root': 'relative' }, /data-root takes an absolute path/],
    [{ dns: ['x'] }, /dns takes IP addresses: "x"/],
    [{ ip: 'everywhere' }, /ip takes an IP address/],
    [
      { 'default-ulimits': { nofile: { Name: 'nofile', Soft: 10, Hard: 5 } } },
      /soft limit 10 is above the hard limit 5/,
    ],
    [{ 'log-opts': { 'max-size': '10q' } }, /invalid suffix: 'q'/],
    [{ 'log-opts': { 'max-file': '0' } }, /max-file cannot be less than 1/],
  ] as const) {
    it(`refuses ${JSON.stringify(document)}`, () => {
      assert.throws(() => checkSettings(settings(document)), { kind: 'invalid', message });
    });
  }

  it('refuses what a pool does not have', () => {
    assert.throws(
      () => settings({ 'default-address-pools': [{ base: '10.0.0.0/16', size: 24, x: 1 }] }),
      /takes a list/,
    );
  });
});

describe('checkValues', () => {
  it('leaves to the start what the start looks at itself', () => {
    checkValues(settings({ 'default-runtime': 'nix', hosts: ['foo://x'] }));
    assert.throws(() => checkValues(settings({ dns: ['x'] })), { kind: 'invalid' });
  });
});
