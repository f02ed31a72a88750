import type { NetworkKernel, NftObject } from '../kernel.ts';
import {
  ADDRESS_MAP,
  ANY_MAP,
  type BridgeRules,
  markName,
  type PortTarget,
  portCommands,
  portElement,
  ruleCount,
  tableScript,
} from './rules.ts';

/** The daemon's nft table: built once, then changed by one element a port. */
export class Firewall {
  readonly table: string;
  private readonly kernel: NetworkKernel;

  constructor(kernel: NetworkKernel, table: string) {
    this.kernel = kernel;
    this.table = table;
  }

  /** Replaces the table if it is not what it should be; true when it was replaced. */
  ensure(rules: BridgeRules, ports: readonly PortTarget[]): boolean {
    if (this.problems(rules, ports).length === 0) return false;
    this.kernel.nft(tableScript(this.table, rules, ports));
    return true;
  }

  /** Publishes: one element each, one transaction. */
  add(ports: readonly PortTarget[]): void {
    this.run(portCommands('add', this.table, ports));
  }

  /** Unpublishes. */
  remove(ports: readonly PortTarget[]): void {
    this.run(portCommands('delete', this.table, ports));
  }

  /** Deletes the table, if there is one. */
  drop(): void {
    this.kernel.nft(`add table ip ${this.table}\ndelete table ip ${this.table}\n`);
  }

  /** Differences between the kernel's table and the wanted one. */
  problems(rules: BridgeRules, ports: readonly PortTarget[]): string[] {
    const objects = this.kernel.nftObjects(`list table ip ${this.table}`);
    const name = `nft table ip ${this.table}`;
    if (!objects) return [`${name} is missing`];
    const problems: string[] = [];
    if (!objects.some(({ chain }) => chain?.['name'] === markName(rules)))
      problems.push(`${name} was built from other rules`);
    const found = objects.filter(({ rule }) => rule).length;
    if (found !== ruleCount(rules)) problems.push(`${name} has ${found} rules, not ${ruleCount(rules)}`);
    const wanted = new Set(ports.flatMap((port) => elementText(portElement(port))));
    const present = new Set(objects.flatMap(presentElements));
    for (const element of wanted) if (!present.has(element)) problems.push(`${name} lacks ${element}`);
    for (const element of present) if (!wanted.has(element)) problems.push(`${name} has a stray ${element}`);
    return problems;
  }

  private run(script: string): void {
    if (script) this.kernel.nft(script);
  }
}

function elementText(element: { map: string; key: string; value: string } | undefined): string[] {
  return element ? [`${element.map}: ${element.key} → ${element.value}`] : [];
}

/** The elements of one of our maps in nft's JSON: `[[{concat: key}, {concat: value}], …]`. */
function presentElements({ map }: NftObject): string[] {
  const name = map?.['name'];
  const elements = map?.['elem'];
  if ((name !== ANY_MAP && name !== ADDRESS_MAP) || !Array.isArray(elements)) return [];
  return elements.map((pair) => {
    const [key, value] = Array.isArray(pair) ? pair.map(concatText) : [];
    return `${name}: ${key} → ${value}`;
  });
}

function concatText(part: unknown): string {
  const parts = typeof part === 'object' && part !== null && 'concat' in part ? part.concat : part;
  return Array.isArray(parts) ? parts.join(' . ') : String(parts);
}

/**
 * Base chains of others at the forward hook that drop what they do not know, our bridge included. A verdict of ours
 * cannot overrule them: only their owner can let the bridge through. Traffic between host and containers does not pass there.
 */
export function forwardWarnings(kernel: NetworkKernel, own: { table: string; bridge: string }): string[] {
  const warnings: string[] = [];
  for (const { chain } of kernel.nftObjects('list chains') ?? []) {
    if (chain?.['hook'] !== 'forward' || chain['policy'] !== 'drop' || chain['table'] === own.table) continue;
    if (chain['family'] !== 'ip' && chain['family'] !== 'inet') continue;
    const where = `${chain['family']} ${chain['table']}`;
    const listed = JSON.stringify(kernel.nftObjects(`list table ${where}`) ?? []);
    if (listed.includes(`"${own.bridge}"`)) continue;
    const cure = listed.includes('"DOCKER-USER"')
      ? `; allow it: iptables -I DOCKER-USER -i ${own.bridge} -j ACCEPT; iptables -I DOCKER-USER -o ${own.bridge} -j ACCEPT`
      : `; let its owner accept ${own.bridge} in and out`;
    const what = `chain ${where} ${chain['name']} drops forwarded packets by policy`;
    warnings.push(
      `WARNING: ${what}: containers on ${own.bridge} reach the host, and nothing beyond it${cure}`,
    );
  }
  return warnings;
}
