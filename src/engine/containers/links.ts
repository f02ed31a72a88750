import type { HostConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { ContainerStore } from './store.ts';

/** `name` or `name:alias`. Undefined when malformed. */
export function parseLink(link: string): { ref: string; alias: string } | undefined {
  const [ref = '', alias = ref, ...rest] = link.split(':');
  if (ref === '' || alias === '' || rest.length > 0) return undefined;
  return { ref, alias: alias.replace(/^.*\//, '') };
}

/** Each link must name a container. Errors: `invalid`, with Docker's texts. */
export function checkLinks(store: Pick<ContainerStore, 'resolve'>, hostConfig: HostConfig): void {
  for (const link of hostConfig.Links ?? []) {
    const parsed = parseLink(link);
    if (!parsed) throw new WharfError('internal', `bad format for links: ${link}`);
    try {
      store.resolve(parsed.ref);
    } catch (thrown) {
      throw new WharfError(
        'invalid',
        `could not get container for ${parsed.ref}: ${WharfError.from(thrown).message}`,
      );
    }
  }
}
