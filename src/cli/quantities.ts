const BYTE_UNITS = 'kmgtpe';

/** A size in bytes: `64m`, `1.5GiB`, `512`; units count in 1024. Throws Error `invalid size: 'x'`. */
export function parseBytes(text: string): number {
  if (text === '') return 0;
  const match = /^(-?\d+(?:\.\d*)?|\.\d+) ?([kmgtpe]?)(i?b?)$/i.exec(text.trim());
  if (!match || (match[2] === '' && match[3]?.toLowerCase().startsWith('i')))
    throw new Error(`invalid size: '${text}'`);
  const power = match[2] === '' ? 0 : BYTE_UNITS.indexOf((match[2] ?? '').toLowerCase()) + 1;
  const value = Number(match[1]);
  if (value < 0) {
    if (text === '-1') return -1;
    throw new Error(`invalid size: '${text}'`);
  }
  return Math.trunc(value * 1024 ** power);
}

/** A decimal number in billionths, as `--cpus` has it. Throws Error with Docker's text. */
export function parseDecimalNano(text: string): number {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:\/(\d+))?$/.exec(text);
  if (!match || (match[2] === '' && (match[3] ?? '') === ''))
    throw new Error(`failed to parse ${text} as a rational number`);
  const digits = match[3] ?? '';
  const scaled = BigInt(`${match[2] || '0'}${digits}`) * 1_000_000_000n * (match[4] === undefined ? 1n : 1n);
  const divisor = 10n ** BigInt(digits.length) * BigInt(match[4] ?? '1');
  if (divisor === 0n) throw new Error(`failed to parse ${text} as a rational number`);
  if (scaled % divisor !== 0n) throw new Error('value is too precise');
  const value = Number(scaled / divisor);
  return match[1] === '-' ? -value : value;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration in nanoseconds, in Go's form (`1h30m`, `1.5s`). Throws Error with Go's text. */
export function parseDuration(text: string): number {
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0;
  let at = 0;
  while (at < body.length) {
    part.lastIndex = at;
    const match = part.exec(body);
    if (!match) {
      const number = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(body.slice(at));
      if (number && number[2] === '')
        throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`);
      if (number)
        throw new Error(
          `time: unknown unit ${JSON.stringify(number[2])} in duration ${JSON.stringify(text)}`,
        );
      throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
    }
    total += Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0);
    at = part.lastIndex;
  }
  if (body === '') throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
  return Math.round(text.startsWith('-') ? -total : total);
}
