import { WharfError } from '../../base/index.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import { sendProgress } from '../streams/json-lines.ts';

/** What goes beyond Docker's API. */
export const wharfRoutes: readonly Route[] = [
  { method: 'GET', path: '/wharf/verify', handler: verify },
  { method: 'POST', path: '/wharf/images/bootstrap', handler: bootstrap },
];

async function verify(call: Call): Promise<void> {
  sendJson(call, 200, await call.backends.system.verify());
}

async function bootstrap(call: Call): Promise<void> {
  const name = call.query.get('name');
  if (!name) throw new WharfError('invalid', 'the name of the image to make is missing');
  await sendProgress(call, call.backends.images.bootstrap(name, call.signal));
}
