import { readFileSync } from 'node:fs';
import type { NftObject, RuleKernel } from '../kernel.ts';
import type { BridgeRules } from './types.ts';

/**
 * Base chains of others at the forward hook that drop what they do not know, our bridges included. A verdict of ours
 * cannot overrule them: only their owner can let the bridges through. Traffic between host and containers does not pass
 * there, and traffic among the containers of a bridge only where `bridged` says so. One sentence a chain, with the way out.
 */
export function forwardWarnings(
  kernel: Pick<RuleKernel, 'nftObjects'>,
  own: { table: string; bridges: readonly BridgeRules[] },
  bridged = passesBridged,
): string[] {
  const warnings: string[] = [];
  for (const { chain } of kernel.nftObjects('list chains') ?? []) {
    if (chain?.['hook'] !== 'forward' || chain['table'] === own.table) continue;
    const among = familiesOf(chain['family']).some(bridged);
    const concerned = own.bridges.filter((bridge) => isConcerned(bridge, chain['family'], among));
    if (concerned.length === 0) continue;
    const where = `${chain['family']} ${chain['table']}`;
    const objects = kernel.nftObjects(`list table ${where}`) ?? [];
    const how = dropping(chain, objects);
    const text = JSON.stringify(objects);
    const names = concerned.map(({ bridge }) => bridge).filter((name) => !mentions(text, name));
    if (!how || names.length === 0) continue;
    warnings.push(
      `WARNING: chain ${where} ${chain['name']} drops forwarded packets ${how}: ` +
        `containers on ${enumeration(names)} reach the host, and nothing beyond it${among ? ', not even each other' : ''}; ${cure(chain, text, names)}`,
    );
  }
  return warnings;
}

/** Internal networks forward nothing, save among their own containers. */
function isConcerned({ internal, ipv4, ipv6 }: BridgeRules, family: unknown, among: boolean): boolean {
  if (internal && !among) return false;
  return familiesOf(family).some((one) => (one === 4 ? ipv4 : ipv6) !== undefined);
}

function familiesOf(family: unknown): (4 | 6)[] {
  return family === 'inet' ? [4, 6] : family === 'ip' ? [4] : family === 'ip6' ? [6] : [];
}

/** Whether frames that a bridge hands from one port to another pass the hooks of that family (the module br_netfilter). */
function passesBridged(family: 4 | 6): boolean {
  const name = family === 4 ? 'bridge-nf-call-iptables' : 'bridge-nf-call-ip6tables';
  try {
    return readFileSync(`/proc/sys/net/bridge/${name}`, 'latin1').trim() === '1';
  } catch {
    return false;
  }
}

/** By its policy, or as firewalld by a last rule for all that is left. */
function dropping(chain: Record<string, unknown>, objects: readonly NftObject[]): string | undefined {
  if (chain['policy'] === 'drop') return 'by policy';
  const last = objects.findLast(({ rule }) => rule?.['chain'] === chain['name'])?.rule?.['expr'];
  if (!Array.isArray(last)) return undefined;
  const [verdict, ...more] = last.filter((part: object) => !('counter' in part) && !('log' in part));
  const drops = verdict !== undefined && more.length === 0 && ('drop' in verdict || 'reject' in verdict);
  return drops ? 'by its last rule' : undefined;
}

/** What the bridges have in common whose names nobody chose: `wharf0`, `wh-0123456789ab`. Iptables takes `wh+` for all. */
const OWN_PREFIX = 'wh';

/** Whether rules name the bridge, by itself or by a wildcard: their owner has thought of it. */
function mentions(rules: string, bridge: string): boolean {
  if (rules.includes(`"${bridge}"`)) return true;
  return [...rules.matchAll(/"([^"]+)\*"/g)].some(([, prefix]) => bridge.startsWith(prefix!));
}

function enumeration(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function cure(chain: Record<string, unknown>, rules: string, names: readonly string[]): string {
  const bridge = names.length === 1 ? names[0]! : 'BRIDGE';
  const allow = names.length === 1 ? 'allow it' : 'allow each';
  const iptables = chain['family'] === 'ip6' ? 'ip6tables' : 'iptables';
  if (chain['table'] === 'firewalld')
    return `${allow}: firewall-cmd --permanent --zone=trusted --add-interface=${bridge}; firewall-cmd --reload`;
  if (rules.includes('"DOCKER-USER"')) {
    const all = names.every((name) => name.startsWith(OWN_PREFIX));
    const [which, how] = all ? [`${OWN_PREFIX}+`, 'allow all of them, and those to come'] : [bridge, allow];
    return `${how}: ${iptables} -I DOCKER-USER -i ${which} -j ACCEPT; ${iptables} -I DOCKER-USER -o ${which} -j ACCEPT`;
  }
  if (/"ufw6?-/.test(rules))
    return `${allow}: ufw route allow in on ${bridge}; ufw route allow out on ${bridge}`;
  return `let its owner accept ${names.length === 1 ? bridge : 'them'} in and out`;
}
