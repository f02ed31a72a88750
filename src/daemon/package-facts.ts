import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { EngineFacts } from '../engine/system/index.ts';
import { hostPlatform } from '../oci/index.ts';

/** Oldest and newest version of the Engine API that is served. */
export const API_VERSIONS = { oldest: '1.24', newest: '1.51' };

/** Wharf's version, from package.json. */
export function wharfVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The commit this checkout stands on, in twelve digits; empty without one. */
function checkoutCommit(): string {
  const git = new URL('../../.git/', import.meta.url);
  try {
    const head = readFileSync(new URL('HEAD', git), 'utf8').trim();
    const ref = /^ref: (refs\/[\w/.-]+)$/.exec(head)?.[1];
    return (ref ? readFileSync(new URL(ref, git), 'utf8') : head).trim().slice(0, 12);
  } catch {
    return '';
  }
}

/** What the engine tells of itself; `tools` runs their programs, so it is read when first asked. */
export function engineFacts(tools: () => EngineFacts['tools']): EngineFacts {
  let known: EngineFacts['tools'] | undefined;
  return {
    version: wharfVersion(),
    gitCommit: checkoutCommit(),
    buildTime: '',
    apiVersion: API_VERSIONS.newest,
    minApiVersion: API_VERSIONS.oldest,
    architecture: hostPlatform().architecture,
    kernelVersion: release(),
    get tools() {
      known ??= tools();
      return known;
    },
  };
}
