import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OciSyscall, SeccompArg } from './seccomp.ts';
import { hardenRules } from './seccomp-hardening.ts';

const ALLOW = 'SCMP_ACT_ALLOW';
const EPERM = 1;
const ENOSYS = 38;
const everything: OciSyscall[] = [
  {
    names: [
      'read',
      'mount',
      'umount2',
      'setns',
      'unshare',
      'fsopen',
      'mbind',
      'pidfd_getfd',
      'reboot',
      'syslog',
    ],
    action: ALLOW,
  },
  { names: ['keyctl', 'pivot_root', 'socketcall', 'clone', 'clone3', 'socket'], action: ALLOW },
  { names: ['socket'], action: ALLOW, args: [{ index: 0, value: 38, op: 'SCMP_CMP_NE' }] },
];
const harden = (...caps: string[]) => hardenRules(everything, new Set(caps));

/** Whether the rules let a call with these arguments through, as libseccomp reads them: a rule's conditions all hold. */
function lets(rules: readonly OciSyscall[], name: string, ...given: number[]): boolean {
  const holds = ({ index, op, value, valueTwo = 0 }: SeccompArg) => {
    const actual = BigInt(given[index] ?? 0);
    const wanted = BigInt(value);
    if (op === 'SCMP_CMP_EQ') return actual === wanted;
    if (op === 'SCMP_CMP_NE') return actual !== wanted;
    if (op === 'SCMP_CMP_LT') return actual < wanted;
    assert.equal(op, 'SCMP_CMP_MASKED_EQ');
    return (actual & wanted) === BigInt(valueTwo);
  };
  return rules.some(
    (rule) => rule.action === ALLOW && rule.names.includes(name) && (rule.args ?? []).every(holds),
  );
}

describe('calls that Docker withholds', () => {
  const WITH: [string, string[]][] = [
    ['mount', ['CAP_SYS_ADMIN']],
    ['umount2', ['CAP_SYS_ADMIN']],
    ['setns', ['CAP_SYS_ADMIN']],
    ['unshare', ['CAP_SYS_ADMIN']],
    ['fsopen', ['CAP_SYS_ADMIN']],
    ['mbind', ['CAP_SYS_NICE']],
    ['pidfd_getfd', ['CAP_SYS_PTRACE']],
    ['reboot', ['CAP_SYS_BOOT']],
    ['syslog', ['CAP_SYSLOG', 'CAP_SYS_ADMIN']],
  ];
  for (const [name, caps] of WITH) {
    it(`${name} needs ${caps.join(' or ')}`, () => {
      assert.equal(lets(harden(), name), false);
      assert.equal(lets(harden('CAP_CHOWN', 'CAP_NET_ADMIN'), name), false);
      for (const cap of caps) assert.equal(lets(harden(cap), name), true, cap);
    });
  }

  it('some are for nobody, and harmless ones for everybody', () => {
    const all = harden(...WITH.flatMap(([, caps]) => caps));
    for (const name of ['keyctl', 'pivot_root', 'socketcall']) assert.equal(lets(all, name), false, name);
    for (const rules of [all, harden()]) assert.equal(lets(rules, 'read'), true);
  });

  it('fail with the number that programs know', () => {
    const errno = (rules: OciSyscall[], name: string) =>
      rules.find((rule) => rule.action === 'SCMP_ACT_ERRNO' && rule.names.includes(name))?.errnoRet;
    assert.equal(errno(harden(), 'mount'), EPERM);
    assert.equal(errno(harden(), 'clone3'), ENOSYS);
    assert.equal(errno(harden('CAP_SYS_ADMIN'), 'clone3'), undefined);
  });

  it('are taken out of rules, of which no empty one is left; what was given stays as it was', () => {
    const copy = structuredClone(everything);
    const rules = hardenRules([{ names: ['mount'], action: ALLOW }], new Set());
    assert.ok(rules.every(({ names }) => names.length > 0));
    harden();
    assert.deepEqual(everything, copy);
  });
});

describe('clone', () => {
  const NEWUSER = 0x10000000;
  const NEWNS = 0x20000;
  it('makes processes and threads, and namespaces only for an administrator', () => {
    for (const flags of [0, 17, 0x3d0f00]) assert.equal(lets(harden(), 'clone', flags), true, String(flags));
    for (const flags of [NEWUSER, NEWNS, NEWUSER | 17, 0x40000000, 0x2000000, 0x4000000, 0x8000000])
      assert.equal(lets(harden(), 'clone', flags), false, String(flags));
    assert.equal(lets(harden('CAP_SYS_ADMIN'), 'clone', NEWUSER), true);
    assert.equal(lets(harden('CAP_SYS_ADMIN'), 'clone3'), true);
  });
});

describe('socket', () => {
  it('opens every family but the denied ones, whatever the capabilities', () => {
    for (const rules of [harden(), harden('CAP_AUDIT_WRITE'), harden('CAP_SYS_ADMIN', 'CAP_NET_ADMIN')]) {
      for (let family = 0; family <= 45; family++)
        assert.equal(lets(rules, 'socket', family, 1, 0), family !== 38 && family !== 40, String(family));
    }
  });

  it('is not deceived by bits that the kernel does not see', () => {
    for (const family of [38, 40])
      assert.equal(lets(harden('CAP_AUDIT_WRITE'), 'socket', family + 2 ** 32, 1, 0), false);
  });

  it('of the audit needs its capability, other netlink does not', () => {
    assert.equal(lets(harden(), 'socket', 16, 3, 9), false);
    assert.equal(lets(harden('CAP_AUDIT_WRITE'), 'socket', 16, 3, 9), true);
    assert.equal(lets(harden(), 'socket', 16, 3, 0), true);
    assert.equal(lets(harden(), 'socket', 2, 1, 9), true);
  });
});
