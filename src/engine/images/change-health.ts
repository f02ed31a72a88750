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
  const millis = parseGoDuration(value);
  if (millis === undefined) throw new WharfError('invalid', `time: invalid duration "${value}"`);
  if (millis !== 0 && millis < 1) {
    throw new WharfError('invalid', `Interval "${flag}" cannot be less than 1ms`);
  }
  check[field] = Math.round(millis * 1e6);
}

function retries(value: string): number {
  if (!/^[+-]?\d{1,9}$/.test(value)) {
    throw new WharfError('invalid', `strconv.ParseInt: parsing "${value}": invalid syntax`);
  }
  if (Number(value) < 0) throw new WharfError('invalid', `--retries cannot be negative (${Number(value)})`);
  return Number(value);
}
