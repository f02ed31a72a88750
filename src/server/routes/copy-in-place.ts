import { boolValue } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { HostCopyStep } from '../backend/index.ts';
import type { Call } from '../http/call.ts';
import type { Route } from '../http/route.ts';
import { isInSamePlace } from '../http/same-place.ts';
import { sendProgress } from '../streams/json-lines.ts';
import { copyInOptions, pathParameter } from './archive.ts';

/** Copies between this host and containers without a connection in between, for clients who could do the same by themselves. */
export const copyInPlaceRoutes: readonly Route[] = [
  { method: 'POST', path: '/wharf/containers/{id}/copy-in', handler: copyIn },
  { method: 'POST', path: '/wharf/containers/{id}/copy-out', handler: copyOut },
];

async function copyIn(call: Call): Promise<void> {
  refuseStrangers(call);
  const source = {
    folder: parameter(call, 'folder'),
    entry: parameter(call, 'entry'),
    name: parameter(call, 'name'),
  };
  const { copies } = call.backends;
  const options = copyInOptions(call);
  await send(call, copies.putFromHost(call.param('id'), pathParameter(call), source, options, call.signal));
}

async function copyOut(call: Call): Promise<void> {
  refuseStrangers(call);
  const target = {
    folder: parameter(call, 'folder'),
    name: call.query.get('name') ?? undefined,
    keepOwners: boolValue(call.query.get('keepOwners')),
  };
  const { copies } = call.backends;
  await send(call, copies.getToHost(call.param('id'), pathParameter(call), target, call.signal));
}

/** Before anything is done: the client then sends the files, or takes them, by itself. */
function refuseStrangers(call: Call): void {
  if (isInSamePlace(call, call.query.get('caller') ?? '')) return;
  throw new WharfError('not-implemented', 'only root on the same host copies in place');
}

function parameter({ query }: Call, name: string): string {
  const value = query.get(name);
  if (!value) throw new WharfError('invalid', `the parameter ${name} is missing`);
  return value;
}

function send(call: Call, steps: AsyncIterable<HostCopyStep>): Promise<void> {
  return sendProgress(call, lines(steps));
}

async function* lines(steps: AsyncIterable<HostCopyStep>) {
  for await (const { bytes, hostError } of steps) yield { Bytes: bytes, HostError: hostError };
}
