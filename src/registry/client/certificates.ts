import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { errnoCode, WharfError } from '../../base/index.ts';

/** CAs and client certificates for one host. */
export interface HostCertificates {
  authorities: Buffer[];
  clients: { certificate: Buffer; key: Buffer }[];
}

/**
 * Reads `<folder>/<host>` of each folder, as Docker reads `/etc/docker/certs.d`: `*.crt` are CAs, `NAME.cert` with
 * `NAME.key` client certificates. A folder that is not there has nothing. Errors: `invalid` for half a pair.
 */
export function readHostCertificates(folders: readonly string[], host: string): HostCertificates {
  const found: HostCertificates = { authorities: [], clients: [] };
  for (const folder of folders) {
    const dir = join(folder, host.replace(/[/\0]|^\.\.?$/g, '_'));
    const names = list(dir);
    for (const name of names) {
      if (name.endsWith('.crt')) found.authorities.push(readFileSync(join(dir, name)));
      if (name.endsWith('.cert')) {
        const key = `${name.slice(0, -'.cert'.length)}.key`;
        if (!names.includes(key)) {
          throw new WharfError(
            'invalid',
            `missing key ${key} for client certificate ${name}. CA certificates must use the extension .crt`,
          );
        }
        found.clients.push({ certificate: readFileSync(join(dir, name)), key: readFileSync(join(dir, key)) });
      }
      if (name.endsWith('.key') && !names.includes(`${name.slice(0, -'.key'.length)}.cert`)) {
        throw new WharfError(
          'invalid',
          `missing client certificate ${name.slice(0, -'.key'.length)}.cert for key ${name}`,
        );
      }
    }
  }
  return found;
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT' || errnoCode(thrown) === 'ENOTDIR') return [];
    throw WharfError.from(thrown, 'internal');
  }
}

/**
 * What TLS to a host is set up with: the machine's CAs and those of the host. Reading hundreds of CAs takes a while, so it
 * is done once for all hosts that have none of their own. Unverified hosts need no CA.
 */
export function secureContext(certificates: HostCertificates, verified: boolean): SecureContext {
  const options: SecureContextOptions = { minVersion: 'TLSv1.2' };
  const { authorities, clients } = certificates;
  if (verified) options.ca = [...machineAuthorities(), ...authorities];
  if (clients.length > 0) {
    options.cert = clients.map(({ certificate }) => certificate);
    options.key = clients.map(({ key }) => key);
  }
  try {
    return process.getBuiltinModule('node:tls').createSecureContext(options);
  } catch (thrown) {
    throw WharfError.from(thrown, 'invalid');
  }
}

/** The machine's trust store, as other programs on it use it; Node's own list where it has none. */
function machineAuthorities(): string[] {
  const tls = process.getBuiltinModule('node:tls');
  const system = tls.getCACertificates('system');
  return [...new Set(system.length > 0 ? system : tls.getCACertificates('default'))];
}
