import { WharfError } from '../../base/index.ts';
import { parseReference } from '../../oci/index.ts';
import { nameImage, type RegisterDeps } from './register.ts';

/** Gives an image one more name, taking it from whoever has it. Errors: `not-found` source, `invalid` target. */
export function tagImage(deps: RegisterDeps, ref: string, target: { repo: string; tag: string }): void {
  const image = deps.images.resolve(ref);
  const text = target.tag ? `${target.repo}:${target.tag}` : target.repo;
  const parsed = parseReference(text);
  if (parsed.digest) throw new WharfError('invalid', 'refusing to create a tag with a digest reference');
  nameImage(deps, image, `${parsed.domain}/${parsed.path}:${parsed.tag ?? 'latest'}`);
}
