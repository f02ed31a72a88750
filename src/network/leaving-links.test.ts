import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeKernel } from './fake-kernel.ts';
import { LeavingLinks } from './leaving-links.ts';

it('knows links that leave until they have left, and no more of them than twice those that stay', () => {
  const kernel = new FakeKernel();
  const leaving = new LeavingLinks(kernel);
  kernel.addLink('slow', 'veth');
  leaving.add('slow');
  for (let at = 0; at < 10_000; at++) leaving.add(`gone${at}`);
  assert.ok(leaving.has('slow'));
  assert.ok(leaving.size <= 65, `${leaving.size}`);
  for (let at = 0; at < 200; at++) {
    kernel.addLink(`wv${at}`, 'veth');
    leaving.add(`wv${at}`);
  }
  assert.ok(leaving.has('wv0') && leaving.has('wv199'));
});
