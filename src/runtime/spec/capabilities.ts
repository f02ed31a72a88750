import { WharfError } from '../../base/index.ts';

/** All capabilities in kernel order (capabilities(7)); the index is the bit. */
export const ALL_CAPABILITIES: readonly string[] = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...[
    'LINUX_IMMUTABLE',
    'NET_BIND_SERVICE',
    'NET_BROADCAST',
    'NET_ADMIN',
    'NET_RAW',
    'IPC_LOCK',
    'IPC_OWNER',
  ],
  ...[
    'SYS_MODULE',
    'SYS_RAWIO',
    'SYS_CHROOT',
    'SYS_PTRACE',
    'SYS_PACCT',
    'SYS_ADMIN',
    'SYS_BOOT',
    'SYS_NICE',
  ],
  ...[
    'SYS_RESOURCE',
    'SYS_TIME',
    'SYS_TTY_CONFIG',
    'MKNOD',
    'LEASE',
    'AUDIT_WRITE',
    'AUDIT_CONTROL',
    'SETFCAP',
  ],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
].map((name) => `CAP_${name}`);

/** What a container has when nothing is asked: Docker's fourteen. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SETGID'],
  ...['CAP_SETUID', 'CAP_SETFCAP', 'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL'],
  'CAP_AUDIT_WRITE',
];

/** The bits of a `Cap…` line of /proc/PID/status as names, in kernel order. */
export function capabilityNames(hex: string): string[] {
  const bits = BigInt(`0x${hex.trim()}`);
  return ALL_CAPABILITIES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
}

/** One of `CapAdd`/`CapDrop` in canonical form: upper case with prefix, or `ALL`. Errors: `invalid` with Docker's text. */
function canonical(field: 'CapAdd' | 'CapDrop', names: string[], available: readonly string[]): string[] {
  return names.map((raw) => {
    const upper = raw.toUpperCase();
    if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
    const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!ALL_CAPABILITIES.includes(name))
      throw new WharfError('invalid', `invalid ${field}: unknown capability: "${name}"`);
    if (field === 'CapAdd' && !available.includes(name))
      throw new WharfError(
        'invalid',
        `invalid ${field}: capability not supported by your kernel or not available in the current environment: "${name}"`,
      );
    return name;
  });
}

/** Capabilities of a container as Docker decides them. `available`: what this process may give. Errors: `invalid`. */
export function capabilitiesOf(
  request: { Privileged?: boolean; CapAdd?: string[] | null; CapDrop?: string[] | null },
  available: readonly string[],
): string[] {
  const add = canonical('CapAdd', request.CapAdd ?? [], available);
  const drop = new Set(canonical('CapDrop', request.CapDrop ?? [], available));
  if (request.Privileged) return [...available];
  if (add.includes('ALL')) return available.filter((name) => !drop.has(name) && !drop.has('ALL'));
  const kept = drop.has('ALL')
    ? []
    : DEFAULT_CAPABILITIES.filter((name) => !drop.has(name) && available.includes(name));
  return [...new Set([...kept, ...add])];
}
