import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { isKind, type Logger, silentLog } from '../../base/index.ts';
import { HtpasswdUsers, parseHtpasswd } from './htpasswd.ts';

/** Cheap enough for tests; the checks are the same. */
const hash = (password: string) => hashSync(password, 4);

let dir: string;
let file: string;
let now: number;
const clock = { monotonic: () => now };
const opened: HtpasswdUsers[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-htpasswd-'));
  file = join(dir, 'users');
  now = 1_000;
});
afterEach(() => {
  for (const users of opened.splice(0)) users[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
});

function open(text: string, log: Logger = silentLog): HtpasswdUsers {
  writeFileSync(file, text);
  const users = new HtpasswdUsers(file, log, clock);
  opened.push(users);
  return users;
}

/** Replaces the file as an editor does, and lets the time pass after which it is looked at. */
function replace(text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
  now += 1_000;
}

describe('an htpasswd file', () => {
  it('has a user a line; comments and empty lines are passed over', () => {
    const ann = hash('a');
    const users = parseHtpasswd(`# staff\n\nann:${ann}\r\nbob:${ann.replace('$2b$', '$2y$')}\n`, 'users');
    assert.deepEqual([...users.keys()], ['ann', 'bob']);
    assert.equal(users.get('ann'), ann);
  });

  const refused: [string, RegExp][] = [
    ['ann:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', /^users, line 2: MD5 \(apr1\) instead of bcrypt/],
    ['ann:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=', /line 2: SHA-1 instead/],
    ['ann:$5$x$0123', /SHA-256 \(crypt\) instead/],
    ['ann:$6$x$0123', /SHA-512 \(crypt\) instead/],
    ['ann:$y$j9T$x', /yescrypt instead/],
    ['ann:$argon2id$v=19$x', /Argon2 instead/],
    ['ann:secret', /a plain password, or DES \(crypt\) instead/],
    ['ann:$2b$10$tooshort', /a damaged bcrypt hash instead/],
    ['ann:$2x$10$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcd', /an old, broken kind of bcrypt/],
    [`ann:$2b$31$${'.'.repeat(53)}`, /a bcrypt hash of cost 31; between 4 and 15/],
    ['ann', /"user:hash" is needed/],
    [`:${hash('a')}`, /"user:hash" is needed/],
  ];
  for (const [line, message] of refused) {
    it(`refuses by name and line: ${line.slice(0, 20)}`, () => {
      assert.throws(
        () => parseHtpasswd(`# first\n${line}\n`, 'users'),
        (thrown) => isKind(thrown, 'invalid') && message.test(String((thrown as Error).message)),
      );
    });
  }

  it('refuses a user who is there twice: which password would count?', () => {
    assert.throws(
      () => parseHtpasswd(`ann:${hash('a')}\nann:${hash('b')}\n`, 'users'),
      /line 2.*"ann" is there twice/,
    );
  });

  it('never shows a password or a hash in an error', () => {
    assert.throws(
      () => parseHtpasswd('ann:plain-secret\n', 'users'),
      (thrown) => !String((thrown as Error).message).includes('plain-secret'),
    );
  });

  it('must be there, and be a file', () => {
    assert.throws(() => new HtpasswdUsers(join(dir, 'none'), silentLog), /none can't be read/);
    assert.throws(() => new HtpasswdUsers(dir, silentLog), /no regular file/);
  });
});

describe('users', () => {
  it('are let in by their passwords only', async () => {
    const users = open(`ann:${hash('right')}\nbob:${hash('other').replace('$2b$', '$2y$')}\n`);
    assert.equal(await users.check('ann', 'right'), 'ann');
    assert.equal(await users.check('ann', 'wrong'), undefined);
    assert.equal(await users.check('ann', ''), undefined);
    assert.equal(await users.check('ann', 'other'), undefined);
    assert.equal(await users.check('bob', 'other'), 'bob');
    assert.equal(await users.check('eve', 'right'), undefined);
    assert.equal(await users.check('Ann', 'right'), undefined);
  });

  it('have passwords of any letters, up to a bound', async () => {
    const users = open(`ann:${hash('pä:ß wörd')}\n`);
    assert.equal(await users.check('ann', 'pä:ß wörd'), 'ann');
    assert.equal(await users.check('ann', 'x'.repeat(1 << 20)), undefined);
  });

  it('cost as much effort when unknown', async () => {
    const users = open(`ann:${hash('right')}\n`);
    // A hash is computed for both: the check is under way until the other thread has answered.
    const pending = [users.check('eve', 'guess'), users.check('ann', 'guess')];
    assert.equal(users.isUnderway('eve', 'guess'), true);
    assert.equal(users.isUnderway('ann', 'guess'), true);
    assert.deepEqual(await Promise.all(pending), [undefined, undefined]);
    assert.equal(users.isUnderway('eve', 'guess'), false);
  });

  it('who are not there do not come in even by what the decoy stands for', async () => {
    const users = open('');
    assert.equal(await users.check('eve', ''), undefined);
    assert.equal(await users.check('__proto__', 'x'), undefined);
    assert.equal(await users.check('constructor', 'x'), undefined);
  });
});

describe('passwords that were right', () => {
  it('are remembered for five minutes', async () => {
    const users = open(`ann:${hash('right')}\n`);
    assert.equal(users.isRemembered('ann', 'right'), false);
    await users.check('ann', 'right');
    assert.equal(users.isRemembered('ann', 'right'), true);
    now += 5 * 60_000 - 1;
    assert.equal(users.isRemembered('ann', 'right'), true);
    now += 1;
    assert.equal(users.isRemembered('ann', 'right'), false);
    assert.equal(await users.check('ann', 'right'), 'ann');
  });

  it('are remembered for this user and this password alone', async () => {
    const users = open(`ann:${hash('right')}\nbob:${hash('right')}\n`);
    await users.check('ann', 'right');
    await users.check('ann', 'wrong');
    assert.equal(users.isRemembered('bob', 'right'), false);
    assert.equal(users.isRemembered('ann', 'wrong'), false);
  });

  it('are not kept in clear', async () => {
    const users = open(`ann:${hash('a-secret-word')}\n`);
    await users.check('ann', 'a-secret-word');
    const { remembered } = users as unknown as { remembered: Map<string, number> };
    assert.equal(remembered.size, 1);
    assert.equal(JSON.stringify([...remembered]).includes('a-secret-word'), false);
  });

  it('are computed once when several requests bring them at the same time', async () => {
    const users = open(`ann:${hash('right')}\n`);
    const verifier = (users as unknown as { verifier: { verify(...args: string[]): Promise<boolean> } })
      .verifier;
    const verify = verifier.verify.bind(verifier);
    let computed = 0;
    verifier.verify = (...args) => {
      computed++;
      return verify(...args);
    };
    const found = await Promise.all(Array.from({ length: 8 }, () => users.check('ann', 'right')));
    assert.deepEqual(new Set(found), new Set(['ann']));
    assert.equal(computed, 1);
  });
});

describe('a file that changes', () => {
  it('is read again: new users come in, removed ones and old passwords no more', async () => {
    const users = open(`ann:${hash('old')}\nbob:${hash('bob')}\n`);
    assert.equal(await users.check('ann', 'old'), 'ann');
    assert.equal(await users.check('bob', 'bob'), 'bob');
    replace(`ann:${hash('new')}\ncat:${hash('cat')}\n`);
    assert.equal(await users.check('ann', 'old'), undefined);
    assert.equal(await users.check('ann', 'new'), 'ann');
    assert.equal(await users.check('bob', 'bob'), undefined);
    assert.equal(await users.check('cat', 'cat'), 'cat');
  });

  it('stays in force as it was when its new version is damaged or gone, and says so once', async () => {
    const errors: string[] = [];
    const log: Logger = { ...silentLog, error: (message) => void errors.push(message) };
    const users = open(`ann:${hash('old')}\n`, log);
    replace('ann:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=\n');
    assert.equal(await users.check('ann', 'old'), 'ann');
    now += 1_000;
    assert.equal(await users.check('ann', 'old'), 'ann');
    assert.equal(errors.length, 1);
    rmSync(file);
    now += 1_000;
    assert.equal(await users.check('ann', 'old'), 'ann');
    assert.equal(errors.length, 2);
    replace(`ann:${hash('new')}\n`);
    assert.equal(await users.check('ann', 'new'), 'ann');
  });

  it('that is gone lets nobody in after a minute, says why, and counts again when it is back', async () => {
    const errors: string[] = [];
    const log: Logger = { ...silentLog, error: (message) => void errors.push(message) };
    const text = `ann:${hash('ann')}\n`;
    const users = open(text, log);
    assert.equal(await users.check('ann', 'ann'), 'ann');
    renameSync(file, `${file}.away`);
    now += 1_000;
    assert.equal(await users.check('ann', 'ann'), 'ann');
    now += 59_000;
    assert.equal(await users.check('ann', 'ann'), 'ann');
    now += 1_000;
    for (let tries = 0; tries < 2; tries++) {
      assert.equal(await users.check('ann', 'ann'), undefined);
      assert.equal(users.entry('ann'), undefined, 'tokens end, too');
      now += 1_000;
    }
    assert.equal(errors.length, 2);
    assert.match(errors[1] ?? '', /nobody has rights/);
    renameSync(`${file}.away`, file);
    now += 1_000;
    assert.equal(await users.check('ann', 'ann'), 'ann');
  });

  it('that became something that can not be read ends likewise', async () => {
    const users = open(`ann:${hash('ann')}\n`);
    rmSync(file);
    mkdirSync(file);
    for (const [after, found] of [
      [1_000, 'ann'],
      [61_000, undefined],
    ] as const) {
      now += after;
      assert.equal(await users.check('ann', 'ann'), found);
    }
  });

  it('changes the entry by which tokens know the user', () => {
    const users = open(`ann:${hash('old')}\n`);
    const before = users.entry('ann');
    replace(`ann:${hash('old')}\n`);
    assert.notEqual(users.entry('ann'), before);
    assert.equal(users.entry('eve'), undefined);
  });
});
