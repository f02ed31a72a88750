import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAgainst } from './fake-engine.ts';

const HTTP = 'Get "https://reg.lab:5000/v2/": http: server gave HTTP response to HTTPS client';
const DENIED = 'denied: requested access to the resource is denied';

/** What stands on stderr when the engine refuses with this text, at once or within the stream of a push. */
async function refused(
  args: string[],
  message: string,
  {
    tty = true,
    streamed = false,
    env = {},
  }: { tty?: boolean; streamed?: boolean; env?: Record<string, string> } = {},
): Promise<string> {
  const answer = () =>
    streamed
      ? { text: `${JSON.stringify({ errorDetail: { message }, error: message })}\r\n` }
      : { status: 500, json: { message } };
  const { code, err } = await runAgainst(args, answer, env, { tty });
  assert.equal(code, 1);
  return err;
}

test('a registry that speaks plain HTTP: the option that allows it, on a terminal only', async () => {
  const plain = await refused(['pull', 'reg.lab:5000/x'], HTTP, { tty: false });
  assert.equal(plain, `Error response from daemon: ${HTTP}\n`);
  const shown = await refused(['pull', 'reg.lab:5000/x'], HTTP);
  assert.ok(shown.startsWith(plain), shown);
  assert.match(shown, /\nHint: .*"insecure-registries": \["reg\.lab:5000"\](.|\n)*kill -HUP(.|\n)*restart/);
});

test('a push that is denied to who is not logged in: how to log in', async () => {
  const push = (name: string, options: Parameters<typeof refused>[2] = {}) =>
    refused(['push', name], DENIED, { streamed: true, ...options });
  assert.match(
    await push('reg.lab:5000/x'),
    /denied\nHint: you are not logged in: wharf login reg\.lab:5000\n$/,
  );
  assert.match(await push('ann/x'), /denied\nHint: you are not logged in: wharf login\n$/);
  assert.doesNotMatch(await push('reg.lab:5000/x', { tty: false }), /Hint/);
});

test('who is logged in, or fails otherwise, gets no hint', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-cli-'));
  try {
    const auth = Buffer.from('ann:secret').toString('base64');
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ auths: { 'reg.lab:5000': { auth } } }));
    const env = { DOCKER_CONFIG: dir };
    assert.doesNotMatch(await refused(['push', 'reg.lab:5000/x'], DENIED, { streamed: true, env }), /Hint/);
    assert.match(
      await refused(['push', 'other.lab/x'], DENIED, { streamed: true, env }),
      /wharf login other\.lab\n/,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
  assert.doesNotMatch(await refused(['pull', 'reg.lab:5000/x'], 'unexpected EOF'), /Hint/);
});
