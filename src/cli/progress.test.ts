import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgressMessage } from '../client/index.ts';
import { showProgress } from './progress.ts';

async function show(
  messages: readonly ProgressMessage[],
  screen: { isTTY?: boolean; columns?: number } = {},
): Promise<{ text: string; aside: Record<string, unknown>[] }> {
  let text = '';
  async function* source() {
    for (const message of messages) yield Buffer.from(`${JSON.stringify(message)}\r\n`);
  }
  const output = {
    write: (part: string) => {
      text += part;
    },
    ...screen,
  };
  const aside = await showProgress(source(), output);
  return { text, aside };
}

const layer = (id: string, status: string, current?: number, total?: number): ProgressMessage => ({
  status,
  id,
  progressDetail: {
    ...(current === undefined ? {} : { current }),
    ...(total === undefined ? {} : { total }),
  },
});

const PULL = [
  { status: 'Pulling from library/x', id: '1' },
  layer('aaa', 'Pulling fs layer'),
  layer('bbb', 'Pulling fs layer'),
  layer('aaa', 'Downloading', 33_333, 100_000),
  layer('bbb', 'Downloading', 5000),
  layer('aaa', 'Download complete'),
  { status: 'Digest: sha256:0' },
];

/** One redrawn line: up to its place, the line, and down again. */
const drawn = (up: number, line: string) => `\u001b[${up}A\u001b[2K\r${line}\r\u001b[${up}B`;

test('without a terminal each change is a line, and amounts are none', async () => {
  const { text } = await show(PULL);
  assert.equal(
    text,
    '1: Pulling from library/x\naaa: Pulling fs layer\nbbb: Pulling fs layer\naaa: Download complete\nDigest: sha256:0\n',
  );
});

test('on a terminal each layer has a line that is redrawn in its place', async () => {
  const { text } = await show(PULL, { isTTY: true, columns: 80 });
  assert.equal(
    text,
    `1: Pulling from library/x\n\n${drawn(1, 'aaa: Pulling fs layer ')}\n${drawn(1, 'bbb: Pulling fs layer ')}${drawn(
      2,
      'aaa: Downloading  33.33kB/100kB',
    )}${drawn(1, 'bbb: Downloading      5kB')}${drawn(2, 'aaa: Download complete ')}Digest: sha256:0\n`,
  );
});

test('a wide terminal shows a bar, and a total that was passed is left out', async () => {
  const wide = { isTTY: true, columns: 120 };
  const bar = (done: number) => `[${'='.repeat(done)}>${' '.repeat(50 - done)}] `;
  const { text } = await show([layer('aaa', 'Downloading', 33_333, 100_000)], wide);
  assert.equal(text, `\n${drawn(1, `aaa: Downloading ${bar(16)} 33.33kB/100kB`)}`);
  const over = await show([layer('aaa', 'Downloading', 200_000, 100_000)], wide);
  assert.equal(over.text, `\n${drawn(1, `aaa: Downloading ${bar(50)}   200kB`)}`);
});

test('amounts in units, and bars without amounts', async () => {
  const narrow = { isTTY: true, columns: 80 };
  const of = (detail: ProgressMessage['progressDetail']) =>
    show([{ id: 'a', status: 'X', progressDetail: detail ?? {} }], narrow);
  assert.equal((await of({ current: 5, units: 's' })).text, `\n${drawn(1, 'a: X 5 s')}`);
  assert.equal((await of({ current: 5, total: 10, units: 's' })).text, `\n${drawn(1, 'a: X 5/10 s')}`);
  assert.equal((await of({ current: 5, total: 10, hidecounts: true })).text, `\n${drawn(1, 'a: X ')}`);
});

test('a line without progress ends the block: layers after it begin below', async () => {
  const { text } = await show([layer('a', 'X'), { status: 'said' }, layer('a', 'Y')], { isTTY: true });
  assert.equal(text, `\n${drawn(1, 'a: X ')}said\n\n${drawn(1, 'a: Y ')}`);
});

test('what is sent aside is given, not shown, and an error ends it in its own words', async () => {
  const { text, aside } = await show([{ status: 'x' }, { aux: { Tag: '1' }, progressDetail: {} }]);
  assert.deepEqual([text, aside], ['x\n', [{ Tag: '1' }]]);
  await assert.rejects(show([{ error: 'it broke', errorDetail: { message: 'it broke' } }]), {
    message: 'it broke',
  });
});

test('text of a registry cannot steer the terminal', async () => {
  const evil = 'evil\u001b]0;title\u0007\u001b[2J\r';
  for (const screen of [{}, { isTTY: true, columns: 80 }]) {
    const { text } = await show([{ status: evil }, { id: evil, status: evil }], screen);
    assert.equal(text, 'evil]0;title[2J\nevil]0;title[2J: evil]0;title[2J\n');
  }
  const { text } = await show([{ id: 'a', status: 'X', progressDetail: { current: 1, units: evil } }], {
    isTTY: true,
  });
  assert.equal(text, `\n${drawn(1, 'a: X 1 evil]0;title[2J')}`);
});
