import { WharfError } from '../../base/index.ts';
import { watchNftables } from '../../sys/index.ts';
import type { NftObject, RuleKernel } from '../kernel.ts';
import { type Elements, elementCommands, elementsOf, elementText, listedElements } from './elements.ts';
import { CHAINS, emptyTable, MARK, replaced } from './ruleset.ts';
import type { Firewall, FirewallChange, FirewallState } from './types.ts';

/** Checks of the table are at least this far apart: a program that fights for it shall not keep us busy. */
const CHECK_INTERVAL_MS = 200;

/** The daemon's nft table `inet TABLE`. `watchNft` is replaced in unit tests only. Nothing is changed before the first call. */
export function openFirewall(kernel: RuleKernel, table: string, watchNft = watchNftables): Firewall {
  return new NftTable(kernel, table, watchNft);
}

class NftTable implements Firewall {
  private readonly kernel: RuleKernel;
  private readonly table: string;
  private readonly watchNft: typeof watchNftables;
  private wanted: (() => FirewallState) | undefined;

  constructor(kernel: RuleKernel, table: string, watchNft: typeof watchNftables) {
    this.kernel = kernel;
    this.table = table;
    this.watchNft = watchNft;
  }

  ensure(state: FirewallState): boolean {
    if (this.problems(state).length === 0) return false;
    this.build(elementsOf(state));
    return true;
  }

  apply({ add = {}, remove = {} }: FirewallChange): void {
    const [added, removed] = [elementsOf(add), elementsOf(remove)];
    // Adding first makes the removal of what is not there succeed: `destroy` is unknown to nft before 1.0.7.
    const script =
      elementCommands('add', this.table, removed) +
      elementCommands('delete', this.table, removed) +
      elementCommands('add', this.table, added);
    if (script === '') return;
    try {
      this.kernel.nft(script);
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
      // Others took the table away a moment ago. To remove from nothing is done; to add needs it now.
      if (added.size > 0) this.buildChanged(added, removed, thrown);
    }
  }

  problems(state: FirewallState): string[] {
    const name = `nft table inet ${this.table}`;
    const problems = this.former() ? [`nft table ip ${this.table} of a former version is still there`] : [];
    const objects = this.kernel.nftObjects(`list table inet ${this.table}`);
    if (!objects) return [...problems, `${name} is missing`];
    const found = [...structureProblems(objects), ...elementProblems(objects, elementsOf(state))];
    return [...problems, ...found.map((problem) => `${name} ${problem}`)];
  }

  drop(): void {
    this.kernel.nft(replaced('inet', this.table));
  }

  watch(wanted: () => FirewallState, restored: (problems: string[]) => void): Disposable {
    this.wanted = wanted;
    let last = 0;
    let timer: NodeJS.Timeout | undefined;
    const check = () => {
      timer = undefined;
      last = performance.now();
      const problems = this.restore(wanted);
      if (problems.length > 0) restored(problems);
    };
    const watch = this.watchNft(({ pid, tables }) => {
      // No table at all means that messages were lost.
      if (pid === process.pid || timer || (tables.size > 0 && !tables.has(this.table))) return;
      timer = setTimeout(check, Math.max(0, last + CHECK_INTERVAL_MS - performance.now()));
      timer.unref();
    });
    return {
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        watch[Symbol.dispose]();
        this.wanted = undefined;
      },
    };
  }

  /** What was wrong and is right again; empty when nothing was. */
  private restore(wanted: () => FirewallState): string[] {
    const problems: string[] = [];
    try {
      const state = wanted();
      problems.push(...this.problems(state));
      if (problems.length > 0) this.build(elementsOf(state));
    } catch (thrown) {
      problems.push(`nft table inet ${this.table} could not be restored: ${String(thrown)}`);
    }
    return problems;
  }

  private buildChanged(added: Elements, removed: Elements, missing: unknown): void {
    if (!this.wanted) throw missing;
    const elements = elementsOf(this.wanted());
    for (const key of removed.keys()) elements.delete(key);
    for (const [key, element] of added) elements.set(key, element);
    this.build(elements);
  }

  private build(elements: Elements): void {
    const former = this.former() ? replaced('ip', this.table) : '';
    this.kernel.nft(former + emptyTable(this.table) + elementCommands('add', this.table, elements));
  }

  /** Before version 0.3 the table was one of IPv4 alone. */
  private former(): boolean {
    const tables = this.kernel.nftObjects('list tables ip') ?? [];
    return tables.some(({ table }) => table?.['name'] === this.table);
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof WharfError && /No such file or directory/.test(thrown.message);
}

/** Chains and rules: comments tell ours. */
function structureProblems(objects: readonly NftObject[]): string[] {
  if (!objects.some(({ chain }) => chain?.['name'] === MARK)) return ['was built from other rules'];
  // Only `dormant` can be set from outside; nft 1.0.6 writes it under another name.
  const idle = objects.some(({ table }) => table && 'flags' in table);
  const problems = idle ? ['is dormant'] : [];
  for (const [name, { rules }] of Object.entries(CHAINS)) {
    const chain = objects.find((object) => object['chain']?.['name'] === name)?.chain;
    if (!chain) problems.push(`lacks the chain ${name}`);
    else if (chain['policy'] !== 'accept') problems.push(`has the policy ${chain['policy']} in ${name}`);
    const listed = objects.flatMap(({ rule }) => (rule?.['chain'] === name ? [rule['comment']] : []));
    const wanted = rules.map(([comment]) => comment);
    for (const comment of wanted)
      if (chain && !listed.includes(comment)) problems.push(`lacks the rule "${comment}" in ${name}`);
    const strangers = listed.filter((comment) => !wanted.includes(String(comment)));
    if (strangers.length > 0) problems.push(`has a rule of somebody else's in ${name}`);
    else if (listed.length > wanted.length) problems.push(`has a rule twice in ${name}`);
    else if (listed.length === wanted.length && listed.some((comment, at) => comment !== wanted[at]))
      problems.push(`has its rules in another order in ${name}`);
  }
  return problems;
}

function elementProblems(objects: readonly NftObject[], elements: Elements): string[] {
  const wanted = new Set([...elements.values()].map(elementText));
  const present = new Set(listedElements(objects));
  const lacking = [...wanted].filter((text) => !present.has(text)).map((text) => `lacks ${text}`);
  const strays = [...present].filter((text) => !wanted.has(text)).map((text) => `has a stray ${text}`);
  return [...lacking, ...strays];
}
