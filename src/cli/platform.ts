import { WharfError } from '../base/index.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
  i386: '386',
  i486: '386',
  i586: '386',
  i686: '386',
};

const SYSTEMS: ReadonlySet<string> = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const MACHINES: ReadonlySet<string> = new Set([
  ...'386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm'.split(' '),
  ...Object.keys(ARCHITECTURES),
]);

/** Why a text is no `os`, `arch`, `os/arch` or `os/arch/variant`; undefined when it is one. */
export function platformProblem(text: string): string | undefined {
  const parts = text.split('/');
  const wrong = parts.find((part) => !/^[A-Za-z0-9_.-]+$/.test(part));
  const [first = ''] = parts;
  const reason =
    parts.length > 3
      ? `${JSON.stringify(text)}: cannot parse platform specifier`
      : wrong !== undefined
        ? `${JSON.stringify(wrong)} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match "^[A-Za-z0-9_.-]+$"`
        : parts.length === 1 && !SYSTEMS.has(first.toLowerCase()) && !MACHINES.has(first.toLowerCase())
          ? `${JSON.stringify(text)}: unknown operating system or architecture`
          : undefined;
  return reason === undefined ? undefined : `${reason}: invalid argument`;
}

/**
 * A platform as the JSON that image requests take; undefined when empty. Throws WharfError `invalid` with Docker's
 * text, after the words that the command puts before it.
 */
export function platformQuery(text: string, before = ''): string | undefined {
  if (text === '') return undefined;
  const problem = platformProblem(text);
  if (problem !== undefined) throw new WharfError('invalid', `${before}${problem}`);
  const [first = '', second, third = ''] = text.toLowerCase().split('/');
  const [os, machine] =
    second !== undefined ? [first, second] : SYSTEMS.has(first) ? [first, hostMachine()] : ['linux', first];
  const architecture = ARCHITECTURES[machine] ?? machine;
  const variant = variantOf(architecture, machine === 'armel' && third === '' ? 'v6' : third);
  return JSON.stringify({ architecture, os, ...(variant ? { variant } : {}) });
}

/** The variant as platforms are compared. Source: containerd's platforms, "Normalization". */
function variantOf(architecture: string, variant: string): string {
  const numbered = /^\d$/.test(variant) && /^arm/.test(architecture) ? `v${variant}` : variant;
  if (architecture === 'amd64') return numbered === 'v1' ? '' : numbered;
  return numbered;
}

function hostMachine(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

/** Refuses what is no platform, as the container commands word it. Throws WharfError `invalid`. */
export function checkPlatform(text: string): void {
  const problem = text === '' ? undefined : platformProblem(text);
  if (problem !== undefined) throw new WharfError('invalid', `error parsing specified platform: ${problem}`);
}
