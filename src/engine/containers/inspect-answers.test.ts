import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContainerConfig, HostConfig, NetworkingConfig } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { networkSettings } from '../networks/index.ts';
import { createContainer } from './create.ts';
import { inspectContainer } from './inspect.ts';
import { listContainers } from './list.ts';
import { type Fixture, openFixture } from './test-fixture.ts';

/** What the reference engine showed for a container that was made of that request; ids, times and paths are placeholders. */
interface Answer {
  request: ContainerConfig & { HostConfig?: HostConfig; NetworkingConfig?: NetworkingConfig };
  document: Record<string, unknown>;
  summary: Record<string, unknown>;
}

/** The first one is whole, the others have what differs from it. */
const [FIRST, ...OTHERS]: [Answer, ...Answer[]] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'inspect-answers.json'), 'utf8'),
);

function overFirst(other: Answer): Answer {
  const document: Record<string, unknown> = { ...FIRST.document, ...other.document };
  for (const part of PARTS) {
    const fields = { ...(FIRST.document[part] as object), ...(other.document[part] as object) };
    document[part] = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '<absent>'));
  }
  return { request: other.request, document, summary: { ...FIRST.summary, ...other.summary } };
}

const PARTS = ['HostConfig', 'Config', 'State', 'NetworkSettings'];
/** The reference's image has this environment. */
const IMAGE = { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] };
/** What can't be the same: another engine's storage and profile. */
const OWN = ['GraphDriver', 'Driver', 'AppArmorProfile'];

/** The reference lists mounts in the order of a Go map. */
function sortMounts(document: Record<string, unknown>): void {
  const mounts = document['Mounts'] as { Destination: string }[];
  mounts.sort((a, b) => (a.Destination < b.Destination ? -1 : 1));
}

function shown(fixture: Fixture, id: string, document: object): Record<string, unknown> {
  const record = fixture.deps.store.resolve(id);
  let text = JSON.stringify(document)
    .replaceAll(id, '<id>')
    .replaceAll(id.slice(0, 12), '<short id>')
    .replaceAll(record.imageId, '<image>')
    .replaceAll(record.created, '<created>')
    .replaceAll(join(fixture.root, 'volumes'), '<volumes>')
    .replace(/"Created":\d+/, '"Created":0');
  for (const mount of record.mounts)
    if (mount.anonymous) text = text.replaceAll(mount.Name ?? '', '<anonymous>');
  return JSON.parse(text);
}

for (const [index, answer] of [FIRST, ...OTHERS.map(overFirst)].entries()) {
  test(`document and summary of request ${index} are the reference's, field by field`, async () => {
    await using fixture = await openFixture({ image: IMAGE });
    const { deps } = fixture;
    const {
      HostConfig: hostConfig = {},
      NetworkingConfig: networkingConfig = {},
      ...config
    } = answer.request;
    const { id } = await createContainer(deps, {
      name: `gqinsp${index}`,
      config,
      hostConfig,
      networkingConfig,
    });
    const networks = { list: () => [], sandbox: () => undefined };
    const reading = { ...deps, networks, networkSettings, execIds: () => [] };
    const own = shown(fixture, id, await inspectContainer(reading, id, { size: false }));
    for (const one of [own, answer.document, answer.summary]) sortMounts(one);
    assert.equal((own['HostConfig'] as HostConfig).Runtime, 'crun');
    delete (own['HostConfig'] as HostConfig).Runtime;
    for (const part of PARTS) {
      const [ours, theirs] = [own[part], answer.document[part]] as Record<string, unknown>[];
      for (const field of new Set([...Object.keys(ours ?? {}), ...Object.keys(theirs ?? {})])) {
        assert.deepEqual(ours?.[field], theirs?.[field], `${part}.${field}`);
      }
    }
    for (const field of OWN) delete own[field];
    assert.deepEqual(own, answer.document);
    const listing = { ...reading, clock: systemClock };
    const [summary] = await listContainers(listing, { all: true, limit: 0, size: false, filters: new Map() });
    const listed = shown(fixture, id, summary ?? {});
    sortMounts(listed);
    assert.deepEqual(listed, answer.summary);
  });
}
