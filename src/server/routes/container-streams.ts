import { boolValue, boolValueOr, timestamp } from '../../api/index.ts';
import { abortable, WharfError } from '../../base/index.ts';
import type { AttachInput, WaitCondition } from '../backend/index.ts';
import { streamContentType } from '../compat/index.ts';
import type { Call } from '../http/call.ts';
import { sendJson, startStream } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import { drained } from '../streams/drain.ts';
import { hijack } from '../streams/hijack.ts';
import { sendLines } from '../streams/json-lines.ts';
import { pumpSession } from '../streams/stdio-pump.ts';
import { pumpWebSocket } from '../streams/websocket-attach.ts';

/** What streams out of a container, or waits for it. */
export const containerStreamRoutes: readonly Route[] = [
  { method: 'POST', path: '/containers/{id}/attach', handler: attach, hijacks: 'tcp' },
  { method: 'GET', path: '/containers/{id}/attach/ws', handler: attachWebSocket, hijacks: 'websocket' },
  { method: 'GET', path: '/containers/{id}/logs', handler: logs },
  { method: 'GET', path: '/containers/{id}/stats', handler: stats },
  { method: 'POST', path: '/containers/{id}/wait', handler: wait },
];

function attachInput(call: Call): AttachInput {
  const { query } = call;
  return {
    stdin: boolValue(query.get('stdin')),
    stdout: boolValue(query.get('stdout')),
    stderr: boolValue(query.get('stderr')),
    stream: boolValue(query.get('stream')),
    logs: boolValue(query.get('logs')),
    detachKeys: query.get('detachKeys') || undefined,
  };
}

async function attach(call: Call): Promise<void> {
  const session = await call.backends.containers.attach(call.param('id'), attachInput(call), call.signal);
  const multiplexed = call.upgrade !== undefined && !session.tty;
  const connection = hijack(call, streamContentType(call.version, multiplexed));
  await pumpSession(connection, session, !session.tty);
}

async function attachWebSocket(call: Call): Promise<void> {
  const input = attachInput(call);
  await pumpWebSocket(call, await call.backends.containers.attach(call.param('id'), input, call.signal));
}

async function logs(call: Call): Promise<void> {
  const { query, response, signal } = call;
  const stdout = boolValue(query.get('stdout'));
  const stderr = boolValue(query.get('stderr'));
  if (!stdout && !stderr)
    throw new WharfError('invalid', 'Bad parameters: you must choose at least one stream');
  const tail = query.get('tail');
  const { tty, output } = await call.backends.containers.logs(
    call.param('id'),
    {
      stdout,
      stderr,
      follow: boolValue(query.get('follow')),
      since: timestamp(query.get('since')),
      until: timestamp(query.get('until')),
      // Anything but a number means all, as in the reference.
      tail: tail !== null && /^\d{1,15}$/.test(tail) ? Number(tail) : undefined,
      timestamps: boolValue(query.get('timestamps')),
      details: boolValue(query.get('details')),
    },
    signal,
  );
  startStream(call, streamContentType(call.version, !tty));
  try {
    for await (const bytes of output) {
      if (signal.aborted) return;
      if (!response.write(bytes)) await drained(response);
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return;
  }
  response.end();
}

async function stats(call: Call): Promise<void> {
  const stream = boolValueOr(call.query.get('stream'), true);
  const oneShot = call.version >= 41 && boolValue(call.query.get('one-shot'));
  if (stream && oneShot) {
    throw new WharfError('invalid', 'cannot have stream=true and one-shot=true');
  }
  const samples = await call.backends.containers.stats(call.param('id'), { stream, oneShot }, call.signal);
  if (stream) {
    await sendLines(call, samples);
    return;
  }
  for await (const sample of samples) {
    sendJson(call, 200, sample);
    return;
  }
}

const CONDITIONS: ReadonlySet<string> = new Set(['not-running', 'next-exit', 'removed']);

async function wait(call: Call): Promise<void> {
  // Conditions came with API 1.30, and with them the early head.
  const early = call.version >= 30;
  const condition = (early && call.query.get('condition')) || 'not-running';
  if (!CONDITIONS.has(condition)) {
    throw new WharfError('invalid', `invalid condition: ${JSON.stringify(condition)}`);
  }
  const { done } = await call.backends.containers.wait(
    call.param('id'),
    condition as WaitCondition,
    call.signal,
  );
  if (early) startStream(call, 'application/json');
  const { exitCode, error } = await abortable(done, call.signal);
  const answer = error === undefined ? {} : { Error: { Message: error } };
  if (early) call.response.end(`${JSON.stringify({ StatusCode: exitCode, ...answer })}\n`);
  else sendJson(call, 200, { StatusCode: exitCode, ...answer });
}
