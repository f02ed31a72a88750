import assert from 'node:assert/strict';
import { digestOf } from '../../oci/index.ts';
import type { Fixture } from './test-fixture.ts';

/** Every blob is its name's, every blob that a record names is here, and no other. */
export async function verifyBlobs(fixture: Fixture): Promise<void> {
  const needed = new Set(fixture.images.needed().blobs);
  for await (const { digest } of fixture.content.list()) {
    assert.equal(digestOf(await fixture.content.read(digest)), digest);
    assert.ok(needed.delete(digest), `${digest} is needed by nobody`);
  }
  assert.deepEqual([...needed], []);
}
