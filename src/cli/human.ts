const SECOND = 1;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

/** A span in words: "About a minute", "3 hours". `seconds` may have a fraction. */
export function humanDuration(span: number): string {
  const seconds = Math.trunc(span);
  if (seconds < SECOND) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < MINUTE) return `${seconds} seconds`;
  const minutes = Math.trunc(span / MINUTE);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(span / HOUR);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(span / DAY)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(span / HOUR / 24 / 365)} years`;
}

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** A size in steps of 1000 with so many digits: `1.23MB`. */
export function humanSize(bytes: number, digits = 4): string {
  return scaled(bytes, 1000, DECIMAL, digits);
}

/** A size in steps of 1024: `23.54GiB`. */
export function binarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY, 4);
}

function scaled(bytes: number, step: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${shortest(value, digits)}${units[unit]}`;
}

/** Go's `%.4g`: so many digits that count, without zeros at the end. */
function shortest(value: number, digits: number): string {
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', power = '0'] = value.toExponential(digits - 1).split('e');
    const plain = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    return `${plain}e${power.startsWith('-') ? '-' : '+'}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  return String(Number(value.toPrecision(digits)));
}

/** A time as Go's `Time.String` prints it in UTC or the local zone: `2026-11-23 13:24:49 +0000 UTC`. */
export function goTime(date: Date, fraction = ''): string {
  return `${localParts(date)}${fraction} ${zone(date)}`;
}

function localParts(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function zone(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const name =
    offset === 0
      ? 'UTC'
      : (/\(([A-Z]+)\)/.exec(date.toString())?.[1] ??
        new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
          .formatToParts(date)
          .find((part) => part.type === 'timeZoneName')?.value ??
        '');
  return `${offsetText(offset, '')} ${name}`;
}

/** `+0100` or, with a separator, `+01:00`. */
export function offsetText(minutes: number, separator: string): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.trunc(size / 60)).padStart(2, '0')}${separator}${String(size % 60).padStart(2, '0')}`;
}

/** A time as RFC 3339 in the local zone; `nanos` is the fraction in nanoseconds, if it shall be shown with nine digits. */
export function localRfc3339(date: Date, nanos?: string): string {
  const offset = -date.getTimezoneOffset();
  const end = offset === 0 ? 'Z' : offsetText(offset, ':');
  return `${localParts(date).replace(' ', 'T')}${nanos === undefined ? '' : `.${nanos}`}${end}`;
}

/** Cuts to so many characters, the last one an ellipsis. */
export function ellipsis(text: string, length: number): string {
  const chars = [...text];
  return chars.length <= length
    ? text
    : length <= 1
      ? chars.slice(0, length).join('')
      : `${chars.slice(0, length - 1).join('')}…`;
}

/** The first twelve digits of an id, without the algorithm. */
export function truncateId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
