import { WharfError } from '../base/index.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
};

/** `os[/arch[/variant]]` as the JSON that image requests take; undefined when empty. Throws `invalid`. */
export function platformQuery(text: string): string | undefined {
  if (text === '') return undefined;
  const [os = '', arch, variant] = text.toLowerCase().split('/');
  if (!/^[a-z0-9_.-]+$/.test(os) || text.split('/').length > 3)
    throw new WharfError('invalid', `invalid platform: ${text}`);
  const architecture = arch === undefined ? undefined : (ARCHITECTURES[arch] ?? arch);
  return JSON.stringify({ ...(architecture ? { architecture } : {}), os, ...(variant ? { variant } : {}) });
}
