import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { digestOf } from '../../oci/index.ts';
import { type SendBlob, Uploads } from './push-uploads.ts';

const never = new AbortController().signal;
const to = (path: string, blob = 'blob', domain = 'lab') => ({ domain, path, digest: digestOf(blob) });
const nothing = () => {};
const turn = () => new Promise(setImmediate);

/** An upload that goes on when it is told to, and heeds its signal. */
function held() {
  const end = Promise.withResolvers<void>();
  const state = { begun: 0, cancelled: false, tell: nothing as (bytes: number) => void };
  const send: SendBlob = async (sent, signal) => {
    state.begun++;
    state.tell = sent;
    signal.addEventListener('abort', () => {
      state.cancelled = true;
      end.reject(signal.reason);
    });
    await end.promise;
  };
  return { state, send, end };
}

test('two that want one blob in one repository share its upload, and both see how far it is', async () => {
  const uploads = new Uploads(() => 5);
  const one = held();
  const seen: number[][] = [[], [], []];
  const first = uploads.share(to('a'), one.send, (bytes) => seen[0]?.push(bytes), never);
  await turn();
  one.state.tell(10);
  const second = uploads.share(to('a'), one.send, (bytes) => seen[1]?.push(bytes), never);
  one.state.tell(20);
  one.end.resolve();
  await Promise.all([first, second]);
  assert.equal(one.state.begun, 1);
  assert.deepEqual(seen, [[10, 20], [10, 20], []]);
});

test('other repositories, registries and blobs are other uploads', async () => {
  const uploads = new Uploads(() => 5);
  const one = held();
  const all = [to('a'), to('b'), to('a', 'other'), to('a', 'blob', 'elsewhere')].map((where) =>
    uploads.share(where, one.send, nothing, never),
  );
  await turn();
  assert.equal(one.state.begun, 4);
  one.end.resolve();
  await Promise.all(all);
});

test('no more than the limit go at once, in order of arrival, and the limit may change', async () => {
  let limit = 1;
  const uploads = new Uploads(() => limit);
  const all = ['a', 'b', 'c', 'd'].map((path) => ({ path, ...held() }));
  const done = all.map(({ path, send }) => uploads.share(to(path), send, nothing, never));
  const begun = async () => {
    await turn();
    return all.filter(({ state }) => state.begun > 0).map(({ path }) => path);
  };
  assert.deepEqual(await begun(), ['a']);
  limit = 2;
  all[0]?.end.resolve();
  assert.deepEqual(await begun(), ['a', 'b', 'c']);
  for (const { end } of all) end.resolve();
  await Promise.all(done);
  assert.deepEqual(await begun(), ['a', 'b', 'c', 'd']);
});

test('an upload goes on while anybody waits for it, and is cancelled when the last gave up', async () => {
  const uploads = new Uploads(() => 5);
  const one = held();
  const [first, second] = [new AbortController(), new AbortController()];
  const waits = [first, second].map(({ signal }) =>
    assert.rejects(uploads.share(to('a'), one.send, nothing, signal), { kind: 'cancelled' }),
  );
  await turn();
  first.abort();
  await waits[0];
  assert.equal(one.state.cancelled, false);
  second.abort();
  await waits[1];
  assert.equal(one.state.cancelled, true);
});

test('one who comes when the last gave up begins anew', async () => {
  const uploads = new Uploads(() => 5);
  const end = Promise.withResolvers<void>();
  // Does not heed its signal at once, as a request on its way does not.
  const slow: SendBlob = () => end.promise;
  const stop = new AbortController();
  const first = assert.rejects(uploads.share(to('a'), slow, nothing, stop.signal), { kind: 'cancelled' });
  stop.abort();
  await first;
  const again = held();
  const second = uploads.share(to('a'), again.send, nothing, never);
  await turn();
  assert.equal(again.state.begun, 1);
  end.resolve();
  await turn();
  const third = uploads.share(to('a'), again.send, nothing, never);
  await turn();
  assert.equal(again.state.begun, 1, 'the end of the old one does not hide the new one');
  again.end.resolve();
  await Promise.all([second, third]);
});

test('one that waits for its turn and gives up takes no turn with it', async () => {
  const uploads = new Uploads(() => 1);
  const [one, two, three] = [held(), held(), held()];
  const first = uploads.share(to('a'), one.send, nothing, never);
  const stop = new AbortController();
  const second = assert.rejects(uploads.share(to('b'), two.send, nothing, stop.signal), {
    kind: 'cancelled',
  });
  const third = uploads.share(to('c'), three.send, nothing, never);
  await turn();
  stop.abort();
  await second;
  one.end.resolve();
  await first;
  await turn();
  assert.deepEqual([two.state.begun, three.state.begun], [0, 1]);
  three.end.resolve();
  await third;
});

test('a failure reaches all who wait, and frees the turn', async () => {
  const uploads = new Uploads(() => 1);
  const one = held();
  const waits = [1, 2].map(() =>
    assert.rejects(uploads.share(to('a'), one.send, nothing, never), { kind: 'forbidden' }),
  );
  await turn();
  one.end.reject(new WharfError('forbidden', 'denied'));
  await Promise.all(waits);
  const two = held();
  two.end.resolve();
  await uploads.share(to('a'), two.send, nothing, never);
});

test('uploads to other repositories of the same registry are to be mounted from', async () => {
  const uploads = new Uploads(() => 5);
  const paths = (where = to('b')) => uploads.holders(where).map(({ path }) => path);
  assert.deepEqual(paths(), []);
  const [one, two] = [held(), held()];
  const first = uploads.share(to('a'), one.send, nothing, never);
  const second = assert.rejects(uploads.share(to('c'), two.send, nothing, never));
  assert.deepEqual(paths(), ['a', 'c']);
  assert.deepEqual(paths(to('a')), ['c'], 'not the one to the same');
  assert.deepEqual(paths(to('b', 'blob', 'elsewhere')), []);
  const ready = uploads.holders(to('b')).map((holder) => holder.ready);
  one.end.resolve();
  two.end.reject(new Error('no'));
  assert.deepEqual(await Promise.all(ready), [true, false]);
  await Promise.all([first, second]);
  assert.deepEqual(paths(), []);
});

test('where a blob went last is remembered, of the latest ones', async () => {
  const uploads = new Uploads(() => 5);
  uploads.arrived(to('a', 'old'));
  for (const path of ['a', 'c']) uploads.arrived(to(path));
  const [holder] = uploads.holders(to('b'));
  assert.deepEqual([holder?.path, await holder?.ready], ['c', true]);
  assert.deepEqual(uploads.holders(to('c')), []);
  for (let at = 0; at < 1023; at++) uploads.arrived(to('a', String(at)));
  assert.equal(uploads.holders(to('b')).length, 1);
  assert.equal(uploads.holders(to('b', 'old')).length, 0);
});
