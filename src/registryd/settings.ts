import { isIP } from 'node:net';
import { WharfError } from '../base/index.ts';
import { DEFAULT_LISTEN, SETTINGS } from './types.ts';

/** An address to listen on; port 0 takes any that is free. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The settings of a registry, checked against each other. */
export interface RegistrySettings {
  readonly listen: readonly ListenAddress[];
  readonly htpasswd: string | undefined;
  readonly access: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** A path, `-` for standard error, `off`, or undefined for the file in the root. */
  readonly auditLog: string | undefined;
  /** Without a slash at the end. */
  readonly externalUrl: string | undefined;
}

/**
 * Reads settings as the daemon's option `registry` and the flags of `wharf registry serve` have them: all texts. What
 * would be open to strangers by mistake is refused: an address beyond this machine needs TLS (or `insecure-no-tls`) and users
 * (or `allow-anonymous-push`). Errors: `invalid`, naming the setting.
 */
export function parseRegistrySettings(values: Readonly<Record<string, string>>): RegistrySettings {
  for (const name of Object.keys(values)) {
    if (!SETTINGS.some((each) => each.name === name))
      throw new WharfError(
        'invalid',
        `registry: no setting is named "${name}"; there are ${SETTINGS.map((each) => each.name).join(', ')}`,
      );
  }
  const text = (name: string) => values[name] || undefined;
  const settings: RegistrySettings = {
    listen: (text('listen') ?? DEFAULT_LISTEN).split(',').map((each) => parseAddress(each.trim())),
    htpasswd: text('htpasswd'),
    access: text('access'),
    tls: tlsFiles(text('tlscert'), text('tlskey')),
    auditLog: text('audit-log'),
    externalUrl: parseUrl(text('external-url')),
  };
  if (settings.access !== undefined && settings.htpasswd === undefined)
    throw new WharfError('invalid', 'registry: access gives rights to users: htpasswd is needed, too');
  refuseOpenDoors(settings, {
    plain: isOn(values, 'insecure-no-tls'),
    anonymous: isOn(values, 'allow-anonymous-push'),
  });
  return settings;
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function refuseOpenDoors(settings: RegistrySettings, allowed: { plain: boolean; anonymous: boolean }): void {
  const beyond = settings.listen.find(({ host }) => !isLoopback(host));
  if (!beyond) return;
  const where = `registry: listen=${formatAddress(beyond)} is reached from other machines`;
  if (settings.htpasswd === undefined && !allowed.anonymous)
    throw new WharfError(
      'invalid',
      `${where}, where anybody could read, write and delete: name users (htpasswd), or allow it (allow-anonymous-push)`,
    );
  if (!settings.tls && !allowed.plain)
    throw new WharfError(
      'invalid',
      `${where} without TLS: name a certificate (tlscert, tlskey), or allow it (insecure-no-tls), as behind a proxy`,
    );
}

function isOn(values: Readonly<Record<string, string>>, name: string): boolean {
  const value = values[name] ?? 'false';
  if (value !== 'true' && value !== 'false')
    throw new WharfError('invalid', `registry: ${name} is true or false: "${value}"`);
  return value === 'true';
}

function tlsFiles(cert: string | undefined, key: string | undefined): RegistrySettings['tls'] {
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return undefined;
  throw new WharfError(
    'invalid',
    `registry: ${cert === undefined ? 'tlskey needs tlscert' : 'tlscert needs tlskey'}`,
  );
}

function parseAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw new WharfError('invalid', `registry: listen takes ADDRESS:PORT, as 127.0.0.1:5000: "${text}"`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

/** `127.0.0.1:5000`, `[::1]:5000`. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new WharfError('invalid', `registry: external-url takes a URL as https://registry.lab: "${text}"`);
  if (url.pathname !== '/')
    throw new WharfError('invalid', 'registry: external-url has no path: a registry is the root of its host');
  return url.origin;
}
