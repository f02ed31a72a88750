import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Kills a process at the `count`-th call of `syscall` that its main thread makes from now on: strace(1) delivers SIGKILL
 * before the call is done. Resolves once it is watched; `off` ends the watch if the process lives on.
 */
export async function killAt(pid: number, syscall: string, count: number): Promise<{ off(): Promise<void> }> {
  const watch = ['-e', `trace=${syscall}`, '-e', `inject=${syscall}:signal=SIGKILL:when=${count}`];
  const tracer = spawn('strace', ['-p', String(pid), '-o', '/dev/null', ...watch], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(tracer, 'exit');
  let said = '';
  const attached = new Promise<void>((resolve, reject) => {
    tracer.on('error', reject);
    tracer.on('exit', (code) => reject(new Error(`strace ended with ${code}: ${said}`)));
    tracer.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      if (/attached/.test(said)) resolve();
    });
  });
  await attached;
  return {
    async off() {
      tracer.kill('SIGINT');
      await ended;
    },
  };
}
