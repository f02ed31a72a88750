import { WharfError } from '../../base/index.ts';
import { sendJson } from '../http/respond.ts';
import type { Handler, Route } from '../http/route.ts';

/** What this engine does not do yet: each line says so, so that no client takes it for a wrong path. */
const NOT_YET: readonly (readonly [Route['method'], string, string])[] = [
  ['GET', '/containers/{id}/checkpoints', 'checkpoints'],
  ['POST', '/containers/{id}/checkpoints', 'checkpoints'],
  ['DELETE', '/containers/{id}/checkpoints/{checkpoint}', 'checkpoints'],
  ['POST', '/build', 'building images'],
  ['POST', '/build/cancel', 'building images'],
  ['POST', '/session', 'build sessions'],
  ['POST', '/grpc', 'build sessions'],
  ['GET', '/plugins/privileges', 'plugins'],
  ['POST', '/plugins/pull', 'plugins'],
  ['POST', '/plugins/create', 'plugins'],
  ['GET', '/plugins/{name...}/json', 'plugins'],
  ['POST', '/plugins/{name...}/enable', 'plugins'],
  ['POST', '/plugins/{name...}/disable', 'plugins'],
  ['POST', '/plugins/{name...}/upgrade', 'plugins'],
  ['POST', '/plugins/{name...}/push', 'plugins'],
  ['POST', '/plugins/{name...}/set', 'plugins'],
  ['DELETE', '/plugins/{name...}', 'plugins'],
  ['POST', '/swarm/init', 'swarm mode'],
  ['POST', '/swarm/join', 'swarm mode'],
];

/** Paths that a node outside a swarm answers with 503. */
const SWARM: readonly (readonly [Route['method'], string])[] = [
  ['GET', '/swarm'],
  ['GET', '/swarm/unlockkey'],
  ['POST', '/swarm/update'],
  ['POST', '/swarm/unlock'],
  ['GET', '/services'],
  ['GET', '/services/{id}'],
  ['GET', '/services/{id}/logs'],
  ['POST', '/services/create'],
  ['POST', '/services/{id}/update'],
  ['DELETE', '/services/{id}'],
  ['GET', '/nodes'],
  ['GET', '/nodes/{id}'],
  ['POST', '/nodes/{id}/update'],
  ['DELETE', '/nodes/{id}'],
  ['GET', '/tasks'],
  ['GET', '/tasks/{id}'],
  ['GET', '/tasks/{id}/logs'],
  ['GET', '/secrets'],
  ['GET', '/secrets/{id}'],
  ['POST', '/secrets/create'],
  ['POST', '/secrets/{id}/update'],
  ['DELETE', '/secrets/{id}'],
  ['GET', '/configs'],
  ['GET', '/configs/{id}'],
  ['POST', '/configs/create'],
  ['POST', '/configs/{id}/update'],
  ['DELETE', '/configs/{id}'],
];

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const refuseSwarm: Handler = () => {
  throw new WharfError('unavailable', NOT_A_MANAGER);
};

/** Everything of the API that has no backend. */
export const absentRoutes: readonly Route[] = [
  { method: 'GET', path: '/plugins', handler: (call) => sendJson(call, 200, []) },
  {
    method: 'POST',
    path: '/swarm/leave',
    handler: () => {
      throw new WharfError('unavailable', 'This node is not part of a swarm');
    },
  },
  ...SWARM.map(([method, path]) => ({ method, path, handler: refuseSwarm })),
  ...NOT_YET.map(([method, path, what]) => ({
    method,
    path,
    handler: () => {
      throw new WharfError('not-implemented', `${what} is not supported by this version of Wharf`);
    },
  })),
];
