import { test } from 'node:test';
import { repositorySuite } from '../suite.ts';
import { hasDockerRegistry, openDockerRegistry } from './testing/docker-registry.ts';
import { testRegistries } from './testing/registries.ts';

if (hasDockerRegistry())
  repositorySuite("over HTTP, Debian's docker-registry", async () => {
    const server = await openDockerRegistry();
    const registries = testRegistries();
    return {
      lacks: { deleteTags: true },
      repository: (path) =>
        registries.repository({ domain: server.host, path }, { actions: ['pull', 'push', 'delete'] }),
      async [Symbol.asyncDispose]() {
        registries[Symbol.dispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  });
else test("over HTTP, Debian's docker-registry", { skip: 'docker-registry is not installed' });
