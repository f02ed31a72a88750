import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_CAPABILITIES } from './capabilities.ts';
import { type OciSeccomp, resolveSeccomp, type SeccompProfile } from './seccomp.ts';
import { hostOf } from './spec.cases.ts';

const ALLOW = 'SCMP_ACT_ALLOW';
const PROFILE: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
  syscalls: [
    { names: ['read', 'mount', 'keyctl', 'socket', 'clone', 'clone3', 'mbind'], action: ALLOW },
    { names: ['bpf'], action: ALLOW, includes: { caps: ['CAP_BPF'] } },
    { names: ['chroot'], action: ALLOW, excludes: { caps: ['CAP_SYS_CHROOT'] } },
    { names: ['old'], action: ALLOW, excludes: { minKernel: '4.8' } },
    { names: ['new'], action: ALLOW, includes: { minKernel: '4.8' } },
    { names: ['future'], action: ALLOW, includes: { minKernel: '7.0' } },
    { names: ['arm_only'], action: ALLOW, includes: { arches: ['arm64'] } },
    { name: 'single', action: ALLOW, args: null },
  ],
};

function allowed(filter: OciSeccomp): string[] {
  return filter.syscalls
    .filter(({ action, args }) => action === ALLOW && !args)
    .flatMap(({ names }) => names);
}

describe('a profile', () => {
  it('is resolved by capabilities, architecture and kernel', () => {
    const plain = allowed(resolveSeccomp(PROFILE, DEFAULT_CAPABILITIES, hostOf(), false));
    assert.ok(plain.includes('new') && plain.includes('single') && plain.includes('mount'));
    for (const name of ['bpf', 'chroot', 'old', 'future', 'arm_only']) assert.ok(!plain.includes(name), name);
    const other = allowed(resolveSeccomp(PROFILE, ['CAP_BPF'], hostOf({ architecture: 'arm64' }), false));
    for (const name of ['bpf', 'chroot', 'arm_only']) assert.ok(other.includes(name), name);
  });

  it('keeps its action, number and architectures', () => {
    const { defaultAction, defaultErrnoRet, architectures } = resolveSeccomp(PROFILE, [], hostOf(), false);
    assert.deepEqual([defaultAction, defaultErrnoRet], ['SCMP_ACT_ERRNO', 38]);
    assert.deepEqual(architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
  });

  it('of the host is brought down to Docker’s for each set of capabilities', () => {
    const hard = (caps: readonly string[]) => allowed(resolveSeccomp(PROFILE, caps, hostOf(), true));
    const plain = hard(DEFAULT_CAPABILITIES);
    for (const name of ['mount', 'keyctl', 'mbind', 'clone3', 'socket'])
      assert.ok(!plain.includes(name), name);
    assert.ok(plain.includes('read'));
    assert.ok(hard(['CAP_SYS_ADMIN']).includes('mount'));
    assert.ok(hard(['CAP_SYS_NICE']).includes('mbind'));
    assert.ok(!hard(['CAP_SYS_ADMIN']).includes('keyctl'));
  });

  it('never lets dangerous socket families through', () => {
    const { syscalls } = resolveSeccomp(PROFILE, DEFAULT_CAPABILITIES, hostOf(), true);
    const rules = syscalls.filter(({ names }) => names.includes('socket'));
    for (const denied of [38, 40]) {
      const passes = rules.filter(
        ({ action, args }) =>
          action === ALLOW &&
          (args ?? []).every(
            ({ index, op, value }) =>
              index !== 0 || (op === 'SCMP_CMP_EQ' ? denied === value : denied < value),
          ),
      );
      assert.deepEqual(passes, [], String(denied));
    }
  });
});
