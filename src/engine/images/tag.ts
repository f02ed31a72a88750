import { nameImage, type RegisterDeps } from './register.ts';
import { targetName } from './target-name.ts';

/**
 * Gives an image one more name, taking it from whoever has it. As in Docker, nothing happens when no name is given.
 * Errors: `not-found` source, `invalid` target.
 */
export function tagImage(
  deps: Pick<RegisterDeps, 'images' | 'events' | 'clock'>,
  ref: string,
  target: { repo: string; tag: string },
): void {
  const image = deps.images.resolve(ref);
  const name = targetName(target.repo, target.tag);
  if (name) nameImage(deps, image, name);
}
