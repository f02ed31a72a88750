import { decodeNetworkRenumber } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { readOptionalJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import { sendProgress } from '../streams/json-lines.ts';

/** What goes beyond Docker's API. */
export const wharfRoutes: readonly Route[] = [
  { method: 'GET', path: '/wharf/verify', handler: verify },
  { method: 'POST', path: '/wharf/images/bootstrap', handler: bootstrap },
  { method: 'GET', path: '/wharf/networks/exposure', handler: exposure },
  { method: 'POST', path: '/wharf/networks/{id}/renumber', handler: renumber },
];

async function verify(call: Call): Promise<void> {
  sendJson(call, 200, await call.backends.system.verify());
}

async function bootstrap(call: Call): Promise<void> {
  const name = call.query.get('name');
  if (!name) throw new WharfError('invalid', 'the name of the image to make is missing');
  await sendProgress(call, call.backends.images.bootstrap(name, call.signal));
}

async function exposure(call: Call): Promise<void> {
  sendJson(call, 200, await call.backends.networks.exposure());
}

async function renumber(call: Call): Promise<void> {
  const { IPAM } = decodeNetworkRenumber(await readOptionalJsonText(call));
  sendJson(call, 200, await call.backends.networks.renumber(call.param('id'), IPAM?.Config));
}
