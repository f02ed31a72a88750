import { createHash } from 'node:crypto';
import { compileSeccomp, type FilterSource } from '../sys/index.ts';
import { DEFAULT_CAPABILITIES } from './spec/capabilities.ts';
import { type OciSeccomp, resolveSeccomp, type SeccompProfile } from './spec/seccomp.ts';
import type { HostFacts } from './spec-input.ts';
import type { OciSpec } from './spec-types.ts';

/** crun(1): a ready filter, base64 of an array of `struct sock_filter`, in place of `linux.seccomp`. */
export const READY_FILTER = 'run.oci.seccomp_bpf_data';
/** Filters kept; one is some 12 KB. */
const CAPACITY = 64;
const EPERM = 1;

/** Compiled filters by the hash of their source, the least recently used first; undefined where none can be made. */
const compiled = new Map<string, string | undefined>();

/**
 * The spec with its filter in the form that the runtime starts fastest from. A runtime that
 * does not know ready filters and a filter that cannot be compiled exactly here leave the spec as it is.
 */
export function withReadyFilter(spec: OciSpec, program: { readyFilters: boolean }): OciSpec {
  const { seccomp, ...linux } = spec.linux;
  if (!seccomp || !program.readyFilters) return spec;
  const filter = readyFilter(seccomp as OciSeccomp);
  if (filter === undefined) return spec;
  return { ...spec, linux, annotations: { ...spec.annotations, [READY_FILTER]: filter } };
}

/** Compiles the filter of a container without options, so that the first one need not wait. Some 20 ms. */
export function warmSeccomp(profile: SeccompProfile | undefined, host: HostFacts): void {
  if (!profile || !host.seccomp) return;
  const granted = DEFAULT_CAPABILITIES.filter((name) => host.capabilities.includes(name));
  readyFilter(resolveSeccomp(profile, granted, host, true));
}

/** The compiled filter, from the cache where it is known. */
export function readyFilter(seccomp: OciSeccomp): string | undefined {
  const key = createHash('sha256').update(JSON.stringify(seccomp)).digest('base64');
  const known = compiled.has(key);
  const filter = known ? compiled.get(key) : compile(seccomp);
  compiled.delete(key);
  compiled.set(key, filter);
  if (compiled.size > CAPACITY) compiled.delete(compiled.keys().next().value as string);
  return filter;
}

function compile(seccomp: OciSeccomp): string | undefined {
  const source = filterSource(seccomp);
  if (!source) return undefined;
  try {
    return compileSeccomp(source).toString('base64');
  } catch {
    // The runtime compiles it, or says what is wrong with it.
    return undefined;
  }
}

/** Undefined for a filter that is more than a program: with flags or a listener. */
export function filterSource(seccomp: OciSeccomp): FilterSource | undefined {
  const { flags, listenerPath } = seccomp;
  if (flags?.length || listenerPath) return undefined;
  return {
    defaultAction: seccomp.defaultAction,
    defaultValue: seccomp.defaultErrnoRet ?? EPERM,
    architectures: seccomp.architectures ?? [],
    rules: seccomp.syscalls.flatMap(({ names, action, errnoRet, args }) => {
      const conditions = (args ?? []).map(({ index, op, value, valueTwo }) => ({
        ...{ index, op, a: value, b: valueTwo ?? 0 },
      }));
      return names.map((syscall) => ({ syscall, action, value: errnoRet ?? EPERM, conditions }));
    }),
  };
}
