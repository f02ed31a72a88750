import { errnoCode, WharfError } from '../../base/index.ts';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EPROTOTYPE: 'protocol wrong type for socket',
  ENOTSOCK: 'socket operation on non-socket',
};

/** Why a server was not reached, in the words in which the reference engine tells it. */
export function dialFailure(
  network: 'tcp' | 'tls' | 'udp' | 'unix' | 'unixgram',
  { host, port, path }: { host: string; port: number; path: string },
  thrown: unknown,
): WharfError {
  const name = network === 'tls' ? 'tcp' : network;
  const { address, message = '' } = thrown as { address?: string; message?: string };
  const ip = address ?? host;
  const place = path || `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
  const code = causeCode(thrown);
  const told = (text: string) => new WharfError('unavailable', text, { cause: thrown });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return told(`dial ${name}: lookup ${host}: no such host`);
  if (code === 'ETIMEDOUT') return told(`dial ${name} ${place}: i/o timeout`);
  const reason = code === undefined ? undefined : REASONS[code];
  return told(
    reason ? `dial ${name} ${place}: connect: ${reason}` : message || `dial ${name} ${place}: ${code}`,
  );
}

/** Several addresses of one name fail together: the first one's reason tells. */
function causeCode(thrown: unknown): string | undefined {
  const { code, errors, cause } = thrown as { code?: string; errors?: unknown[]; cause?: unknown };
  return code ?? (errors ? errnoCode(errors[0]) : errnoCode(cause));
}
