import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ChaosProxy, needsOwnDaemon, randomImage, TestRegistry, useDaemon } from './support/index.ts';

const BUSY = '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}';

describe('a registry that has enough of us', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false, flags: ['--max-download-attempts', '2'] });
  let registry: TestRegistry;
  let proxy: ChaosProxy;
  before(async () => {
    registry = await TestRegistry.start('wharf');
    await registry.store('lab/app', await randomImage(registry.folder, 1, 1 << 16), '1');
    proxy = await ChaosProxy.start(registry.address);
  });
  after(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  // The reference, asked with such a registry, gave these statuses and texts.
  for (const [body, status, message] of [
    [BUSY, 429, 'toomanyrequests: You have reached your pull rate limit.'],
    [
      'slow down',
      500,
      'error parsing HTTP 429 response body: invalid character \'s\' looking for beginning of value: "slow down"',
    ],
  ] as const) {
    it(`is told of by ${status} when it says ${body.slice(0, 9)}, after a bounded number of tries`, async () => {
      proxy.fault = ({ path }) =>
        path.includes('/manifests/') ? { status: 429, headers: { 'Retry-After': '0' }, body } : undefined;
      for (const [method, path] of [
        ['POST', `/v1.51/images/create?fromImage=${proxy.address}/lab/app&tag=1`],
        ['GET', `/v1.51/distribution/${proxy.address}/lab/app:1/json`],
      ] as const) {
        proxy.seen.length = 0;
        const answer = await engine.api(method, path);
        assert.deepEqual([answer.status, JSON.parse(answer.text)], [status, { message }]);
        assert.ok(proxy.seen.length > 1 && proxy.seen.length < 10, `${proxy.seen.length} requests`);
      }
      proxy.fault = () => undefined;
      await engine.ok('pull', `${proxy.address}/lab/app:1`);
      await engine.ok('rmi', `${proxy.address}/lab/app:1`);
    });
  }
});
