import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { duplicateFd, type Fd } from './fd.ts';
import { keepLowFds, withLowNetlink } from './low-fds.ts';
import { createNetns, deleteNetns } from './namespace.ts';
import { NetlinkSocket } from './netlink/socket.ts';
import { withNetns } from './netns-switch.ts';
import { nftJson, runNft } from './nft.ts';

const NETLINK_ROUTE = 0;
const openFds = () => readdirSync('/proc/self/fd').length;

/** Takes every number below 1024 that is free. */
function fillLow(): Fd[] {
  const taken: Fd[] = [];
  do taken.push(duplicateFd(0));
  while ((taken.at(-1)?.fd ?? 0) < 1024);
  return taken;
}

it('nftables is changed in new namespaces though more than a thousand descriptors are open', () => {
  const base = mkdtempSync(join(tmpdir(), 'wharf-low-'));
  const pin = join(base, 'ns');
  createNetns(pin);
  keepLowFds();
  const taken = fillLow();
  try {
    const home = openFds();
    for (let round = 0; round < 20; round++) withNetns(pin, () => runNft(`add table inet t${round}`));
    const { nftables } = withNetns(pin, () => nftJson('list tables')) as { nftables: object[] };
    assert.equal(nftables.filter((one) => 'table' in one).length, 20);
    assert.equal(openFds(), home);
  } finally {
    for (const fd of taken) fd.close();
    deleteNetns(pin);
    rmSync(base, { recursive: true, force: true });
  }
});

it('what would be too high is closed and refused', () => {
  keepLowFds();
  const taken: Fd[] = [];
  let opened: NetlinkSocket | undefined;
  try {
    const attempt = () =>
      withLowNetlink(
        () => {
          taken.push(...fillLow());
          opened = new NetlinkSocket(NETLINK_ROUTE);
          return opened;
        },
        (socket) => socket.close(),
      );
    assert.throws(attempt, { kind: 'exhausted' });
    assert.equal(opened?.fd, -1);
  } finally {
    for (const fd of taken) fd.close();
  }
  using socket = withLowNetlink(
    () => new NetlinkSocket(NETLINK_ROUTE),
    (made) => made.close(),
  );
  assert.ok(socket.fd < 1024);
});

it('keeps a few, once', () => {
  keepLowFds();
  const home = openFds();
  keepLowFds();
  assert.equal(openFds(), home);
  const next = openSync('/dev/null', 'r');
  closeSync(next);
  withLowNetlink(
    () => new NetlinkSocket(NETLINK_ROUTE),
    (made) => made.close(),
  ).close();
  keepLowFds();
  assert.equal(openFds(), home);
});
