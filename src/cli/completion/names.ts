import { listContainers, listImages, listNetworks, listVolumes } from '../../client/index.ts';
import type { Completable, Context } from '../command.ts';
import { storedContexts } from '../config.ts';

/** Objects whose names can be offered. */
export type Listed = Exclude<Completable, 'files'>;

/** The names of all such objects; none when the engine cannot be asked. */
export async function names(context: Context, kind: Listed): Promise<string[]> {
  try {
    return await ask(context, kind);
  } catch {
    return [];
  }
}

async function ask(context: Context, kind: Listed): Promise<string[]> {
  switch (kind) {
    case 'containers':
    case 'running':
      return (await listContainers(context.client(), { all: kind === 'containers' }))
        .flatMap((each) => each.Names ?? [])
        .map((name) => name.replace(/^\//, ''))
        .filter((name) => !name.includes('/'));
    case 'images':
      return (await listImages(context.client(), {}))
        .flatMap((each) => each.RepoTags ?? [])
        .filter((tag) => tag !== '<none>:<none>');
    case 'registries':
      return registries(context);
    case 'remote':
      return [
        ...new Set([...(await names(context, 'images')), ...registries(context).map((host) => `${host}/`)]),
      ];
    case 'volumes':
      return ((await listVolumes(context.client(), undefined)).Volumes ?? []).map((each) => each.Name);
    case 'paths':
      return (await names(context, 'containers')).map((name) => `${name}:`);
    case 'networks':
      return (await listNetworks(context.client(), undefined)).map((each) => each.Name);
    case 'contexts':
      return ['default', ...storedContexts(context.config().dir).map((each) => each.name)];
  }
}

/** The registries for which `config.json` has credentials, or a program that keeps them. */
function registries(context: Context): string[] {
  const { auths, credHelpers } = context.config();
  return [...Object.keys(auths ?? {}), ...Object.keys(credHelpers ?? {})]
    .map((address) => address.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '')
    .filter((host) => host !== '' && host !== 'index.docker.io')
    .sort();
}
