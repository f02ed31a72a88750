import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAgainst, type Screen } from './fake-engine.ts';

const digest = (char: string) => `sha256:${char.repeat(64)}`;

const manifest = (
  id: string,
  variant: string,
  facts: { available?: boolean; used?: boolean; kind?: string } = {},
) => ({
  ID: digest(id),
  Available: facts.available ?? true,
  Kind: facts.kind ?? 'image',
  Size: facts.available === false ? { Total: 0, Content: 0 } : { Total: 3_000_000, Content: 1_000_000 },
  ImageData: {
    Platform: { os: 'linux', architecture: 'arm64', ...(variant ? { variant } : {}) },
    Containers: facts.used ? ['c'] : [],
  },
});

const image = (id: string, created: number, tags: string[], more: object = {}) => ({
  Id: digest(id),
  Created: created,
  RepoTags: tags,
  RepoDigests: [],
  Size: 5_000_000,
  SharedSize: -1,
  Containers: 0,
  Labels: null,
  ...more,
});

const IMAGES = [
  image('1', 1, ['multi:1', 'longer/multi:2'], {
    Manifests: [
      manifest('a', '', { used: true }),
      manifest('b', 'v8', { available: false }),
      manifest('c', '', { kind: 'attestation' }),
    ],
  }),
  image('3', 2, [], { RepoDigests: [`gone@${digest('3')}`] }),
  image('4', 4, []),
  image('5', 3, ['127.0.0.1:5000/a/name/that/is/long/enough:to-be-cut'], { Containers: 1 }),
];

const tree = (args: string[] = [], images: object[] = IMAGES, screen: Screen = {}) =>
  runAgainst(['images', '--tree', ...args], () => ({ json: images }), {}, screen);

describe('images --tree', () => {
  it('shows each image with its platforms, the newest first', async () => {
    const { out, asked } = await tree();
    assert.deepEqual(asked, ['GET /images/json?manifests=1']);
    const header =
      '\u001b[39m\u001b[1mIMAGE\u001b[0m                           \u001b[39m\u001b[1mID\u001b[0m             \u001b[39m\u001b[1mDISK USAGE\u001b[0m   \u001b[39m\u001b[1mCONTENT SIZE\u001b[0m   \u001b[39m\u001b[1mEXTRA\u001b[0m';
    assert.deepEqual(out.split('\n'), [
      "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.",
      `${' '.repeat(62)}Info ->  U In Use `,
      '',
      header,
      '127.0.0.1:5000/a/name/that/i…   555555555555          5MB             0B   U    ',
      '',
      '<untagged>                      333333333333          5MB             0B        ',
      '',
      'longer/multi:2',
      'multi:1                         111111111111          5MB            1MB   U    ',
      '├─ linux/arm64                  aaaaaaaaaaaa          3MB            1MB   U    ',
      '└─ linux/arm64/v8               bbbbbbbbbbbb           0B             0B        ',
      '',
      '',
    ]);
  });

  it('makes the first column narrow, and leaves no gaps where no image has platforms', async () => {
    const { out } = await tree([], [image('1', 2, ['a:1']), image('2', 1, ['b:1'])]);
    assert.deepEqual(out.split('\n').slice(4), [
      'a:1     111111111111          5MB             0B        ',
      'b:1     222222222222          5MB             0B        ',
      '',
    ]);
  });

  it('colours a terminal, and drops columns for which there is no room', async () => {
    const { out } = await tree([], IMAGES, { tty: true, columns: 60 });
    assert.doesNotMatch(out, /EXTRA/);
    assert.match(out, /\u001b\[34m\u001b\[1m127\.0\.0\.1:5000\/a…\u001b\[0m {3}\u001b\[39m555555555555/);
    assert.match(out, /\u001b\[39m\u001b\[2m└─ linux\/arm64\/v8\u001b\[0m/);
    const wide = await tree([], IMAGES, { tty: true, columns: 200 });
    assert.match(wide.out, /\u001b\[38;5;0m\u001b\[48;5;14m U \u001b\[0m {2}\n/);
  });

  it('shows images without a name with --all, and refuses what does not go with it', async () => {
    assert.equal((await tree(['-a'])).out.match(/<untagged>/g)?.length, 2);
    const refused: [string, string][] = [
      ['-q', 'quiet'],
      ['--no-trunc', 'no-trunc'],
      ['--digests', 'show-digest'],
      ['--format=json', 'format'],
    ];
    for (const [flag, word] of refused)
      assert.equal((await tree([flag])).err, `--${word} is not yet supported with --tree\n`);
  });

  it('lets no name steer the terminal', async () => {
    const { out } = await tree([], [image('1', 1, ['evil\u001b[2J\n:1'])]);
    assert.match(out, /^evil\[2J:1 /m);
  });
});

describe('images', () => {
  const list = (...args: string[]) =>
    runAgainst(['images', ...args], () => ({
      json: [
        image('1', -62_135_596_800, ['a/x:1', 'a/x:2', 'b:1'], {
          RepoDigests: [`a/x@${digest('e')}`, `a/x@${digest('f')}`, `c@${digest('d')}`],
        }),
      ],
    }));
  const names = (text: string) => text.split('\n').slice(0, -1);

  it('shows each tag once, and with digests once for each', async () => {
    assert.deepEqual(names((await list('--format', '{{.Repository}}:{{.Tag}}')).out), [
      'a/x:1',
      'a/x:2',
      'b:1',
      'c:<none>',
    ]);
    const format = '{{.Repository}}:{{.Tag}} {{.Digest}}';
    const ef = (name: string) => ['e', 'f'].map((char) => `${name} ${digest(char)}`);
    assert.deepEqual(names((await list('--digests', '--format', format)).out), [
      ...ef('a/x:1'),
      ...ef('a/x:2'),
      'b:1 <none>',
      `c:<none> ${digest('d')}`,
    ]);
  });

  it('an image without a date is of no age', async () => {
    assert.match((await list()).out, /^a\/x +1 +111111111111 +N\/A +5MB$/m);
    assert.equal((await list('--format', '[{{.CreatedSince}}]')).out.split('\n')[0], '[]');
    assert.match((await list('--format', '{{.CreatedAt}}')).out, /^0001-01-01 00:00:00/);
  });
});
