import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The checkout's root. */
export const ROOT = join(import.meta.dirname, '../../..');
export const WHARF = join(ROOT, 'bin/wharf');
export const WHARFD = join(ROOT, 'bin/wharfd');

let stock: string | undefined;

/**
 * The program that tests drive the daemon with: the stock `docker` client where there is one, else `bin/wharf`, which
 * must do the same; which one it is gets printed once.
 */
export function stockClient(): string {
  if (stock === undefined) {
    const found = spawnSync('docker', ['--version'], { encoding: 'utf8' });
    stock = found.status === 0 ? 'docker' : WHARF;
    if (stock === WHARF) console.log('the docker client is not installed: bin/wharf is tested in its place');
  }
  return stock;
}

/** False when the stock client is missing; tests of its own terminal handling need it. */
export function hasStockClient(): boolean {
  return stockClient() === 'docker';
}
