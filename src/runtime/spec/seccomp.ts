/** A profile in the format of containers-common and Docker, before its conditions are resolved. */
export interface SeccompProfile {
  defaultAction: string;
}
/** Loads the profile file. Errors: `invalid` when it is not a profile, `not-found`. */
export function loadSeccompProfile(_path: string): SeccompProfile {
  throw new Error('loadSeccompProfile');
}
