import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Ipvlan,
  ipvlanMessage,
  type Macvlan,
  macvlanMessage,
  plainLinkMessage,
  vethMessage,
  vlanMessage,
} from './link-message.ts';
import type { MessageWriter } from './message.ts';
import { anyDefaultRouteMessage, routeMessage, ruleMessage } from './route-message.ts';

/** The payload of a message, in hex without spaces. */
const hex = (message: MessageWriter) => message.finish(0, 0, 0).subarray(16).toString('hex');
const bytes = (text: string) => text.replace(/\s+/g, '');
const IFINFO = '00'.repeat(16);

// The options of each kind (IFLA_INFO_DATA) are the bytes that ip(8) of iproute2 sends for them.
describe('messages that make links', () => {
  const upper = { name: 'e0', parent: 'p0' };

  it('name kinds without options', () => {
    assert.equal(
      hex(plainLinkMessage('dummy', 'd0')),
      bytes(`${IFINFO} 0700 0300 6430 00 00  1000 1200 0a00 0100 64756d6d7900 0000`),
    );
    assert.equal(
      hex(plainLinkMessage('bridge', 'b0', 1400)),
      bytes(`${IFINFO} 0700 0300 6230 00 00  0800 0400 78050000  1000 1200 0b00 0100 62726964676500 00`),
    );
  });

  it('put a macvlan on its parent, in its namespace, with mode, mac and mtu', () => {
    const link: Macvlan = { ...upper, mode: 'bridge', netns: 9, mtu: 1400, mac: '02:00:00:00:00:05' };
    assert.equal(
      hex(macvlanMessage(link, 5)),
      bytes(`${IFINFO} 0700 0300 6530 00 00  0800 0500 05000000  0800 1c00 09000000  0800 0400 78050000
        0a00 0100 020000000005 0000  1c00 1200 0c00 0100 6d6163766c616e00  0c00 0200 0800 0100 04000000`),
    );
    for (const [mode, number] of [
      ['private', 1],
      ['vepa', 2],
      ['passthru', 8],
    ] as const)
      assert.ok(hex(macvlanMessage({ ...upper, mode }, 5)).endsWith(`080001000${number}000000`), mode);
  });

  it('put an ipvlan on its parent, with mode and flag of two bytes each', () => {
    const golden = (mode: string, flag: string) =>
      bytes(`${IFINFO} 0700 0300 6530 00 00  0800 0500 05000000
        2400 1200 0b00 0100 6970766c616e00 00  1400 0200 0600 0100 ${mode}00 0000 0600 0200 ${flag}00 0000`);
    for (const [mode, flag, wanted] of [
      ['l2', undefined, golden('00', '00')],
      ['l3', 'private', golden('01', '01')],
      ['l3s', 'vepa', golden('02', '02')],
      ['l2', 'bridge', golden('00', '00')],
    ] as const) {
      const link: Ipvlan = { ...upper, mode, ...(flag && { flag }) };
      assert.equal(hex(ipvlanMessage(link, 5)), wanted, `${mode} ${flag}`);
    }
  });

  it('tag a VLAN by its id, and refuse ids that are none', () => {
    assert.equal(
      hex(vlanMessage({ ...upper, id: 4094 }, 5)),
      bytes(`${IFINFO} 0700 0300 6530 00 00  0800 0500 05000000
        1c00 1200 0900 0100 766c616e00 000000  0c00 0200 0600 0100 fe0f 0000`),
    );
    for (const id of [0, 4095, -1, 1.5, Number.NaN])
      assert.throws(() => vlanMessage({ ...upper, id }, 5), { kind: 'invalid' }, String(id));
  });

  it('refuse names that the kernel would cut or misread', () => {
    for (const name of ['', 'sixteen-letters-', 'a b', 'a/b']) {
      assert.throws(() => plainLinkMessage('dummy', name), { kind: 'invalid' });
      assert.throws(() => vethMessage({ name: 'a', peerName: name }), { kind: 'invalid' });
      assert.throws(() => macvlanMessage({ ...upper, name, mode: 'bridge' }, 1), { kind: 'invalid' });
    }
  });
});

describe('messages about routes and rules', () => {
  it('name table and type; a table above 255 by its attribute alone', () => {
    const local = { dst: '0.0.0.0/0', dev: 'lo', type: 'local' } as const;
    assert.equal(
      hex(routeMessage({ ...local, table: 100 }, 1)),
      bytes('02 00 00 00 64 03 fe 02 00000000  0800 0100 00000000  0800 0400 01000000  0800 0f00 64000000'),
    );
    assert.equal(
      hex(routeMessage({ ...local, table: 1000 }, 1)),
      bytes('02 00 00 00 00 03 fe 02 00000000  0800 0100 00000000  0800 0400 01000000  0800 0f00 e8030000'),
    );
  });

  it('take the family of a default route from its gateway, or as it is told', () => {
    assert.equal(
      hex(routeMessage({ gateway: 'fd00::1' }, undefined)),
      bytes('0a 00 00 00 fe 03 00 01 00000000  1400 0500 fd000000000000000000000000000001'),
    );
    assert.equal(
      hex(routeMessage({ dev: 3, family: 6 }, 3)),
      bytes('0a 00 00 00 fe 03 00 01 00000000  0800 0400 03000000'),
    );
    assert.equal(
      hex(routeMessage({ dst: 'default', dev: 3 }, 3)),
      bytes('02 00 00 00 fe 03 fd 01 00000000  0800 0400 03000000'),
    );
    assert.equal(hex(anyDefaultRouteMessage(4)), '02000000fe00ff0100000000');
    assert.equal(hex(anyDefaultRouteMessage(6)), '0a000000fe00ff0100000000');
  });

  it('refuse a route to nowhere, and a gateway of the other family', () => {
    assert.throws(() => routeMessage({ dst: '10.0.0.0/8' }, undefined), { kind: 'invalid' });
    assert.throws(() => routeMessage({ dst: '10.0.0.0/8', gateway: 'fd00::1' }, 1), { kind: 'invalid' });
    assert.throws(() => routeMessage({ dst: 'fd00::/8', gateway: '10.0.0.1' }, 1), { kind: 'invalid' });
  });

  it('carry mark, mask, table and priority of a rule', () => {
    assert.equal(
      hex(ruleMessage({ family: 6, mark: 0x80000000, mask: 0xffffffff, table: 1000, priority: 99 })),
      bytes(`0a 00 00 00 00 00 00 01 00000000  0800 0600 63000000  0800 0a00 00000080
        0800 1000 ffffffff  0800 0f00 e8030000`),
    );
  });
});
