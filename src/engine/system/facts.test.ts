import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineVersion } from './version.ts';

const facts = {
  version: '1.2.3',
  gitCommit: 'abc',
  buildTime: '2026-01-02T03:04:05Z',
  apiVersion: '1.51',
  minApiVersion: '1.24',
  architecture: 'amd64',
  kernelVersion: '6.18.0',
  tools: [
    { name: 'conmon', version: '2.1.6', commit: 'c0' },
    { name: 'crun', version: '1.8.1', commit: '' },
  ],
};

test('the version names the engine first, then each tool', () => {
  const shown = engineVersion(facts);
  const node = `node ${process.version}`;
  const { Components, ...rest } = shown;
  assert.deepEqual(rest, {
    Platform: { Name: 'Wharf' },
    Version: '1.2.3',
    ApiVersion: '1.51',
    MinAPIVersion: '1.24',
    GitCommit: 'abc',
    GoVersion: node,
    Os: 'linux',
    Arch: 'amd64',
    KernelVersion: '6.18.0',
    BuildTime: '2026-01-02T03:04:05Z',
  });
  assert.deepEqual(
    Components?.map(({ Name, Version }) => [Name, Version]),
    [
      ['Engine', '1.2.3'],
      ['conmon', '2.1.6'],
      ['crun', '1.8.1'],
    ],
  );
  assert.deepEqual(Components?.[0]?.Details, {
    ApiVersion: '1.51',
    Arch: 'amd64',
    BuildTime: '2026-01-02T03:04:05Z',
    Experimental: 'false',
    GitCommit: 'abc',
    GoVersion: node,
    KernelVersion: '6.18.0',
    MinAPIVersion: '1.24',
    Os: 'linux',
  });
  assert.deepEqual(Components?.[2]?.Details, { GitCommit: '' });
});
