import { errnoCode } from '../../base/index.ts';
import { fileError, nodeFs } from '../files.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Lines of files and then those of flags; a name alone takes its value from `env`, or none at all. */
export function keyValues(
  files: readonly string[],
  values: readonly string[],
  env: Env | undefined,
): string[] {
  const lines = files.flatMap((file) => readLines(file, env));
  for (const value of values) {
    if (value.includes('=') || !env) lines.push(value);
    else if (env[value] !== undefined) lines.push(`${value}=${env[value]}`);
  }
  return lines;
}

function readLines(file: string, env: Env | undefined): string[] {
  let text: string;
  try {
    text = nodeFs().readFileSync(file, 'utf8');
  } catch (thrown) {
    const error = fileError(file, thrown);
    throw errnoCode(thrown) === 'EISDIR' ? new Error(`invalid env file (${file}): ${error.message}`) : error;
  }
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((raw) => {
      const line = raw.replace(/\r$/, '').trimStart();
      if (line === '' || line.startsWith('#')) return [];
      const at = line.indexOf('=');
      const name = at < 0 ? line : line.slice(0, at);
      if (/[ \t]/.test(name))
        throw new Error(`invalid env file (${file}): variable '${name}' contains whitespaces`);
      if (name === '') throw new Error(`invalid env file (${file}): no variable name on line '${line}'`);
      if (at >= 0 || !env) return [line];
      const value = env[name.trim()];
      return value === undefined ? [] : [`${name.trim()}=${value}`];
    });
}

/** `a=b` lines as an object; a name alone is empty. */
export function toMap(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const at = value.indexOf('=');
      return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
    }),
  );
}
