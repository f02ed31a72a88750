import { WharfError } from '../base/index.ts';
import type { Platform } from './types.ts';

const SYSTEMS = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const ARCHITECTURES: Record<string, { architecture: string; variant?: string }> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  i386: { architecture: '386' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};
const KNOWN_ARCHITECTURES = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(' '),
);
const NODE_ARCHITECTURES: Record<string, string> = {
  x64: 'amd64',
  ia32: '386',
  arm64: 'arm64',
  ppc64: 'ppc64le',
};

/** The platform this process runs on, as images name it. */
export function hostPlatform(): Platform {
  const architecture = NODE_ARCHITECTURES[process.arch] ?? process.arch;
  return normalizePlatform({ os: process.platform, architecture });
}

/** Aliases replaced: x86_64 → amd64, aarch64 → arm64, arm without a variant → v7, arm64's v8 and amd64's v1 left out. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const asked = platform.architecture.toLowerCase();
  const alias = Object.hasOwn(ARCHITECTURES, asked) ? ARCHITECTURES[asked] : undefined;
  const architecture = alias?.architecture ?? asked;
  const variant = normalizeVariant(architecture, alias?.variant ?? platform.variant?.toLowerCase() ?? '');
  const { variant: _dropped, ...rest } = platform;
  const normal: Platform = { ...rest, os: os === 'macos' ? 'darwin' : os, architecture };
  if (variant !== '') normal.variant = variant;
  return normal;
}

/** How the reference's texts name what the parts of a platform may be. */
const SYSTEM_RULE = '^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.%-]*)((?:\\+[A-Za-z0-9_.%-]+)*)\\))?$';
const PART_RULE = '^[A-Za-z0-9_.-]+$';

/**
 * Reads `linux`, `arm64`, `linux/arm64`, `linux/arm/v7`. What is left out is the host's. Errors: `invalid`, with the
 * reference's texts.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  const shown = JSON.stringify(text.slice(0, 128));
  if (parts.length > 3) refuse(`${shown}: cannot parse platform specifier`);
  for (const [at, part] of parts.entries()) {
    if (/^[a-z0-9][a-z0-9_.-]*$/.test(part)) continue;
    const what = `${JSON.stringify(text.split('/')[at]?.slice(0, 128))} is an invalid`;
    if (at > 0)
      refuse(`${what} component of ${shown}: platform specifier component must match "${PART_RULE}"`);
    const rule = JSON.stringify(SYSTEM_RULE);
    refuse(`${what} OS component of ${shown}: OSAndVersion specifier component must match ${rule}`);
  }
  const [first = '', second, variant] = parts;
  if (second !== undefined) {
    return normalizePlatform({
      os: first,
      architecture: second,
      ...(variant === undefined ? {} : { variant }),
    });
  }
  const host = hostPlatform();
  if (SYSTEMS.has(first) || first === 'macos') return normalizePlatform({ ...host, os: first });
  const alone = normalizePlatform({ os: host.os, architecture: first });
  if (KNOWN_ARCHITECTURES.has(alone.architecture)) return alone;
  return refuse(`${shown}: unknown operating system or architecture`);
}

function refuse(why: string): never {
  throw new WharfError('invalid', `${why}: invalid argument`);
}

/** `linux/arm64` or `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os || 'unknown'}/${platform.architecture || 'unknown'}`;
  return platform.variant ? `${base}/${platform.variant}` : base;
}

/** True when both name the same platform once aliases are replaced. */
export function matchPlatform(wanted: Platform, offered: Platform): boolean {
  return formatPlatform(normalizePlatform(wanted)) === formatPlatform(normalizePlatform(offered));
}

/**
 * Index of the offer that suits `wanted` best, or -1: the same platform first, then older variants, then what the
 * processor also runs (arm below arm64, 386 below amd64). The first of equals wins; offers without a platform never match.
 */
export function choosePlatform(wanted: Platform, offers: readonly (Platform | undefined)[]): number {
  for (const acceptable of fallbacks(normalizePlatform(wanted))) {
    const at = offers.findIndex((offer) => offer !== undefined && matchPlatform(acceptable, offer));
    if (at >= 0) return at;
  }
  return -1;
}

function normalizeVariant(architecture: string, variant: string): string {
  const numbered = /^\d+(\.\d+)?$/.test(variant) ? `v${variant}` : variant;
  if (architecture === 'arm64') return numbered === 'v8' || numbered === 'v8.0' ? '' : numbered;
  if (architecture === 'arm') return numbered === '' ? 'v7' : numbered;
  if (architecture === 'amd64') return numbered === 'v1' ? '' : numbered;
  return numbered;
}

function fallbacks(wanted: Platform): Platform[] {
  const of = (architecture: string, variants: string[]): Platform[] =>
    variants.map((variant) => ({ os: wanted.os, architecture, ...(variant === '' ? {} : { variant }) }));
  const older = (top: number, least: number) =>
    Array.from({ length: Math.max(0, top - least + 1) }, (_, step) => `v${top - step}`);
  const rank = Number(/^v(\d+)$/.exec(wanted.variant ?? '')?.[1] ?? 0);
  if (wanted.architecture === 'amd64') {
    return [wanted, ...of('amd64', [...older(rank - 1, 2), '']), ...of('386', [''])];
  }
  if (wanted.architecture === 'arm64') return [wanted, ...of('arm64', ['']), ...of('arm', older(8, 5))];
  if (wanted.architecture === 'arm') return [wanted, ...of('arm', older(rank - 1, 5))];
  return [wanted];
}
