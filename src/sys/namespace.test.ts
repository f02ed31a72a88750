import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { O } from './fd.ts';
import { createNetns, deleteNetns } from './namespace.ts';
import { RouteSocket } from './netlink/route-socket.ts';
import { inOtherNetns, withNetns } from './netns-switch.ts';
import { nftJson, runNft } from './nft.ts';
import { openat2 } from './openat2.ts';

let base: string;
let pin: string;
const own = () => readlinkSync('/proc/thread-self/ns/net');

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-netns-'));
  pin = join(base, 'ns');
});
afterEach(() => {
  deleteNetns(pin);
  rmSync(base, { recursive: true, force: true });
});

it('makes a namespace with its loopback up, and stays at home', () => {
  const home = own();
  createNetns(pin);
  assert.equal(own(), home);
  using inside = RouteSocket.open(pin);
  assert.deepEqual(
    inside.links().map(({ name, up }) => ({ name, up })),
    [{ name: 'lo', up: true }],
  );
});

it('does not take a pin file that exists, and leaves it', () => {
  writeFileSync(pin, 'kept');
  assert.throws(
    () => createNetns(pin),
    (e) => isKind(e, 'conflict'),
  );
  assert.ok(existsSync(pin));
});

it('runs work there and comes back, after an error too', () => {
  createNetns(pin);
  const home = own();
  const there = withNetns(pin, () => {
    assert.ok(inOtherNetns());
    return own();
  });
  assert.notEqual(there, home);
  assert.throws(
    () =>
      withNetns(pin, () => {
        throw new Error('inside');
      }),
    /inside/,
  );
  assert.equal(own(), home);
  assert.ok(!inOtherNetns());
});

it('goes by descriptor, and nests', () => {
  createNetns(pin);
  const second = join(base, 'ns2');
  createNetns(second);
  try {
    using fd = openat2('/', pin, { flags: O.RDONLY });
    const seen = withNetns(fd, () => [own(), withNetns(second, own), own()]);
    assert.equal(seen[0], seen[2]);
    assert.notEqual(seen[0], seen[1]);
  } finally {
    deleteNetns(second);
  }
});

it('refuses asynchronous work and what is no namespace', () => {
  createNetns(pin);
  const home = own();
  assert.throws(() => withNetns(pin, async () => {}), TypeError);
  assert.throws(() => withNetns('/dev/null', () => {}));
  assert.equal(own(), home);
});

it('deletes what it made, and nothing is no error', () => {
  createNetns(pin);
  deleteNetns(pin);
  assert.ok(!existsSync(pin));
  deleteNetns(pin);
});

it('runs nft as one transaction in the namespace of the thread', () => {
  createNetns(pin);
  const tables = (command = 'list tables') =>
    (nftJson(command) as { nftables: { table?: { name: string } }[] }).nftables.flatMap(({ table }) =>
      table ? [table.name] : [],
    );
  const host = tables();
  withNetns(pin, () => {
    runNft('add table inet first\nadd chain inet first c');
    assert.throws(
      () => runNft('add table inet second\nadd rule inet nowhere c accept'),
      (e) => isKind(e, 'internal') && /nft: .*No such file or directory/s.test((e as Error).message),
    );
    assert.deepEqual(tables(), ['first']);
  });
  assert.deepEqual(tables(), host);
  assert.throws(() => runNft('nonsense'), /syntax error/);
});
