import { repositorySuite } from '../../registry/suite.ts';
import { FakeRegistry } from './testing/fake-registry.ts';

repositorySuite('registry in memory', async () => {
  const registry = new FakeRegistry();
  return { repository: (path) => registry.repository(path), async [Symbol.asyncDispose]() {} };
});
