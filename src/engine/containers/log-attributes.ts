import type { ContainerConfig } from '../../api/index.ts';
import { compileExpression } from '../filters/index.ts';

/** Labels and environment that the log options `labels`, `labels-regex`, `env`, `env-regex` pick. */
export function pickedAttributes(
  { Labels: labels, Env: environment }: Pick<ContainerConfig, 'Labels' | 'Env'>,
  options: Readonly<Record<string, string>>,
): Map<string, string> {
  const env = Object.fromEntries(
    (environment ?? []).map((one) => {
      const at = one.indexOf('=');
      return at < 0 ? [one, ''] : [one.slice(0, at), one.slice(at + 1)];
    }),
  );
  return new Map([
    ...pick(labels ?? {}, options['labels'], options['labels-regex']),
    ...pick(env, options['env'], options['env-regex']),
  ]);
}

function pick(
  values: Record<string, string>,
  names: string | undefined,
  pattern: string | undefined,
): [string, string][] {
  const wanted = new Set(names?.split(',').map((name) => name.trim()) ?? []);
  const fits = pattern ? compileExpression(pattern) : undefined;
  return Object.entries(values).filter(([key]) => wanted.has(key) || fits?.(key));
}
