import { test } from 'node:test';
import { repositorySuite } from '../suite.ts';
import { hasDockerRegistry, openDockerRegistry } from './testing/docker-registry.ts';
import { suiteRegistry } from './testing/suite-registry.ts';

if (hasDockerRegistry())
  repositorySuite("over HTTP, Debian's docker-registry", async () =>
    suiteRegistry(await openDockerRegistry(), { deleteTags: true }),
  );
else test("over HTTP, Debian's docker-registry", { skip: 'docker-registry is not installed' });
