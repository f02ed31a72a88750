import { WharfError } from '../../base/index.ts';
import type { Reference } from '../../oci/index.ts';
import { RegistryError } from '../../registry/client/index.ts';

/** What a registry said of a reference that can't be had, in Docker's words and with the kinds of its statuses. */
export function refusedReference(thrown: unknown, reference: Reference): WharfError {
  const error = WharfError.from(thrown);
  const worded = (kind: WharfError['kind'], message: string) =>
    new WharfError(kind, message, { cause: thrown });
  switch (error.kind) {
    case 'not-found': {
      if (/^name unknown/.test(error.message)) {
        return worded('not-found', `repository ${reference.familiarName} not found: ${error.message}`);
      }
      const said = /^[a-z ]+: /.test(error.message) ? error.message : 'manifest unknown: manifest unknown';
      return worded('not-found', `manifest for ${reference.familiar()} not found: ${said}`);
    }
    case 'forbidden': {
      const said = /denied: /.test(error.message)
        ? error.message
        : 'denied: requested access to the resource is denied';
      return worded(
        'not-found',
        `pull access denied for ${reference.familiarName}, repository does not exist or may require 'docker login': ${said}`,
      );
    }
    // A document that can't be read is the registry's fault, not that of who asks.
    case 'invalid':
      return worded('corrupt', error.message);
    case 'unavailable':
      return worded('internal', error.message);
    // Nothing to log in with, or the way to a token failed: 500 in the reference, unlike what a registry refuses.
    case 'unauthorized':
      return error instanceof RegistryError && error.from === 'login'
        ? worded('internal', error.message)
        : error;
    default:
      return error;
  }
}

/** The image's layers are not those that its config names. The text is Docker's. */
export function layersMismatch(cause?: unknown): WharfError {
  return new WharfError('corrupt', "layers from manifest don't match image configuration", { cause });
}

/** A layer that can't be unpacked, in Docker's words. */
export function failedLayer(thrown: unknown): WharfError {
  const { kind, message } = WharfError.from(thrown);
  return new WharfError(kind, `failed to register layer: ${message}`, { cause: thrown });
}
