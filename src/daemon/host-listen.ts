import { readFileSync } from 'node:fs';
import { type Logger, WharfError } from '../base/index.ts';
import type { ListenTarget, TlsOptions } from '../server/index.ts';
import type { Settings, TlsFiles } from './settings.ts';

/** First descriptor that systemd hands over (sd_listen_fds(3)). */
const FIRST_INHERITED_FD = 3;

/**
 * Turns the hosts of the configuration into sockets to listen on. TCP without mutual TLS makes whoever reaches the port
 * root here: refused unless the user insists, and then said loudly.
 * Errors: `invalid` host or TLS files.
 */
export function listenTargets(
  settings: Pick<Settings, 'hosts' | 'group' | 'tls' | 'insecureNoTls'>,
  inheritedFds: number,
  log: Logger,
): ListenTarget[] {
  return settings.hosts.flatMap((host): ListenTarget[] => {
    const [, scheme = 'unix', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(host) ?? [];
    switch (scheme) {
      case 'unix':
        if (!rest.startsWith('/'))
          throw new WharfError('invalid', `host "${host}": an absolute path is needed`);
        return [{ kind: 'unix', path: rest, mode: 0o660, gid: groupId(settings.group, log) }];
      case 'fd':
        if (inheritedFds < 1)
          throw new WharfError('invalid', `host "${host}": no socket was inherited from systemd`);
        return Array.from({ length: inheritedFds }, (_, at) => ({ kind: 'fd', fd: FIRST_INHERITED_FD + at }));
      case 'tcp':
        return [tcpTarget(host, rest, settings, log)];
      default:
        throw new WharfError('invalid', `host "${host}": unix://PATH, tcp://ADDRESS:PORT or fd:// is needed`);
    }
  });
}

function tcpTarget(
  host: string,
  rest: string,
  settings: Pick<Settings, 'tls' | 'insecureNoTls'>,
  log: Logger,
): ListenTarget {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(rest);
  if (!match) throw new WharfError('invalid', `host "${host}": tcp://ADDRESS:PORT is needed`);
  const address = match[1] ?? (match[2] || '127.0.0.1');
  const target = { kind: 'tcp', host: address, port: Number(match[3]) } as const;
  if (settings.tls) return { ...target, tls: readTls(settings.tls) };
  if (!settings.insecureNoTls) {
    throw new WharfError(
      'invalid',
      `host "${host}": TCP needs mutual TLS (--tlsverify with --tlscacert, --tlscert, --tlskey); --insecure-no-tls serves it open`,
    );
  }
  log.warn(
    `DANGER: ${host} is served WITHOUT TLS: whoever can connect to it, any web page in a browser here included, is root on this machine`,
  );
  return target;
}

function readTls(files: TlsFiles): TlsOptions {
  try {
    return { cert: readFileSync(files.cert), key: readFileSync(files.key), clientCa: readFileSync(files.ca) };
  } catch (thrown) {
    throw new WharfError('invalid', `the TLS files can't be read: ${WharfError.from(thrown).message}`, {
      cause: thrown,
    });
  }
}

/** The group's number; without such a group only root may connect. */
function groupId(group: string, log: Logger): number {
  if (/^\d+$/.test(group)) return Number(group);
  const entry = new RegExp(`^${group.replace(/[^A-Za-z0-9_-]/g, '\\$&')}:[^:]*:(\\d+):`, 'm').exec(
    readGroups(),
  );
  if (entry) return Number(entry[1]);
  log.warn(`there is no group "${group}": only root can use the socket`, { group });
  return 0;
}

function readGroups(): string {
  return readFileSync('/etc/group', 'utf8');
}
