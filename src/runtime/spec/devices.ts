import type { DeviceMapping, HostConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { DeviceNode, HostFacts } from '../spec-input.ts';
import type { OciDeviceCgroup, OciLinux } from '../spec-types.ts';

type OciDevice = NonNullable<OciLinux['devices']>[number];

/** Null, zero, full, random, urandom, tty, console: what every container may use; fuse is denied by name as Docker does. */
const DEFAULT_RULES: readonly OciDeviceCgroup[] = [
  { allow: false, access: 'rwm' },
  ...[
    [1, 5],
    [1, 3],
    [1, 9],
    [1, 8],
    [5, 0],
    [5, 1],
  ].map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' }) as OciDeviceCgroup),
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
];

/** Nodes that the runtime itself makes in /dev; naming them again would fail. */
const RUNTIME_MADE = new Set(
  ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'console'].map((n) => `/dev/${n}`),
);

function toOci(node: DeviceNode, path: string): OciDevice {
  const { type, major, minor, uid, gid } = node;
  return { path, type, major, minor, fileMode: node.mode, uid, gid };
}

/** One `--device`: a node, or all nodes of a directory. */
function mapped(mapping: DeviceMapping, host: HostFacts): OciDevice[] {
  const from = mapping.PathOnHost ?? '';
  const to = mapping.PathInContainer || from;
  const node = host.device(from);
  if (node) return [toOci(node, to)];
  const below = host.devicesBelow(from);
  if (below.length === 0)
    throw new WharfError(
      'invalid',
      `error gathering device information while adding custom device "${from}": no such file or directory`,
    );
  return below.map((found) => toOci(found, to + found.path.slice(from.length)));
}

/** Parses `a|b|c MAJOR:MINOR rwm` with `*` for any number. Errors: `invalid` with Docker's text. */
export function parseDeviceRule(rule: string): OciDeviceCgroup {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(rule);
  if (!match) throw new WharfError('invalid', `invalid device cgroup rule format: '${rule}'`);
  const [, type, major, minor, access] = match as unknown as [string, string, string, string, string];
  const parsed: OciDeviceCgroup = { allow: true, type, access };
  // A number that is left out means any, in the OCI spec.
  if (major !== '*') parsed.major = Number(major);
  if (minor !== '*') parsed.minor = Number(minor);
  return parsed;
}

/** Device nodes to make, and the rules of the device cgroup. Errors: `invalid` for a device that is not there. */
export function devicesOf(
  hostConfig: HostConfig,
  host: HostFacts,
): { nodes: OciDevice[]; rules: OciDeviceCgroup[] } {
  const mappings = hostConfig.Devices ?? [];
  const custom = (hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule);
  if (hostConfig.Privileged) {
    const nodes = host
      .devicesBelow('/dev')
      .filter(({ path }) => !RUNTIME_MADE.has(path))
      .map((node) => toOci(node, node.path));
    const known = new Set(nodes.map(({ path }) => path));
    const renamed = mappings.flatMap((mapping) => mapped(mapping, host));
    nodes.push(...renamed.filter(({ path }) => !known.has(path) && !RUNTIME_MADE.has(path)));
    return { nodes, rules: [{ allow: true, access: 'rwm' }] };
  }
  const nodes: OciDevice[] = [];
  const rules = [...DEFAULT_RULES];
  for (const mapping of mappings) {
    for (const node of mapped(mapping, host)) {
      if (!RUNTIME_MADE.has(node.path)) nodes.push(node);
      const { type, major, minor } = node;
      rules.push({ allow: true, type, major, minor, access: mapping.CgroupPermissions || 'rwm' });
    }
  }
  return { nodes, rules: [...rules, ...custom] };
}
