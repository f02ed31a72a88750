import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALL_CAPABILITIES, capabilitiesOf, capabilityNames, DEFAULT_CAPABILITIES } from './capabilities.ts';

const ALL = [...ALL_CAPABILITIES];
const caps = (CapAdd: string[], CapDrop: string[], Privileged = false, available = ALL) =>
  capabilitiesOf({ CapAdd, CapDrop, Privileged }, available);

describe('capabilities', () => {
  it('are read from the bits that the kernel shows', () => {
    assert.deepEqual(capabilityNames('00000000a80425fb').sort(), [...DEFAULT_CAPABILITIES].sort());
    assert.equal(capabilityNames('000001ffffffffff').length, 41);
    assert.deepEqual(capabilityNames('0'), []);
  });

  it('are added and dropped, in any spelling', () => {
    const made = caps(['net_admin', 'CAP_SYS_TIME', 'NET_ADMIN'], ['chown', 'cap_kill']);
    assert.equal(made.length, 14);
    assert.ok(made.includes('CAP_NET_ADMIN') && made.includes('CAP_SYS_TIME'));
    assert.ok(!made.includes('CAP_CHOWN') && !made.includes('CAP_KILL'));
  });

  it('ALL means all there are, less what is dropped', () => {
    assert.deepEqual(caps(['ALL'], []), ALL);
    assert.deepEqual(
      caps(['ALL'], ['MKNOD']),
      ALL.filter((name) => name !== 'CAP_MKNOD'),
    );
    assert.deepEqual(caps([], ['ALL']), []);
    assert.deepEqual(caps(['SETUID'], ['ALL']), ['CAP_SETUID']);
    assert.deepEqual(caps(['ALL'], ['ALL']), []);
    assert.deepEqual(caps(['SETUID'], ['all', 'SETUID']), ['CAP_SETUID']);
  });

  it('of a privileged container are all, whatever is dropped', () => {
    assert.deepEqual(caps([], ['ALL'], true), ALL);
    assert.deepEqual(caps([], [], true, ['CAP_KILL']), ['CAP_KILL']);
  });

  it('are never more than the daemon has', () => {
    assert.deepEqual(caps([], [], false, ['CAP_KILL', 'CAP_SYS_ADMIN']), ['CAP_KILL']);
    assert.deepEqual(caps(['ALL'], [], false, ['CAP_SYS_ADMIN']), ['CAP_SYS_ADMIN']);
    assert.throws(() => caps(['SYS_ADMIN'], [], false, ['CAP_KILL']), {
      message:
        'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_ADMIN"',
    });
  });

  it('that there are not are refused', () => {
    assert.throws(() => caps(['NOPE'], []), { message: 'invalid CapAdd: unknown capability: "CAP_NOPE"' });
    assert.throws(() => caps([], ['']), { message: 'invalid CapDrop: unknown capability: "CAP_"' });
  });
});
