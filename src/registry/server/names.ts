// The grammar of OCI Distribution 1.1, "Pulling manifests". Checked before anything is looked up, so that no name, tag or
// digest of a request ever comes near a path.
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const UPLOAD = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Longest name of a repository, as other registries and clients have it. */
const MAX_NAME = 255;

/** True for the name of a repository. */
export function isRepositoryName(text: string): boolean {
  return text.length <= MAX_NAME && NAME.test(text);
}

/** True for a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** True for the id of an upload. */
export function isUploadId(text: string): boolean {
  return UPLOAD.test(text);
}

/** Sorts as the specification wants tags listed: without regard to case; names that differ in case alone by code. */
export function listingKey(name: string): string {
  return `${name.toLowerCase()}\0${name}`;
}
