import { pipeline } from 'node:stream/promises';
import { boolValue } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { CopyInOptions, PathStat } from '../backend/index.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Copying between clients and containers. */
export const archiveRoutes: readonly Route[] = [
  { method: 'HEAD', path: '/containers/{id}/archive', handler: stat },
  { method: 'GET', path: '/containers/{id}/archive', handler: get },
  { method: 'PUT', path: '/containers/{id}/archive', handler: put },
];

async function stat(call: Call): Promise<void> {
  const found = await call.backends.copies.stat(call.param('id'), pathParameter(call));
  call.response.writeHead(200, [...call.context.baseHeaders, ...statHeader(found)]);
  call.response.end();
}

async function get(call: Call): Promise<void> {
  const { signal } = call;
  await using copy = await call.backends.copies.get(call.param('id'), pathParameter(call), signal);
  call.response.writeHead(200, [
    ...call.context.baseHeaders,
    'Content-Type',
    'application/x-tar',
    ...statHeader(copy.stat),
  ]);
  call.response.flushHeaders();
  try {
    await pipeline(copy.archive, call.response);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

async function put(call: Call): Promise<void> {
  const { request, signal } = call;
  await call.backends.copies.put(call.param('id'), pathParameter(call), request, copyInOptions(call), signal);
  sendEmpty(call, 200);
}

/** How an archive is to be put, by the request's query. */
export function copyInOptions({ query }: Call): CopyInOptions {
  return {
    noOverwriteDirNonDir: boolValue(query.get('noOverwriteDirNonDir')),
    copyUidGid: boolValue(query.get('copyUIDGID')),
  };
}

/** The path in the container that a request names. Errors: `invalid` where it is missing. */
export function pathParameter(call: Call): string {
  const path = call.query.get('path');
  // Docker's text, without the blank that it lacks.
  if (!path) throw new WharfError('invalid', 'bad parameter: pathcannot be empty');
  return path;
}

function statHeader(found: PathStat): [string, string] {
  return ['X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify(found)).toString('base64')];
}
