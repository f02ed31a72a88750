import { openFixture } from '../../images/test-fixture.ts';
import { BlobFetcher } from '../fetch.ts';
import { Uploads } from '../push-uploads.ts';
import type { DistributionDeps, OwnRegistry } from '../types.ts';
import { FakeRegistry, fakeRegistries } from './fake-registry.ts';

/** Domain of the registry that every fixture has. */
export const HOST = 'registry.test:5000';

/** An engine with real stores, and one registry in memory that it reaches as `HOST`. */
export function openDistribution(over: { own?: OwnRegistry; uploads?: number; downloads?: number } = {}) {
  const fixture = openFixture();
  const registry = new FakeRegistry();
  const registries = fakeRegistries({ [HOST]: registry });
  const limits = {
    downloads: () => over.downloads ?? 3,
    uploads: () => over.uploads ?? 5,
    attempts: () => 3,
  };
  const deps: DistributionDeps = {
    ...fixture,
    registries: () => registries,
    own: over.own,
    limits,
    fetcher: new BlobFetcher({ ...fixture, limits }),
    uploads: new Uploads(limits.uploads),
  };
  return { fixture, registry, deps, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() };
}

/** The same, and how often a layer was unpacked by it. */
export function countingUnpacks(deps: DistributionDeps): { deps: DistributionDeps; unpacked: () => number } {
  let count = 0;
  const unpack: DistributionDeps['unpack'] = (...of) => {
    count++;
    return deps.unpack(...of);
  };
  return { deps: { ...deps, unpack }, unpacked: () => count };
}
