import type { SuiteRegistry } from '../../suite.ts';
import { testRegistries } from './registries.ts';

/** A server as the conformance suite of repositories sees it: through our client, with all rights. */
export function suiteRegistry(
  server: { host: string } & AsyncDisposable,
  lacks: SuiteRegistry['lacks'] = {},
): SuiteRegistry {
  const registries = testRegistries();
  return {
    lacks,
    repository: (path) =>
      registries.repository({ domain: server.host, path }, { actions: ['pull', 'push', 'delete'] }),
    async [Symbol.asyncDispose]() {
      registries[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
