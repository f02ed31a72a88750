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
    case 'volumes':
      return ((await listVolumes(context.client(), undefined)).Volumes ?? []).map((each) => each.Name);
    case 'networks':
      return (await listNetworks(context.client(), undefined)).map((each) => each.Name);
    case 'contexts':
      return ['default', ...storedContexts(context.config().dir).map((each) => each.name)];
  }
}
