import type { OciSyscall, SeccompArg } from './seccomp.ts';

/** errno(3) EPERM and ENOSYS. */
const EPERM = 1;
const ENOSYS = 38;

const MOUNTING = [
  ...[
    'mount',
    'mount_setattr',
    'move_mount',
    'open_tree',
    'fsconfig',
    'fsmount',
    'fsopen',
    'fspick',
    'umount',
  ],
  ...['umount2', 'setns', 'unshare'],
];

/**
 * Calls that the containers-common profile lets everybody make, for rootless nesting, and Docker's default only with a
 * capability. Withheld unless one of the capabilities is there; an empty list means always.
 */
const WITHHELD: readonly { names: readonly string[]; unless: readonly string[] }[] = [
  { names: MOUNTING, unless: ['CAP_SYS_ADMIN'] },
  { names: ['get_mempolicy', 'mbind', 'set_mempolicy'], unless: ['CAP_SYS_NICE'] },
  { names: ['pidfd_getfd'], unless: ['CAP_SYS_PTRACE'] },
  { names: ['reboot'], unless: ['CAP_SYS_BOOT'] },
  { names: ['syslog'], unless: ['CAP_SYSLOG', 'CAP_SYS_ADMIN'] },
  { names: ['keyctl', 'pivot_root', 'socketcall'], unless: [] },
];

/** CLONE_NEWNS|NEWCGROUP|NEWUTS|NEWIPC|NEWUSER|NEWPID|NEWNET. */
const CLONE_NEW = 0x7e020000;

/** AF_ALG and AF_VSOCK: the first writes to the host's page cache where it is broken, the second reaches the host of a VM. */
const DENIED_FAMILIES = [38, 40];
const NETLINK_FAMILY = 16;
const AUDIT_PROTOCOL = 9;

const family = (value: number, op: string): SeccompArg => ({ index: 0, value, op });

/**
 * socket(2) by positive rules: every family but the denied ones. Two "not equal" rules would cancel each other, and an
 * open range above 40 would let 38 + 2³² pass, of which the kernel sees 38.
 */
function socketRules(caps: ReadonlySet<string>): OciSyscall[] {
  const allow = (...args: SeccompArg[]): OciSyscall => ({
    names: ['socket'],
    action: 'SCMP_ACT_ALLOW',
    args,
  });
  const rules = [39, 41, 42, 43, 44, 45].map((value) => allow(family(value, 'SCMP_CMP_EQ')));
  if (caps.has('CAP_AUDIT_WRITE')) rules.push(allow(family(38, 'SCMP_CMP_LT')));
  else
    rules.push(
      allow(family(NETLINK_FAMILY, 'SCMP_CMP_LT')),
      allow(family(38, 'SCMP_CMP_LT'), { index: 2, value: AUDIT_PROTOCOL, op: 'SCMP_CMP_NE' }),
    );
  for (const value of DENIED_FAMILIES)
    rules.push({
      names: ['socket'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: EPERM,
      args: [family(value, 'SCMP_CMP_EQ')],
    });
  return rules;
}

/** Brings the rules of the host's profile down to what Docker's default profile allows for these capabilities. */
export function hardenRules(rules: readonly OciSyscall[], caps: ReadonlySet<string>): OciSyscall[] {
  const withheld = WITHHELD.filter(({ unless }) => !unless.some((cap) => caps.has(cap))).flatMap(
    ({ names }) => names,
  );
  const admin = caps.has('CAP_SYS_ADMIN');
  const removed = new Set([...withheld, 'socket', ...(admin ? [] : ['clone', 'clone3'])]);
  const kept = rules
    .map((rule) => ({ ...rule, names: rule.names.filter((name) => !removed.has(name)) }))
    .filter((rule) => rule.names.length > 0);
  kept.push({ names: withheld, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM }, ...socketRules(caps));
  if (!admin)
    kept.push(
      {
        names: ['clone'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value: CLONE_NEW, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      // Its flags lie in memory where a filter can't see them; with ENOSYS, libc falls back to clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    );
  return kept;
}
