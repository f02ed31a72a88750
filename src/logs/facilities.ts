import { WharfError } from '../base/index.ts';

/** RFC 5424, 6.2.1, by number. Four of them have no name that can be asked for. */
const NAMES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp - - - - local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
const DAEMON = 3;

/** Number of a facility by name or number; `daemon` for none. Errors: `invalid` with the reference's text. */
export function syslogFacility(text: string): number {
  if (text === '') return DAEMON;
  const named = text === '-' ? -1 : NAMES.indexOf(text);
  if (named >= 0) return named;
  if (/^\d+$/.test(text) && Number(text) < NAMES.length) return Number(text);
  throw new WharfError('invalid', 'invalid syslog facility');
}
