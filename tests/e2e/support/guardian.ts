import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { DaemonNames } from './leftovers.ts';

/** Something outside of the test's process, that would outlive it. */
export type Guarded =
  | { kind: 'daemon'; names: DaemonNames; temporary: string }
  | { kind: 'filesystem'; root: string; folder: string }
  | { kind: 'netns'; name: string };

/** What the guardian is told: something is there, or it is no more. */
export interface GuardMessage {
  id: number;
  guarded?: Guarded;
}

let guardian: ChildProcess | undefined;
let last = 0;

/**
 * Has something taken away by another process when this one ends, however it ends: of a test that is killed nothing else can.
 * Returns what is called once it was taken away in order.
 */
export function guard(guarded: Guarded): () => void {
  const id = ++last;
  tell({ id, guarded });
  return () => tell({ id });
}

function tell(message: GuardMessage): void {
  guardian ??= startGuardian();
  guardian.stdin?.write(`${JSON.stringify(message)}\n`);
}

/** In a session of its own, so that Ctrl-C does not reach it. It learns of the end of this process by the end of its input. */
function startGuardian(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'guardian-process.ts')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  const input = child.stdin as Socket;
  input.unref();
  input.on('error', () => undefined);
  return child;
}
