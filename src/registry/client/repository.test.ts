import { repositorySuite } from '../suite.ts';
import { type MemoryOptions, memoryRegistry } from './testing/memory-registry.ts';
import { testRegistries } from './testing/registries.ts';
import { serve } from './testing/serve.ts';

for (const [name, options] of Object.entries<MemoryOptions>({
  'over HTTP': {},
  'over HTTP, a registry without referrers and ranges': { referrers: false, ranges: false },
  'over HTTP, a registry of small pages and chunks': { page: 2, maxChunk: 16 << 20 },
})) {
  repositorySuite(name, async () => {
    const server = await serve(memoryRegistry(options).handler);
    const registries = testRegistries();
    return {
      repository: (path) =>
        registries.repository({ domain: server.host, path }, { actions: ['pull', 'push', 'delete'] }),
      async [Symbol.asyncDispose]() {
        registries[Symbol.dispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  });
}
