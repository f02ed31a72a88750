import { WharfError } from '../../../base/index.ts';
import { flag, type ParsedFlags } from '../../flags.ts';

/** The file that holds the users: the one that the registry was started with. */
export const USERS_FLAG = flag('htpasswd', 'string', 'File of users', { typeName: 'file' });

/** The file that was named. Errors: `invalid` for none. */
export function usersFile(flags: ParsedFlags): string {
  const file = flags.string('htpasswd');
  if (file === '') throw new WharfError('invalid', 'say which file holds the users: --htpasswd FILE');
  return file;
}
