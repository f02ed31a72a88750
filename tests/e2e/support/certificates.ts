import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './command.ts';

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await execute('openssl', args, { cwd: folder });
  assert.equal(code, 0, `openssl ${args.join(' ')}: ${stderr}`);
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function authority(folder: string, name: string): Promise<void> {
  const out = ['-keyout', `${name}-key.pem`, '-out', `${name}.pem`];
  await openssl(folder, 'req', '-x509', ...KEY, '-subj', `/CN=${name}`, '-days', '2', ...out);
}

async function certificate(
  folder: string,
  ca: string,
  key: string,
  cert: string,
  use: string,
): Promise<void> {
  const extensions = join(folder, `${cert}.ext`);
  writeFileSync(extensions, `subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=${use}\n`);
  await openssl(folder, 'req', ...KEY, '-subj', `/CN=${cert}`, '-keyout', key, '-out', `${cert}.csr`);
  const signer = ['-CA', `${ca}.pem`, '-CAkey', `${ca}-key.pem`, '-CAcreateserial'];
  await openssl(
    folder,
    'x509',
    '-req',
    '-in',
    `${cert}.csr`,
    ...signer,
    '-days',
    '2',
    '-extfile',
    extensions,
    '-out',
    cert,
  );
}

/**
 * Makes with openssl, in a folder: `ca.pem`, `server-cert.pem` and `server-key.pem` for 127.0.0.1, `cert.pem` and `key.pem`
 * for a client, and `stranger-cert.pem` and `stranger-key.pem` of another authority.
 */
export async function makeCertificates(folder: string): Promise<void> {
  await authority(folder, 'ca');
  await authority(folder, 'other');
  await certificate(folder, 'ca', 'server-key.pem', 'server-cert.pem', 'serverAuth');
  await certificate(folder, 'ca', 'key.pem', 'cert.pem', 'clientAuth');
  await certificate(folder, 'other', 'stranger-key.pem', 'stranger-cert.pem', 'clientAuth');
}
