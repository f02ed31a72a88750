import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExposureDocument } from '../api/index.ts';
import { WharfError } from '../base/index.ts';
import { ServerFixture } from './testing/fixture.ts';

const EXPOSED: ExposureDocument = {
  ContainerID: 'c',
  ContainerName: 'web',
  Network: 'mine',
  Port: '80/tcp',
  At: '0.0.0.0:8080',
  From: 'lan',
  Why: 'published',
};

/** A server whose backend writes down what reaches it. */
async function recording() {
  const calls: unknown[][] = [];
  const note = (...call: unknown[]) => void calls.push(call);
  const fixture = await ServerFixture.start({
    networks: {
      list: async () => [{ Id: 'n', Name: 'mine' }],
      inspect: async (ref, options) => {
        note('inspect', ref, options);
        return { Id: ref, Containers: { c: { Name: 'web' } } };
      },
      create: async (request) => {
        note('create', request);
        return { id: 'n', warning: '' };
      },
      remove: async (ref) => note('remove', ref),
      prune: async (filters) => {
        note('prune', [...filters]);
        return { deleted: filters.size > 0 ? ['mine'] : [] };
      },
      connect: async (ref, input) => note('connect', ref, input),
      disconnect: async (ref, input) => note('disconnect', ref, input),
      renumber: async (ref, config) => {
        note('renumber', ref, config);
        return { Id: ref };
      },
      exposure: async () => [EXPOSED],
    },
  });
  return { fixture, calls };
}

test('each call reaches the backend with what it says', async () => {
  const { fixture, calls } = await recording();
  await using _ = fixture;
  const pool = { Subnet: '10.9.0.0/24' };
  const rows: [string, string, unknown, number, unknown, unknown[]?][] = [
    [
      'POST',
      '/networks/create',
      { Name: 'mine', CheckDuplicate: true },
      201,
      { Id: 'n', Warning: '' },
      ['create', { Name: 'mine', CheckDuplicate: true }],
    ],
    ['POST', '/networks/create', '', 201, { Id: 'n', Warning: '' }, ['create', {}]],
    [
      'GET',
      '/networks/mine?verbose=1&scope=local',
      undefined,
      200,
      { Id: 'mine', Containers: { c: { Name: 'web' } } },
      ['inspect', 'mine', { verbose: true, scope: 'local' }],
    ],
    [
      'POST',
      '/networks/mine/connect',
      { Container: 'c', EndpointConfig: { Aliases: ['a'] } },
      200,
      undefined,
      ['connect', 'mine', { container: 'c', settings: { Aliases: ['a'] } }],
    ],
    [
      'POST',
      '/networks/mine/connect',
      { Container: 'c' },
      200,
      undefined,
      ['connect', 'mine', { container: 'c' }],
    ],
    [
      'POST',
      '/networks/mine/disconnect',
      { Container: 'c', Force: true },
      200,
      undefined,
      ['disconnect', 'mine', { container: 'c', force: true }],
    ],
    ['POST', '/networks/prune', undefined, 200, { NetworksDeleted: null }, ['prune', []]],
    [
      'POST',
      `/networks/prune?filters=${encodeURIComponent('{"label":["a"]}')}`,
      undefined,
      200,
      { NetworksDeleted: ['mine'] },
      ['prune', [['label', ['a']]]],
    ],
    ['DELETE', '/networks/mine', undefined, 204, undefined, ['remove', 'mine']],
    [
      'POST',
      '/wharf/networks/mine/renumber',
      { IPAM: { Config: [pool] } },
      200,
      { Id: 'mine' },
      ['renumber', 'mine', [pool]],
    ],
    [
      'POST',
      '/wharf/networks/mine/renumber',
      undefined,
      200,
      { Id: 'mine' },
      ['renumber', 'mine', undefined],
    ],
    ['GET', '/wharf/networks/exposure', undefined, 200, [EXPOSED]],
    ['GET', '/networks', undefined, 200, [{ Id: 'n', Name: 'mine' }]],
    [
      'GET',
      '/v1.27/networks',
      undefined,
      200,
      [{ Id: 'n', Containers: { c: { Name: 'web' } } }],
      ['inspect', 'n', { verbose: false }],
    ],
  ];
  for (const [method, path, body, status, answer, call] of rows) {
    calls.length = 0;
    const got = await fixture.ask(method, path, body);
    assert.equal(got.status, status, path);
    assert.deepEqual(got.body === '' ? undefined : JSON.parse(got.body), answer, path);
    assert.deepEqual(calls, call ? [call] : [], path);
  }
});

test('bodies that are none, and containers without a name, are refused in the words of the Engine', async () => {
  const { fixture, calls } = await recording();
  await using _ = fixture;
  const nameless = 'invalid name or ID supplied: ""';
  for (const [path, body, message] of [
    ['/networks/x/connect', '', nameless],
    ['/networks/x/connect', {}, nameless],
    ['/networks/x/disconnect', {}, nameless],
    [
      '/networks/x/connect',
      { Container: 4 },
      'invalid JSON: json: cannot unmarshal number into Go struct field ConnectOptions.Container of type string',
    ],
    [
      '/networks/x/disconnect',
      { Force: 4 },
      'invalid JSON: json: cannot unmarshal number into Go struct field DisconnectOptions.Force of type bool',
    ],
    [
      '/networks/create',
      { IPAM: { Config: [{ Subnet: 4 }] } },
      'invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.IPAM.Config.0.Subnet of type string',
    ],
    [
      '/wharf/networks/x/renumber',
      { IPAM: 4 },
      'invalid JSON: json: cannot unmarshal number into Go struct field RenumberRequest.IPAM of type network.IPAM',
    ],
  ] as const) {
    const { status, body: answer } = await fixture.ask('POST', path, body);
    assert.deepEqual([status, JSON.parse(answer)], [400, { message }], path);
  }
  assert.deepEqual(calls, []);
});

test('a fault of the backend is an answer', async () => {
  await using fixture = await ServerFixture.start({
    networks: {
      disconnect: async () => {
        throw new WharfError('internal', 'container c is not connected to network mine');
      },
    },
  });
  const { status, body } = await fixture.ask('POST', '/networks/mine/disconnect', { Container: 'c' });
  assert.deepEqual(
    [status, JSON.parse(body)],
    [500, { message: 'container c is not connected to network mine' }],
  );
});
