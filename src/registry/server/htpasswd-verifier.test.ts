import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { isKind } from '../../base/index.ts';
import { BcryptVerifier } from './htpasswd-verifier.ts';

let verifier: BcryptVerifier;
beforeEach(() => {
  verifier = new BcryptVerifier();
});
afterEach(() => verifier[Symbol.dispose]());

const HASH = hashSync('right', 4);

describe('the thread that checks passwords', () => {
  it('answers each check with its own result', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => verifier.verify(at % 3 === 0 ? 'right' : `wrong ${at}`, HASH)),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 40 }, (_, at) => at % 3 === 0),
    );
  });

  it('takes hashes of all three kinds of bcrypt', async () => {
    for (const kind of ['$2a$', '$2b$', '$2y$'])
      assert.equal(await verifier.verify('right', HASH.replace('$2b$', kind)), true, kind);
  });

  it('does not keep the event loop from turning', async () => {
    const slow = hashSync('right', 9);
    let turns = 0;
    const beat = setInterval(() => turns++, 1);
    try {
      assert.equal(await verifier.verify('right', slow), true);
    } finally {
      clearInterval(beat);
    }
    assert.ok(turns > 0, 'timers ran while the password was checked');
  });

  it('refuses what would wait too long', async () => {
    const waiting = Array.from({ length: 128 }, () => verifier.verify('wrong', HASH));
    await assert.rejects(verifier.verify('right', HASH), (thrown) => isKind(thrown, 'rate-limited'));
    assert.equal((await Promise.all(waiting)).includes(true), false);
    assert.equal(await verifier.verify('right', HASH), true);
  });

  it('fails the checks that wait when it is put down', async () => {
    const waiting = verifier.verify('right', HASH);
    verifier[Symbol.dispose]();
    await assert.rejects(waiting, (thrown) => isKind(thrown, 'cancelled'));
  });
});
