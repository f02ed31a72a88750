import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind, type Logger, silentLog } from '../../base/index.ts';
import { FilePolicy, OPEN_POLICY, parseAccessFile, USERS_POLICY } from './policy.ts';
import type { Action } from './types.ts';

let dir: string;
let file: string;
let now: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-policy-'));
  file = join(dir, 'access.json');
  now = 0;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function policyOf(document: unknown, log: Logger = silentLog): FilePolicy {
  writeFileSync(file, JSON.stringify(document));
  return new FilePolicy(file, log, { monotonic: () => now });
}

function replace(text: string): void {
  rmSync(file);
  writeFileSync(file, text);
  now += 1_000;
}

/** `ann: pull push`: what of the three a user may do. */
const rights = (policy: FilePolicy, user: string | undefined, repository: string) =>
  (['pull', 'push', 'delete'] as Action[])
    .filter((action) => policy.allows(user, action, repository))
    .join(' ');

const LAB = {
  groups: { staff: ['ann', 'bob'] },
  rules: [
    { repositories: 'lab/secret/**', pull: ['ann'] },
    { repositories: 'lab/**', public: true, push: ['@staff'], delete: ['ann'] },
    { repositories: ['ci/*', 'nightly'], pull: ['*'], create: ['robot'] },
  ],
};

describe('rights', () => {
  it('are those of the first rule that matches, alone', () => {
    const policy = policyOf(LAB);
    assert.equal(rights(policy, 'ann', 'lab/tools'), 'pull push delete');
    assert.equal(rights(policy, 'bob', 'lab/tools'), 'pull push');
    assert.equal(rights(policy, 'cat', 'lab/tools'), 'pull');
    assert.equal(rights(policy, undefined, 'lab/tools/deep'), 'pull');
    assert.equal(rights(policy, 'ann', 'lab/secret/key'), 'pull');
    assert.equal(rights(policy, 'bob', 'lab/secret/key'), '');
    assert.equal(rights(policy, undefined, 'lab/secret/key'), '');
  });

  it('are nobody’s where no rule matches', () => {
    const policy = policyOf(LAB);
    for (const user of ['ann', 'robot', undefined]) {
      for (const repository of ['other', 'lab', 'labs/x', 'ci', 'ci/a/b', 'xnightly', 'nightly/x'])
        assert.equal(rights(policy, user, repository), '', `${user} ${repository}`);
    }
  });

  it('of everyone who is logged in are not those of nobody', () => {
    const policy = policyOf(LAB);
    assert.equal(rights(policy, 'anybody', 'nightly'), 'pull');
    assert.equal(rights(policy, undefined, 'nightly'), '');
    const open = policyOf({ rules: [{ repositories: '**', push: ['*'], delete: ['*'] }] });
    assert.equal(rights(open, undefined, 'a/b'), '');
    assert.equal(rights(open, 'x', 'a/b'), 'pull push delete');
  });

  it('to create let a user push, but never move a tag that is there', () => {
    const policy = policyOf(LAB);
    assert.equal(rights(policy, 'robot', 'nightly'), 'pull push');
    assert.equal(policy.allowsOverwrite('robot', 'nightly'), false);
    assert.equal(policy.allowsOverwrite('ann', 'lab/tools'), true);
    assert.equal(policy.allowsOverwrite('cat', 'lab/tools'), false);
    assert.equal(policy.allowsOverwrite('ann', 'nowhere'), false);
  });

  it('are not given to a user by a name that means something else', () => {
    const policy = policyOf({ rules: [{ repositories: 'a', push: ['ann'] }] });
    for (const user of ['', '@staff', '*', 'Ann', 'ann ', '__proto__', 'has'])
      assert.equal(rights(policy, user, 'a'), '', user);
  });

  it('match dots and stars as themselves', () => {
    const policy = policyOf({ rules: [{ repositories: ['a.b', 'x-*/y', 'p/**/q'], push: ['*'] }] });
    assert.equal(rights(policy, 'u', 'a.b'), 'pull push');
    assert.equal(rights(policy, 'u', 'aXb'), '');
    assert.equal(rights(policy, 'u', 'x-1/y'), 'pull push');
    assert.equal(rights(policy, 'u', 'x-1/z/y'), '');
    assert.equal(rights(policy, 'u', 'p/1/2/q'), 'pull push');
    assert.equal(rights(policy, 'u', 'p/q'), '');
  });

  it('to the catalogue are of everyone who is logged in, unless the file names others', () => {
    const all = policyOf(LAB);
    assert.equal(all.allowsCatalog('cat'), true);
    assert.equal(all.allowsCatalog(undefined), false);
    const some = policyOf({ ...LAB, catalog: ['@staff'] });
    assert.equal(some.allowsCatalog('bob'), true);
    assert.equal(some.allowsCatalog('cat'), false);
    const none = policyOf({ ...LAB, catalog: [] });
    assert.equal(none.allowsCatalog('ann'), false);
  });
});

describe('without an access file', () => {
  it('a registry without users is open, and one with users closed to nobody', () => {
    assert.equal(OPEN_POLICY.allows(undefined, 'delete', 'a'), true);
    assert.equal(OPEN_POLICY.allowsOverwrite(undefined, 'a'), true);
    assert.equal(OPEN_POLICY.allowsCatalog(undefined), true);
    for (const action of ['pull', 'push', 'delete'] as Action[]) {
      assert.equal(USERS_POLICY.allows('ann', action, 'a'), true);
      assert.equal(USERS_POLICY.allows(undefined, action, 'a'), false);
    }
    assert.equal(USERS_POLICY.allowsOverwrite('ann', 'a'), true);
    assert.equal(USERS_POLICY.allowsOverwrite(undefined, 'a'), false);
    assert.equal(USERS_POLICY.allowsCatalog('ann'), true);
    assert.equal(USERS_POLICY.allowsCatalog(undefined), false);
  });
});

describe('an access file that is wrong', () => {
  const wrong: [string, string, RegExp][] = [
    ['a comma too many', '{\n "rules": [\n  {},\n ]\n}', /^access\.json, line 4: not JSON/],
    ['an end too early', '{\n "rules": [', /^access\.json, line 2: not JSON/],
    ['a list', '[]', /"the file" takes an object/],
    ['an unknown field', '{"rule": []}', /"the file" has no field "rule"; it knows groups, rules, catalog/],
    ['rules that are none', '{"rules": {}}', /"rules" takes a list of rules/],
    [
      'an unknown right',
      '{"rules": [{"repositories": "a"}, {"repositories": "a", "write": []}]}',
      /"rules\[1\]" has no field "write"/,
    ],
    [
      'no repositories',
      '{"rules": [{"push": ["ann"]}]}',
      /"rules\[0\]\.repositories" takes a list of strings/,
    ],
    [
      'a user instead of users',
      '{"rules": [{"repositories": "a", "push": "ann"}]}',
      /"rules\[0\]\.push" takes a list/,
    ],
    ['an empty name', '{"rules": [{"repositories": "a", "push": [""]}]}', /"rules\[0\]\.push" takes a list/],
    [
      'a number',
      '{"rules": [{"repositories": "a", "public": 1}]}',
      /"rules\[0\]\.public" takes true or false/,
    ],
    [
      'a group that is not there',
      '{"rules": [{"repositories": "a", "pull": ["@x"]}]}',
      /"rules\[0\]\.pull" names the group "x"/,
    ],
    ['a group in a group', '{"groups": {"a": ["@b"]}}', /"groups\.a" takes names of users, not "@b"/],
    ['everyone in a group', '{"groups": {"a": ["*"]}}', /"groups\.a" takes names of users/],
    ['a pattern with capitals', '{"rules": [{"repositories": "Lab/*"}]}', /"Lab\/\*" is none/],
    ['a pattern that climbs', '{"rules": [{"repositories": "/lab"}]}', /"\/lab" is none/],
    ['stars within a name', '{"rules": [{"repositories": "lab**"}]}', /"lab\*\*" is none/],
  ];
  for (const [what, text, message] of wrong) {
    it(`is refused with its place: ${what}`, () => {
      assert.throws(
        () => parseAccessFile(text, 'access.json'),
        (thrown) => isKind(thrown, 'invalid') && message.test((thrown as Error).message),
      );
    });
  }

  it('leaves the rights as they were when it comes later', () => {
    const errors: unknown[] = [];
    const policy = policyOf(LAB, { ...silentLog, error: (_message, fields) => void errors.push(fields) });
    replace('{"rules": [{"repositories": "**", "public": true, "pusch": ["*"]}]}');
    assert.equal(rights(policy, undefined, 'lab/secret/key'), '');
    assert.equal(rights(policy, 'bob', 'lab/tools'), 'pull push');
    assert.equal(errors.length, 1);
  });
});

describe('an access file that changes', () => {
  it('gives no rights to anybody when it has been gone for a minute', () => {
    const policy = policyOf(LAB);
    rmSync(file);
    now += 1_000;
    assert.equal(rights(policy, 'ann', 'lab/tools'), 'pull push delete');
    now += 61_000;
    assert.equal(rights(policy, 'ann', 'lab/tools'), '');
    assert.equal(rights(policy, undefined, 'lab/tools'), '');
    assert.equal(policy.allowsCatalog('ann'), false);
    writeFileSync(file, JSON.stringify(LAB));
    now += 1_000;
    assert.equal(rights(policy, 'ann', 'lab/tools'), 'pull push delete');
  });

  it('replaces every set: what it does not say any more is not kept', () => {
    const policy = policyOf(LAB);
    assert.equal(rights(policy, 'bob', 'lab/tools'), 'pull push');
    replace(JSON.stringify({ ...LAB, groups: { staff: ['ann'] } }));
    assert.equal(rights(policy, 'bob', 'lab/tools'), 'pull');
    replace(JSON.stringify({ rules: [{ repositories: 'lab/**', delete: ['cat'] }] }));
    assert.equal(rights(policy, 'ann', 'lab/tools'), '');
    assert.equal(rights(policy, undefined, 'lab/tools'), '');
    assert.equal(rights(policy, 'cat', 'lab/tools'), 'delete');
    assert.equal(rights(policy, 'robot', 'nightly'), '');
  });
});
