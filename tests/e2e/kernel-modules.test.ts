import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { needsGuestKernel, runTestsInGuest } from './support/kernel-guest.ts';

// Many hosts' kernels have no ipvlan, VLAN or SCTP sockets. Their tests of system calls are skipped there, and run here.
describe('on a kernel with all modules', { skip: needsGuestKernel() }, () => {
  it('ipvlan, VLAN, dummy and SCTP carry packets', { timeout: 180_000 }, async () => {
    const files = ['src/sys/netlink/links.test.ts', 'src/sys/inet-socket.test.ts'];
    const output = await runTestsInGuest(['src/base', 'src/sys'], files, 150_000);
    for (const what of [
      'l2 with the flag bridge',
      'l2 with the flag private',
      'l3 is reached',
      'l3s is reached',
    ])
      assert.match(output, new RegExp(`^ *ok \\d+ - ${what}`, 'm'), output);
    for (const what of ['a VLAN reaches', 'a dummy is made', 'an SCTP association is made'])
      assert.match(output, new RegExp(`^ *ok \\d+ - ${what}`, 'm'), output);
    assert.doesNotMatch(output, /^ *not ok |# SKIP/m);
    assert.deepEqual(output.match(/^# fail .*$/gm), ['# fail 0', '# fail 0'], output);
  });
});
