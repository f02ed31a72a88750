import { listingKey } from './names.ts';
import type { Page } from './types.ts';

/** Names in the order of listings: sorted when first listed, then kept so by a search by halves and a move. */
export class SortedNames {
  private keys: string[] = [];
  private sorted = false;

  add(name: string): void {
    const key = listingKey(name);
    if (!this.sorted) {
      this.keys.push(key);
      return;
    }
    const at = this.placeOf(key);
    if (this.keys[at] !== key) this.keys.splice(at, 0, key);
  }

  delete(name: string): void {
    this.sort();
    const key = listingKey(name);
    const at = this.placeOf(key);
    if (this.keys[at] === key) this.keys.splice(at, 1);
  }

  /** At most `limit` names that come after `last`, which need not be one of them. */
  page(limit: number, last?: string): Page {
    this.sort();
    let from = 0;
    if (last !== undefined) {
      const key = listingKey(last);
      from = this.placeOf(key);
      if (this.keys[from] === key) from += 1;
    }
    const keys = this.keys.slice(from, from + limit);
    return {
      names: keys.map((key) => key.slice(key.indexOf('\0') + 1)),
      more: from + limit < this.keys.length,
    };
  }

  private sort(): void {
    if (this.sorted) return;
    this.keys = [...new Set(this.keys)].sort((a, b) => (a < b ? -1 : 1));
    this.sorted = true;
  }

  /** Index of the first key that is not less. */
  private placeOf(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
