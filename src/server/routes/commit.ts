import { boolValueOr, type ContainerConfig, decodeContainerConfig, timestamp } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { readJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Images made from containers. */
export const commitRoutes: readonly Route[] = [{ method: 'POST', path: '/commit', handler: commit }];

async function commit(call: Call): Promise<void> {
  const { query } = call;
  const config = configOf(await readJsonText(call));
  const ref = query.get('container') ?? '';
  if (ref === '') throw new WharfError('invalid', 'invalid name or ID supplied: ""');
  const input = {
    ref,
    repo: query.get('repo') ?? '',
    tag: query.get('tag') ?? '',
    author: query.get('author') ?? '',
    comment: query.get('comment') ?? '',
    changes: query.getAll('changes'),
    pause: boolValueOr(query.get('pause'), true),
    config,
    timeNs: timeOf(query.get('timestamp')),
  };
  const { id } = await call.backends.commits.commit(input, call.signal);
  sendJson(call, 201, { Id: id });
}

/** Without a body, or with `null`, the container's own config holds. */
function configOf(text: string): ContainerConfig | undefined {
  return text.trim() === '' || text.trim() === 'null' ? undefined : decodeContainerConfig(text);
}

/** From there on a year has five digits, which RFC 3339 cannot tell. Nanoseconds. */
const YEAR_10000 = 253_402_300_800_000_000_000n;

/** Zero is a time, too: what archives are made reproducible with. */
function timeOf(text: string | null): bigint | undefined {
  const time = text === '0' ? 0n : timestamp(text);
  if (time !== undefined && (time < 0n || time >= YEAR_10000))
    throw new WharfError('invalid', `timestamp "${text}" is not between 1970 and 9999`);
  return time;
}
