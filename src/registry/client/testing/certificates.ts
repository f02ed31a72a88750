import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key with its certificate, in PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** A certificate authority for one test. */
export interface TestAuthority extends Disposable {
  /** Its certificate, in PEM. */
  cert: string;
  /** A folder that goes away with it. */
  dir: string;
  /** A certificate for names: `DNS:reg.example,IP:127.0.0.1`. `days` may be negative for one that has expired. */
  issue(names: string, days?: number): KeyPair;
}

/** Whether certificates can be made here: by the `openssl` program. */
export function canMakeCertificates(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Makes an authority. */
export function testAuthority(): TestAuthority {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-ca-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=test CA',
  );
  let count = 0;
  return {
    dir,
    cert: readFileSync(join(dir, 'ca.crt'), 'utf8'),
    issue(names, days = 2) {
      const name = `leaf${count++}`;
      writeFileSync(join(dir, `${name}.ext`), `subjectAltName=${names}\n`);
      openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
      openssl('x509', '-req', '-in', `${name}.csr`, ...ca, '-days', String(days), '-out', `${name}.crt`);
      const read = (ending: string) => readFileSync(join(dir, `${name}.${ending}`), 'utf8');
      return { cert: read('crt'), key: read('key') };
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
