import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What dnsperf found. */
export interface DnsFindings {
  queriesPerSecond: number;
  /** Milliseconds below which 99 of 100 answers came; only known of a run that tells each answer. */
  p99: number;
}

/**
 * Questions for names over some seconds, from the namespace of a process to the embedded server, 100 on their way at most.
 * With `rate` no more than so many a second are asked, and the time of each answer is kept. Fails when answers are lost or
 * are not NOERROR.
 */
export async function dnsperf(
  pid: number,
  questionsFile: string,
  seconds: number,
  rate?: number,
): Promise<DnsFindings> {
  const load = rate === undefined ? [] : ['-Q', String(rate), '-v'];
  const args = ['-t', String(pid), '-n', 'dnsperf', '-s', '127.0.0.11', '-d', questionsFile];
  const { stdout } = await execute('nsenter', [...args, '-l', String(seconds), ...load], {
    maxBuffer: 1 << 28,
  });
  const read = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1]);
  const [completed, lost] = [read(/Queries completed:\s+(\d+)/), read(/Queries lost:\s+(\d+)/)];
  const good = read(/NOERROR (\d+)/);
  if (!(completed > 0) || good !== completed || lost > completed / 1000)
    throw new Error(
      `dnsperf: of ${completed} answers ${good} were good, and ${lost} lost\n${stdout.slice(-800)}`,
    );
  const times = [...stdout.matchAll(/^> NOERROR .* (\d+\.\d+)$/gm)].map(([, time]) => Number(time) * 1000);
  times.sort((one, other) => one - other);
  return {
    queriesPerSecond: read(/Queries per second:\s+([\d.]+)/),
    p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN,
  };
}
