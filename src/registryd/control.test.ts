import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind, nodeHttp, silentLog, WharfError } from '../base/index.ts';
import type { GarbageReport } from '../registry/server/index.ts';
import { openControl, orderCollection } from './control.ts';
import type { CollectRequest } from './service.ts';

let root: string;
let control: Disposable | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-control-'));
});
afterEach(() => {
  control?.[Symbol.dispose]();
  control = undefined;
  rmSync(root, { recursive: true, force: true });
});

const EMPTY: GarbageReport = { blobs: [], manifests: [], uploads: [], bytes: 0 };
const ORDER: CollectRequest = { dryRun: false, untagged: false, graceMs: 0 };

/** Opens the control socket over a collection that only notes what it was asked. */
async function open(
  collect?: (request: CollectRequest) => Promise<GarbageReport>,
): Promise<CollectRequest[]> {
  const asked: CollectRequest[] = [];
  control = await openControl(
    root,
    collect ??
      (async (request) => {
        asked.push(request);
        return EMPTY;
      }),
    silentLog,
  );
  return asked;
}

const ask = (method: string, path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const request = nodeHttp().request(
      { socketPath: join(root, 'control.sock'), method, path, agent: false },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      },
    );
    request.on('error', reject).end();
  });

describe('orders to a running registry', () => {
  it('arrive as they were given', async () => {
    const asked = await open();
    const orders: CollectRequest[] = [
      ORDER,
      { dryRun: true, untagged: false, graceMs: 3_600_000 },
      { dryRun: false, untagged: true, graceMs: 1 },
    ];
    for (const order of orders) assert.deepEqual(await orderCollection(root, order), EMPTY);
    assert.deepEqual(asked, orders);
  });

  it('bring back what went wrong', async () => {
    await open(() => Promise.reject(new WharfError('exhausted', 'the disk is full')));
    await assert.rejects(
      orderCollection(root, ORDER),
      (thrown) => isKind(thrown, 'internal') && /the disk is full/.test(String(thrown)),
    );
  });

  it('are for nobody where none runs, also after a crash that left the socket', async () => {
    assert.equal(await orderCollection(root, ORDER), undefined);
    writeFileSync(join(root, 'control.sock'), '');
    assert.equal(await orderCollection(root, ORDER), undefined);
    await open();
    assert.deepEqual(await orderCollection(root, ORDER), EMPTY);
  });

  it('can be given up', async () => {
    const { promise, resolve } = Promise.withResolvers<GarbageReport>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    await open(() => {
      begin();
      return promise;
    });
    const cut = new AbortController();
    const ordered = orderCollection(root, ORDER, cut.signal);
    await begun;
    cut.abort();
    await assert.rejects(ordered);
    resolve(EMPTY);
  });

  it('that are none are refused', async () => {
    const asked = await open();
    assert.equal(await ask('GET', '/gc'), 404);
    assert.equal(await ask('POST', '/'), 404);
    assert.equal(await ask('DELETE', '/gc'), 404);
    assert.equal(await ask('POST', '/gc?grace=-1'), 400);
    assert.equal(await ask('POST', '/gc?grace=x'), 400);
    assert.deepEqual(asked, []);
  });

  it('are taken from the owner of the root alone', async () => {
    await open();
    assert.equal(statSync(join(root, 'control.sock')).mode & 0o777, 0o600);
  });
});
