import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { followHostServers, type HostServers } from './host-servers.ts';

let folder = '';
let followed: HostServers;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wharf-resolv-'));
  mkdirSync(join(folder, 'etc'));
  mkdirSync(join(folder, 'run'));
});

afterEach(() => {
  followed.close();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const write = (name: string, ...servers: string[]) =>
  writeFileSync(at(name), servers.map((ip) => `nameserver ${ip}\n`).join(''));

/** Waits until the list is as expected; the test's own time limit ends it. */
async function becomes(...servers: string[]): Promise<void> {
  while (followed.list().join() !== servers.join()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("the host's resolv.conf", { timeout: 20_000 }, () => {
  it('is followed when it is written, replaced, removed and made again', async () => {
    write('etc/resolv.conf', '127.0.0.53', '192.0.2.1', 'fe80::1%eth0');
    followed = followHostServers(at('etc/resolv.conf'));
    assert.deepEqual(followed.list(), ['127.0.0.53', '192.0.2.1', 'fe80::1%eth0']);
    assert.equal(followed.list(), followed.list());
    write('etc/resolv.conf', '192.0.2.2');
    await becomes('192.0.2.2');
    for (const ip of ['192.0.2.3', '192.0.2.4']) {
      write('etc/resolv.conf.new', ip);
      renameSync(at('etc/resolv.conf.new'), at('etc/resolv.conf'));
      await becomes(ip);
    }
    unlinkSync(at('etc/resolv.conf'));
    await becomes('127.0.0.1');
    write('etc/resolv.conf', '192.0.2.5');
    await becomes('192.0.2.5');
  });

  it('is followed through links, each of which may change', async () => {
    write('run/one', '192.0.2.1');
    write('run/two', '192.0.2.2');
    symlinkSync('one', at('run/current'));
    symlinkSync('../run/current', at('etc/resolv.conf'));
    followed = followHostServers(at('etc/resolv.conf'));
    await becomes('192.0.2.1');
    write('run/one', '192.0.2.11');
    await becomes('192.0.2.11');
    symlinkSync('two', at('run/new'));
    renameSync(at('run/new'), at('run/current'));
    await becomes('192.0.2.2');
    write('run/two.new', '192.0.2.22');
    renameSync(at('run/two.new'), at('run/two'));
    await becomes('192.0.2.22');
    write('etc/plain', '192.0.2.3');
    renameSync(at('etc/plain'), at('etc/resolv.conf'));
    await becomes('192.0.2.3');
  });

  it('may be absent, and links may lead nowhere or in a circle', async () => {
    followed = followHostServers(at('etc/resolv.conf'));
    await becomes('127.0.0.1');
    symlinkSync('resolv.conf', at('etc/resolv.conf'));
    await becomes('127.0.0.1');
    unlinkSync(at('etc/resolv.conf'));
    symlinkSync('../run/later', at('etc/resolv.conf'));
    await becomes('127.0.0.1');
    write('run/later', '192.0.2.1');
    await becomes('192.0.2.1');
  });

  it('may lead to a folder that comes later, and from then on is followed', async () => {
    symlinkSync('../late/resolve/stub.conf', at('etc/resolv.conf'));
    followed = followHostServers(at('etc/resolv.conf'));
    assert.deepEqual(followed.list(), ['127.0.0.1']);
    mkdirSync(at('late/resolve'), { recursive: true });
    write('late/resolve/stub.conf', '127.0.0.53');
    assert.deepEqual(followed.list(), ['127.0.0.53']);
    write('late/resolve/stub.conf', '192.0.2.1');
    await becomes('192.0.2.1');
    assert.equal(followed.list(), followed.list());
    rmSync(at('late/resolve/stub.conf'));
    await becomes('127.0.0.1');
    rmSync(at('late/resolve'), { recursive: true });
    assert.deepEqual(followed.list(), ['127.0.0.1']);
    mkdirSync(at('late/resolve'));
    write('late/resolve/stub.conf', '192.0.2.2');
    await becomes('192.0.2.2');
  });
});
