import { readTar, writeTar } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';

/**
 * A tar whose entries all lie under `from`, under another name. Throws `corrupt` for an entry that lies elsewhere: it was
 * not asked for.
 */
export async function* rebased(
  archive: AsyncIterable<Uint8Array>,
  from: string,
  to: string,
): AsyncGenerator<Uint8Array> {
  const moved = (name: string): string => {
    if (from === '/') return to + (name.startsWith('/') ? name : `/${name}`);
    if (name === from || name.startsWith(`${from}/`)) return to + name.slice(from.length);
    throw new WharfError(
      'corrupt',
      `invalid copy source content: ${JSON.stringify(name)} is not in ${JSON.stringify(from)}`,
    );
  };
  yield* writeTar(
    (async function* () {
      for await (const entry of readTar(archive, UNBOUNDED)) {
        const linkName = entry.type === 'link' ? moved(entry.linkName) : entry.linkName;
        yield { ...entry, name: moved(entry.name), linkName };
      }
    })(),
  );
}

/** What is copied is the user's own, of any size. */
const UNBOUNDED = { maxEntries: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
