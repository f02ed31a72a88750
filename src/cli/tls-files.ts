import { join } from 'node:path';
import { errnoCode, WharfError } from '../base/index.ts';
import type { TlsMaterial } from '../client/index.ts';
import type { StoredContext } from './config.ts';
import { fileError, nodeFs } from './files.ts';
import type { ParsedFlags } from './flags.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The certificates that the flags and the environment ask for; undefined without TLS. A CA must be there, a
 * certificate of ours only where its file was named. Throws WharfError `invalid` with Docker's text.
 */
export function flagTls(env: Env, globals: ParsedFlags): TlsMaterial | undefined {
  const verify = globals.changed('tlsverify')
    ? globals.bool('tlsverify')
    : (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  if (!verify && !globals.bool('tls') && (env['DOCKER_TLS'] ?? '') === '') return undefined;
  const dir = env['DOCKER_CERT_PATH'] ?? globals.string('config');
  const file = (name: string, base: string, must: boolean) =>
    globals.changed(name) ? read(globals.string(name), true) : read(join(dir, base), must);
  return material(
    file('tlscacert', 'ca.pem', true),
    file('tlscert', 'cert.pem', false),
    file('tlskey', 'key.pem', false),
    verify,
  );
}

/** The certificates of a stored context; undefined when it has none. Throws WharfError `invalid`. */
export function contextTls(stored: StoredContext): TlsMaterial | undefined {
  const file = (base: string) => read(join(stored.tlsDir, base), false);
  const [ca, cert, key] = [file('ca.pem'), file('cert.pem'), file('key.pem')];
  return ca || cert || key ? material(ca, cert, key, !stored.skipVerify) : undefined;
}

function material(
  ca: Buffer | undefined,
  cert: Buffer | undefined,
  key: Buffer | undefined,
  verify: boolean,
): TlsMaterial {
  if (ca && !ca.includes('-----BEGIN ')) throw refused('ca.pem seems invalid');
  if (key && !key.includes('-----BEGIN ')) throw new WharfError('invalid', 'no valid private key found');
  if (cert && !cert.includes('-----BEGIN ')) throw refused('cert.pem seems invalid');
  const found = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
  try {
    process.getBuiltinModule('node:tls').createSecureContext(found);
  } catch (thrown) {
    throw refused(
      errnoCode(thrown) === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? 'tls: private key does not match public key'
        : `tls: ${reasonOf(thrown)}`,
    );
  }
  return { ...found, verify };
}

/** The reason at the end of an OpenSSL error, `error:0480006C:PEM routines::no start line`. */
function reasonOf(thrown: unknown): string {
  return WharfError.from(thrown).message.trim().split(':').at(-1) ?? '';
}

function refused(reason: string): WharfError {
  return new WharfError('invalid', `failed to retrieve context tls info: ${reason}`);
}

function read(file: string, must: boolean): Buffer | undefined {
  try {
    return nodeFs().readFileSync(file);
  } catch (thrown) {
    if (!must && errnoCode(thrown) === 'ENOENT') return undefined;
    throw new WharfError('invalid', `unable to resolve docker endpoint: ${fileError(file, thrown).message}`, {
      cause: thrown,
    });
  }
}
