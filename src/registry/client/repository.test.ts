import { repositorySuite } from '../suite.ts';
import { type MemoryOptions, memoryRegistry } from './testing/memory-registry.ts';
import { serve } from './testing/serve.ts';
import { suiteRegistry } from './testing/suite-registry.ts';

for (const [name, options] of Object.entries<MemoryOptions>({
  'over HTTP': {},
  'over HTTP, a registry without referrers and ranges': { referrers: false, ranges: false },
  'over HTTP, a registry of small pages and chunks': { page: 2, maxChunk: 16 << 20 },
})) {
  repositorySuite(name, async () => suiteRegistry(await serve(memoryRegistry(options).handler)));
}
