import { once } from 'node:events';
import { type Hijacked, isConnectionLost } from '../client/index.ts';
import type { Terminal } from './command.ts';
import { DetachScanner } from './detach-keys.ts';
import { copied, demultiplexed, withHead } from './streams.ts';

/** How a session is carried. */
export interface SessionOptions {
  tty: boolean;
  /** Whether our input goes to the container. */
  input: boolean;
  /** Keys that end the session and leave the container running; used with a terminal only. */
  detachKeys: string;
}

/** How a session ended: the container closed it, or the user left. */
export type SessionEnd = 'closed' | 'detached';

/** Carries bytes between the terminal and a hijacked connection until either side ends it. */
export async function carry(
  hijacked: Hijacked,
  terminal: Terminal,
  options: SessionOptions,
): Promise<SessionEnd> {
  const { socket, head } = hijacked;
  const raw = options.tty && options.input && terminal.stdin.isTTY;
  const detached = Promise.withResolvers<SessionEnd>();
  const stop = options.input
    ? sendInput(hijacked, terminal, options, () => detached.resolve('detached'))
    : () => undefined;
  if (!options.input) socket.end();
  if (raw) terminal.stdin.setRawMode(true);
  try {
    const source = withHead(head, socket);
    const output = options.tty
      ? copied(source, terminal.stdout)
      : demultiplexed(source, terminal.stdout, terminal.stderr);
    const closed = output.catch(ignoreLoss).then((): SessionEnd => 'closed');
    return await Promise.race([closed, detached.promise]);
  } finally {
    stop();
    if (raw) terminal.stdin.setRawMode(false);
    socket.destroy();
  }
}

/** A connection that broke has ended, too; what became of the container is asked elsewhere. */
function ignoreLoss(thrown: unknown): void {
  if (!isConnectionLost(thrown)) throw thrown;
}

/** Sends what is typed or piped, and half-closes at its end. Gives what stops it. */
function sendInput(
  hijacked: Hijacked,
  terminal: Terminal,
  options: SessionOptions,
  onDetach: () => void,
): () => void {
  const { socket } = hijacked;
  const { stdin } = terminal;
  const scanner = options.tty ? new DetachScanner(options.detachKeys) : undefined;
  const onData = (chunk: Buffer) => {
    const passed = scanner ? scanner.push(chunk) : chunk;
    if (passed === undefined) return onDetach();
    if (passed.length > 0 && !socket.write(passed)) {
      stdin.pause();
      void once(socket, 'drain').then(
        () => stdin.resume(),
        () => undefined,
      );
    }
  };
  const onEnd = () => void socket.end();
  socket.on('error', () => undefined);
  stdin.on('data', onData);
  stdin.once('end', onEnd);
  stdin.once('error', onEnd);
  stdin.resume();
  return () => {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdin.off('error', onEnd);
    stdin.pause();
  };
}

/** Refuses a terminal session whose input is none. Throws Error with Docker's text. */
export function checkTty(terminal: Terminal, attachStdin: boolean, tty: boolean): void {
  if (tty && attachStdin && !terminal.stdin.isTTY) throw new Error('the input device is not a TTY');
}

/**
 * Asks for a size one row too large: with the right size that follows, a program that was there before us draws its
 * screen again.
 */
export async function provokeRedraw(terminal: Terminal, resize: Resize): Promise<void> {
  const { rows, columns } = terminal.stdout;
  if (rows && columns) await resize({ rows: rows + 1, columns }).catch(() => undefined);
}

type Resize = (size: { rows: number; columns: number }) => Promise<unknown>;

/** Tells the engine the terminal's size, now and at every change. Gives what stops it. */
export function followSize(terminal: Terminal, resize: Resize): () => void {
  const send = () => {
    const { rows, columns } = terminal.stdout;
    if (rows && columns) resize({ rows, columns }).catch(() => undefined);
  };
  send();
  terminal.stdout.on('resize', send);
  return () => void terminal.stdout.off('resize', send);
}

const PROXIED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
];

/** So many SIGINT and SIGTERM end the client itself, whatever the container makes of them. */
const PATIENCE = 3;

/** Hands the signals that reach us on to the container; the third that should end us does. Gives what stops it. */
export function proxySignals(
  terminal: Terminal,
  send: (signal: string) => Promise<unknown>,
  leave: (code: number) => void = process.exit,
): () => void {
  let asked = 0;
  const handlers = PROXIED.map((signal) => {
    const handler = () => {
      if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++asked === PATIENCE) {
        terminal.stderr.write(`\ngot ${PATIENCE} SIGTERM/SIGINTs, forcefully exiting\n`);
        return leave(1);
      }
      send(signal.replace(/^SIG/, '')).catch(() => undefined);
    };
    process.on(signal, handler);
    return () => void process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}
