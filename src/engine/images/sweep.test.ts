import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweepContent } from './sweep.ts';
import { SweepGate } from './sweep-gate.ts';
import { takeIn } from './take-in.ts';
import { EMPTY, inventory, openFixture, someImage } from './test-fixture.ts';

const later = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a sweep takes layers and blobs of no image, and nothing else', async () => {
  await using fixture = openFixture();
  const kept = await someImage(fixture, 'kept:1');
  const gone = await someImage(fixture, 'gone:1');
  const before = await inventory(fixture);
  await sweepContent(fixture);
  assert.deepEqual(await inventory(fixture), before);
  fixture.images.delete(gone.id);
  await fixture.content.put(Buffer.from('stray'), 'text/plain');
  await sweepContent(fixture);
  assert.deepEqual(
    fixture.snapshots.list().map(({ key }) => key),
    [kept.layers[0]?.chainId],
  );
  assert.equal((await inventory(fixture))['blobs']?.length, 3);
});

test('layers that a container stands on stay until it is gone', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'a:1');
  const chain = image.layers[0]?.chainId ?? '';
  await fixture.snapshots.prepare('init', chain);
  await fixture.snapshots.commit(`${chain}-init`, 'init');
  await fixture.snapshots.prepare('container', `${chain}-init`);
  fixture.images.delete(image.id);
  await sweepContent(fixture);
  assert.equal(fixture.snapshots.list().length, 3);
  await fixture.snapshots.remove('container');
  await sweepContent(fixture);
  assert.deepEqual(fixture.snapshots.list(), [], 'the init layer goes before the layer it stands on');
});

test('the init layer of an image stays without a container', async () => {
  await using fixture = openFixture();
  const chain = (await someImage(fixture, 'a:1')).layers[0]?.chainId ?? '';
  await fixture.snapshots.prepare('init', chain);
  await fixture.snapshots.commit(`${chain}-init`, 'init');
  await sweepContent(fixture);
  assert.ok(fixture.snapshots.stat(`${chain}-init`));
});

test('an unpacking that a crash left is swept, a container’s snapshot never', async () => {
  await using fixture = openFixture();
  await fixture.snapshots.prepare('extract-0123456789abcdef', undefined);
  await fixture.snapshots.prepare('f'.repeat(64), undefined);
  await sweepContent(fixture);
  assert.deepEqual(
    fixture.snapshots.list().map(({ key }) => key),
    ['f'.repeat(64)],
  );
});

test('a sweep that can’t go on is logged, and fails nobody', async () => {
  await using fixture = openFixture();
  const logged: string[] = [];
  const log = { ...fixture.log, error: (message: string) => void logged.push(message) };
  const content = {
    ...fixture.content,
    list: () => {
      throw new Error('broken');
    },
  };
  await sweepContent({ ...fixture, log, content });
  assert.deepEqual(logged, ['content that nothing needs could not be swept']);
});

test('a sweep waits for who brings something in, and runs once for all who asked', async () => {
  const gate = new SweepGate();
  const done: string[] = [];
  const step = Promise.withResolvers<void>();
  const work = gate.hold(async () => {
    await step.promise;
    done.push('work');
  });
  await gate.sweep(async () => void done.push('sweep'));
  await gate.sweep(async () => void done.push('sweep'));
  assert.deepEqual(done, [], 'who asks does not wait');
  step.resolve();
  await work;
  await later();
  assert.deepEqual(done, ['work', 'sweep']);
});

test('who comes while a sweep runs waits for its end', async () => {
  const gate = new SweepGate();
  const done: string[] = [];
  const step = Promise.withResolvers<void>();
  const sweep = gate.sweep(async () => {
    await step.promise;
    done.push('sweep');
  });
  const work = gate.hold(async () => void done.push('work'));
  const second = gate.sweep(async () => void done.push('second'));
  await later();
  assert.deepEqual(done, []);
  step.resolve();
  await Promise.all([sweep, work, second]);
  await later();
  assert.equal(done[0], 'sweep');
  assert.deepEqual([...done].sort(), ['second', 'sweep', 'work']);
});

test('work that fails lets the gate go', async () => {
  const gate = new SweepGate();
  await assert.rejects(
    gate.hold(() => Promise.reject(new Error('no'))),
    /no/,
  );
  let swept = false;
  await gate.sweep(async () => {
    swept = true;
  });
  assert.ok(swept);
});

test('what failing work brought in is swept', async () => {
  await using fixture = openFixture();
  const failing = takeIn(fixture, async () => {
    await fixture.content.put(Buffer.from('x'), 'text/plain');
    await fixture.snapshots.prepare('extract-1', undefined);
    await fixture.snapshots.commit('sha256:abc', 'extract-1');
    throw new Error('half way');
  });
  await assert.rejects(failing, /half way/);
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('a sweep in the middle of others’ work does not take what that work made', async () => {
  await using fixture = openFixture();
  const step = Promise.withResolvers<void>();
  const slow = takeIn(fixture, async () => {
    const { digest } = await fixture.content.put(Buffer.from('mine'), 'text/plain');
    await step.promise;
    return fixture.content.stat(digest);
  });
  await assert.rejects(takeIn(fixture, () => Promise.reject(new Error('other'))));
  step.resolve();
  assert.deepEqual(await slow, { size: 4 });
});
