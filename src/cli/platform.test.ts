import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAgainst } from './fake-engine.ts';
import { checkPlatform, platformQuery } from './platform.ts';

test('platforms are normalised as they are compared', () => {
  const cases: [string, object][] = [
    ['linux/amd64', { architecture: 'amd64', os: 'linux' }],
    ['Linux/X86_64', { architecture: 'amd64', os: 'linux' }],
    ['arm64', { architecture: 'arm64', os: 'linux' }],
    ['aarch64', { architecture: 'arm64', os: 'linux' }],
    ['linux/arm64/v8', { architecture: 'arm64', os: 'linux', variant: 'v8' }],
    ['linux/arm', { architecture: 'arm', os: 'linux' }],
    ['linux/arm/7', { architecture: 'arm', os: 'linux', variant: 'v7' }],
    ['linux/amd64/v1', { architecture: 'amd64', os: 'linux' }],
    ['linux/arm/v6', { architecture: 'arm', os: 'linux', variant: 'v6' }],
    ['armel', { architecture: 'arm', os: 'linux', variant: 'v6' }],
    ['windows/amd64', { architecture: 'amd64', os: 'windows' }],
  ];
  for (const [text, platform] of cases) assert.deepEqual(JSON.parse(platformQuery(text) ?? ''), platform);
  assert.equal(JSON.parse(platformQuery('linux') ?? '').os, 'linux');
  assert.equal(platformQuery(''), undefined);
});

test('what is none is refused in the words of each command', async () => {
  const parse = '"a/b/c/d": cannot parse platform specifier: invalid argument';
  assert.throws(() => checkPlatform('a/b/c/d'), { message: `error parsing specified platform: ${parse}` });
  const error = async (...args: string[]) => (await runAgainst(args, () => ({ json: [] }))).err;
  assert.equal(await error('rmi', '--platform', 'a/b/c/d', 'x'), `${parse}\n`);
  assert.equal(await error('image', 'inspect', '--platform', 'a/b/c/d', 'x'), `${parse}\n`);
  for (const command of ['save', 'history'])
    assert.equal(await error(command, '--platform', 'a/b/c/d', 'x'), `invalid platform: ${parse}\n`);
  assert.equal(
    await error('rmi', '--platform', 'zork', 'x'),
    '"zork": unknown operating system or architecture: invalid argument\n',
  );
  assert.match(
    await error('rmi', '--platform', 'linux/amd 64', 'x'),
    /^"amd 64" is an invalid component of "linux\/amd 64": platform specifier component must match/,
  );
});
