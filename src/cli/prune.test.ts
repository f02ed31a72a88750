import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, runAgainst } from './fake-engine.ts';

const nothing: Answer = () => ({ json: {} });
const QUESTION = 'Are you sure you want to continue? [y/N] ';

test('every prune says what it would remove before it asks, and does nothing without a yes', async () => {
  const cases: [string, string][] = [
    ['container prune', 'WARNING! This will remove all stopped containers.\n'],
    ['network prune', 'WARNING! This will remove all custom networks not used by at least one container.\n'],
    ['image prune', 'WARNING! This will remove all dangling images.\n'],
    [
      'image prune -a',
      'WARNING! This will remove all images without at least one container associated to them.\n',
    ],
    [
      'volume prune',
      'WARNING! This will remove anonymous local volumes not used by at least one container.\n',
    ],
    ['volume prune -a', 'WARNING! This will remove all local volumes not used by at least one container.\n'],
    ['builder prune', 'WARNING! This will remove all dangling build cache. '],
    ['builder prune -a', 'WARNING! This will remove all build cache. '],
    [
      'system prune --filter label=x --filter label!=y',
      'WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n' +
        '  - all dangling images\n  - unused build cache\n\n' +
        '  Items to be pruned will be filtered with:\n  - label!=y\n  - label=x\n\n',
    ],
    [
      'system prune -a --volumes',
      'WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n' +
        '  - all anonymous volumes not used by at least one container\n' +
        '  - all images without at least one container associated to them\n  - all build cache\n\n',
    ],
  ];
  for (const [line, warning] of cases) {
    const { code, out, asked } = await runAgainst(line.split(' '), nothing, {}, { input: ['n\n'] });
    assert.deepEqual([code, out, asked], [0, warning + QUESTION, []], line);
  }
});

test('a yes, or force, does it; what went is listed, and the bytes are summed', async () => {
  const report: Answer = ({ url = '' }) => {
    if (url.startsWith('/containers'))
      return { json: { ContainersDeleted: ['c1', 'c2'], SpaceReclaimed: 10 } };
    if (url.startsWith('/networks')) return { json: { NetworksDeleted: ['n1'] } };
    if (url.startsWith('/volumes')) return { json: { VolumesDeleted: ['v1'], SpaceReclaimed: 20 } };
    if (url.startsWith('/images'))
      return { json: { ImagesDeleted: [{ Untagged: 'a:1' }, { Deleted: 'sha256:1' }], SpaceReclaimed: 30 } };
    return { json: { CachesDeleted: ['b1'], SpaceReclaimed: 40 } };
  };
  const all = await runAgainst(
    ['system', 'prune', '-a', '--volumes', '--filter', 'label=x'],
    report,
    {},
    {
      input: ['Y\n'],
    },
  );
  const filter = 'filters=%7B%22label%22%3A%7B%22x%22%3Atrue%7D%7D';
  assert.deepEqual(all.asked, [
    `POST /containers/prune?${filter}`,
    `POST /networks/prune?${filter}`,
    `POST /volumes/prune?${filter}`,
    'POST /images/prune?filters=%7B%22label%22%3A%7B%22x%22%3Atrue%7D%2C%22dangling%22%3A%7B%22false%22%3Atrue%7D%7D',
    `POST /build/prune?all=1&${filter}`,
  ]);
  assert.equal(
    all.out.slice(all.out.indexOf(QUESTION) + QUESTION.length),
    'Deleted Containers:\nc1\nc2\n\nDeleted Networks:\nn1\n\nDeleted Volumes:\nv1\n\n' +
      'Deleted Images:\nuntagged: a:1\ndeleted: sha256:1\n\nDeleted build cache objects:\nb1\n\n' +
      'Total reclaimed space: 100B\n',
  );
  assert.equal((await runAgainst(['network', 'prune', '-f'], report)).out, 'Deleted Networks:\nn1\n\n');
  const cache = await runAgainst(['builder', 'prune', '-af', '--keep-storage', '1g'], report);
  assert.deepEqual(cache.asked, ['POST /build/prune?all=1&keep-storage=1073741824']);
  const volumes = await runAgainst(['volume', 'prune', '-af'], report);
  assert.deepEqual(volumes.asked, ['POST /volumes/prune?filters=%7B%22all%22%3A%7B%22true%22%3Atrue%7D%7D']);
  assert.equal(volumes.out, 'Deleted Volumes:\nv1\n\nTotal reclaimed space: 20B\n');
});

test('filters that contradict are refused before anything is asked', async () => {
  const refused = async (...words: string[]) => {
    const { code, err, asked } = await runAgainst(words, nothing);
    assert.notEqual(code, 0);
    assert.deepEqual(asked, []);
    return err.split('\n', 1)[0];
  };
  assert.equal(
    await refused('system', 'prune', '-f', '--volumes', '--filter', 'until=1h'),
    'ERROR: The "until" filter is not supported with "--volumes"',
  );
  assert.equal(
    await refused('volume', 'prune', '-af', '--filter', 'all=1'),
    'conflicting options: cannot specify both --all and --filter all=1',
  );
  assert.equal(
    await refused('image', 'prune', '--filter', 'x'),
    'invalid argument "x" for "--filter" flag: bad format of filter (expected name=value)',
  );
});
