import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Where iperf3 listens, in the server's container. */
export const IPERF_PORT = 5201;

/** iperf3 as a server in a container's network namespace, for any number of clients. */
export class IperfServer implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Ready when it returns. `pid` is a process in the namespace. */
  static async start(pid: number): Promise<IperfServer> {
    const args = ['-t', String(pid), '-n', 'iperf3', '-s', '--forceflush', '-p', String(IPERF_PORT)];
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      said += chunk;
      if (said.includes('Server listening')) {
        child.stdout.resume();
        return new IperfServer(child);
      }
    }
    throw new Error(`iperf3 does not listen in the namespace of ${pid}: ${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

/** The parts of `iperf3 -J` that matter here. */
interface IperfReport {
  end: { sum_received?: { bits_per_second: number } };
  error?: string;
}

/**
 * Gigabits per second by TCP over some seconds, as the receiver counts, from the network namespace of a process; with the
 * host's congestion control where none is named.
 */
export async function iperf(
  target: { address: string; port: number },
  seconds: number,
  fromPid: number,
  congestion?: string,
): Promise<number> {
  const to = ['-c', target.address, '-p', String(target.port), '--connect-timeout', '3000'];
  const args = [
    '-t',
    String(fromPid),
    '-n',
    'iperf3',
    ...to,
    '-t',
    String(seconds),
    '-J',
    ...(congestion ? ['-C', congestion] : []),
  ];
  const { stdout } = await execute('nsenter', args, { maxBuffer: 1 << 24 });
  const { end, error } = JSON.parse(stdout) as IperfReport;
  if (error || !end.sum_received) throw new Error(`iperf3 to ${target.address}:${target.port}: ${error}`);
  return end.sum_received.bits_per_second / 1e9;
}
