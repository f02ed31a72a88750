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

const SYSTEMS: ReadonlySet<string> = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const MACHINES: ReadonlySet<string> = new Set([
  ...'386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm'.split(' '),
  ...'armhf armel x86_64 x86-64 aarch64 i386'.split(' '),
]);

/** Refuses what is no `os`, `arch`, `os/arch` or `os/arch/variant`, as the container commands word it. Throws WharfError `invalid`. */
export function checkPlatform(text: string): void {
  if (text === '') return;
  const parts = text.toLowerCase().split('/');
  const wrong = parts.find((part) => !/^[a-z0-9_.-]+$/.test(part));
  const [first = ''] = parts;
  const reason =
    wrong !== undefined
      ? `${JSON.stringify(wrong)} is an invalid component of ${JSON.stringify(text)}`
      : parts.length > 3
        ? `${JSON.stringify(text)}: cannot parse platform specifier`
        : parts.length === 1 && !SYSTEMS.has(first) && !MACHINES.has(first)
          ? `${JSON.stringify(text)}: unknown operating system or architecture`
          : undefined;
  if (reason !== undefined)
    throw new WharfError('invalid', `error parsing specified platform: ${reason}: invalid argument`);
}
