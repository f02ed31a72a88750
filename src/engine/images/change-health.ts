import { WharfError } from '../../base/index.ts';
import type { ExecutionConfig } from '../../oci/index.ts';
import { parseGoDuration } from '../filters/index.ts';
import { jsonList } from './json-list.ts';

type Healthcheck = NonNullable<ExecutionConfig['Healthcheck']>;

const TIMES: Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};

/** Reads what follows HEALTHCHECK. Errors: `invalid`, with Docker's texts. */
export function parseHealthcheck(rest: string): Healthcheck {
  const check: Healthcheck = {};
  let text = rest;
  for (let flag = /^--([a-z-]+)=(\S+)\s*/.exec(text); flag; flag = /^--([a-z-]+)=(\S+)\s*/.exec(text)) {
    readFlag(check, flag[1] as string, flag[2] as string);
    text = text.slice(flag[0].length);
  }
  const bare = /^--([a-z-]+)(?=\s|$)/.exec(text)?.[1];
  if (bare !== undefined) throw new WharfError('invalid', `missing a value on flag: --${bare}`);
  const [, kind = '', command = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const name = kind.toUpperCase();
  if (name === 'NONE') {
    if (command !== '') throw new WharfError('invalid', 'HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (name !== 'CMD') throw new WharfError('invalid', `Unknown type "${name}" in HEALTHCHECK (try CMD)`);
  if (command === '') throw new WharfError('invalid', 'Missing command after HEALTHCHECK CMD');
  const list = jsonList(command);
  check.Test = list ? ['CMD', ...list] : ['CMD-SHELL', command];
  return check;
}

function readFlag(check: Healthcheck, flag: string, value: string): void {
  if (flag === 'retries') {
    check.Retries = retries(value);
    return;
  }
  const field = Object.hasOwn(TIMES, flag) ? TIMES[flag] : undefined;
  if (!field) throw new WharfError('invalid', `unknown flag: --${flag}`);
  // Zero needs no unit, in Go as here: it stands for the default.
  const millis = /^[+-]?0$/.test(value) ? 0 : parseGoDuration(value);
  if (millis === undefined) {
    const why = /^[+-]?\d+(\.\d*)?$/.test(value) ? 'missing unit in' : 'invalid';
    throw new WharfError('invalid', `time: ${why} duration "${value}"`);
  }
  if (millis !== 0 && millis < 1) {
    throw new WharfError('invalid', `Interval "${flag}" cannot be less than 1ms`);
  }
  if (millis !== 0) check[field] = Math.round(millis * 1e6);
}

function retries(value: string): number {
  if (!/^[+-]?\d{1,9}$/.test(value)) {
    throw new WharfError('invalid', `strconv.ParseInt: parsing "${value}": invalid syntax`);
  }
  if (Number(value) < 0) throw new WharfError('invalid', `--retries cannot be negative (${Number(value)})`);
  return Number(value);
}
