import { decodeExecCreate, decodeExecStart, terminalSide } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { StdioSession } from '../backend/index.ts';
import { streamContentType } from '../compat/index.ts';
import { readOptionalJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty, sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import { hijack } from '../streams/hijack.ts';
import { frame } from '../streams/stdio-frames.ts';
import { pumpSession } from '../streams/stdio-pump.ts';

/** Execs. */
export const execRoutes: readonly Route[] = [
  { method: 'POST', path: '/containers/{id}/exec', handler: create },
  { method: 'POST', path: '/exec/{id}/start', handler: start, hijacks: 'tcp' },
  { method: 'POST', path: '/exec/{id}/resize', handler: resize },
  { method: 'GET', path: '/exec/{id}/json', handler: inspect },
];

async function create(call: Call): Promise<void> {
  const request = decodeExecCreate(await readOptionalJsonText(call));
  if (call.version < 42) delete request.ConsoleSize;
  const { id } = await call.backends.execs.create(call.param('id'), request);
  sendJson(call, 201, { Id: id });
}

async function start(call: Call): Promise<void> {
  const request = decodeExecStart(await readOptionalJsonText(call));
  const { execs } = call.backends;
  const id = call.param('id');
  const tty = request.Tty ?? false;
  const [height = 0, width = 0] = request.ConsoleSize ?? [];
  const consoleSize = call.version >= 42 && height > 0 && width > 0 ? { height, width } : undefined;
  if (request.Detach) {
    await execs.start(id, { detach: true, tty, consoleSize }, call.signal);
    sendEmpty(call, 200);
    return;
  }
  let session: StdioSession | undefined;
  try {
    session = await execs.start(id, { detach: false, tty, consoleSize }, call.signal);
  } catch (thrown) {
    answerFailedStart(call, thrown, tty);
    return;
  }
  const contentType = streamContentType(call.version, call.upgrade !== undefined && !tty);
  const connection = hijack(call, contentType);
  if (session) await pumpSession(connection, session, !session.tty);
  else connection.end();
}

/** An exec that exists and cannot start says why on its output, since clients have been promised a stream. */
function answerFailedStart(call: Call, thrown: unknown, tty: boolean): void {
  const error = WharfError.from(thrown);
  const unknownExec = error.kind === 'not-found' && error.message.startsWith('No such exec instance');
  if (unknownExec || error.kind === 'cancelled' || !(thrown instanceof WharfError)) throw thrown;
  const contentType = streamContentType(call.version, call.upgrade !== undefined && !tty);
  const connection = hijack(call, contentType);
  const line = Buffer.from(`${error.message}\r\n`);
  for (const piece of tty ? [line] : frame('stdout', line)) connection.write(piece);
  connection.end(() => connection.destroy());
  connection.on('error', () => undefined).resume();
}

async function resize(call: Call): Promise<void> {
  await call.backends.execs.resize(call.param('id'), {
    height: terminalSide(call.query.get('h'), 'height'),
    width: terminalSide(call.query.get('w'), 'width'),
  });
  sendEmpty(call, 200);
}

async function inspect(call: Call): Promise<void> {
  sendJson(call, 200, await call.backends.execs.inspect(call.param('id')));
}
