import { WharfError } from '../base/index.ts';

/** An Engine API version as its minor number: all supported ones are 1.x. */
export type ApiVersion = number;

/** The newest version that is spoken, and the default of unversioned paths. */
export const MAX_API_VERSION: ApiVersion = 51;
/** The oldest version that is spoken. */
export const MIN_API_VERSION: ApiVersion = 24;

/** `1.51`. */
export function formatApiVersion(version: ApiVersion): string {
  return `1.${version}`;
}

/** The version in a path segment such as `v1.51`; undefined when the segment is none. Not checked for support. */
export function versionSegment(segment: string): string | undefined {
  return /^v\d[\d.]*$/.test(segment) ? segment.slice(1) : undefined;
}

/** The version of a request path, refused with `invalid` and Docker's text when it is too old or too new. */
export function parseApiVersion(text: string): ApiVersion {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  if (major > 1 || (major === 1 && minor > MAX_API_VERSION)) {
    throw new WharfError(
      'invalid',
      `client version ${text} is too new. Maximum supported API version is ${formatApiVersion(MAX_API_VERSION)}`,
    );
  }
  if (major < 1 || minor < MIN_API_VERSION) {
    throw new WharfError(
      'invalid',
      `client version ${text} is too old. Minimum supported API version is ${formatApiVersion(MIN_API_VERSION)}, please upgrade your client to a newer version`,
    );
  }
  return minor;
}
