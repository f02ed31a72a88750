import { constants } from 'node:os';

const SIGRTMIN = 34;
const SIGRTMAX = 64;

let numbers: Map<string, number> | undefined;
let names: Map<number, string> | undefined;

/**
 * The number of a signal by name or number: `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`. Undefined for anything
 * else, 0 included. The real-time range is glibc's, 34 to 64.
 */
export function signalNumber(nameOrNumber: string): number | undefined {
  if (/^\d+$/.test(nameOrNumber)) {
    const number = Number(nameOrNumber);
    return number >= 1 && number <= SIGRTMAX ? number : undefined;
  }
  const name = nameOrNumber.toUpperCase().replace(/^SIG/, '');
  return table().get(name) ?? realTime(name);
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37; undefined for what is no signal. */
export function signalName(number: number): string | undefined {
  const known = nameTable().get(number);
  if (known) return `SIG${known}`;
  if (!Number.isInteger(number) || number < SIGRTMIN || number > SIGRTMAX) return undefined;
  const fromEnd = SIGRTMAX - number;
  if (number - SIGRTMIN <= 15) return number === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - SIGRTMIN}`;
  return fromEnd === 0 ? 'SIGRTMAX' : `SIGRTMAX-${fromEnd}`;
}

function realTime(name: string): number | undefined {
  const match = /^RTM(IN|AX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (!match) return undefined;
  const [, end, sign, digits] = match;
  const offset = Number(digits ?? 0);
  if (sign && sign !== (end === 'IN' ? '+' : '-')) return undefined;
  const number = end === 'IN' ? SIGRTMIN + offset : SIGRTMAX - offset;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}

function table(): Map<string, number> {
  numbers ??= new Map(
    Object.entries(constants.signals).map(([name, number]) => [name.replace(/^SIG/, ''), number as number]),
  ).set('CLD', constants.signals.SIGCHLD);
  return numbers;
}

function nameTable(): Map<number, string> {
  if (names) return names;
  names = new Map();
  // The first name of a number is the usual one: ABRT before IOT, IO before POLL.
  for (const [name, number] of table()) if (!names.has(number)) names.set(number, name);
  return names;
}
