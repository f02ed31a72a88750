import { WharfError } from '../base/index.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** A file name's length on Linux: the volume's directory carries its name. */
const MAX_NAME_BYTES = 255;

/** Refuses what can't be the name of a local volume, with Docker's texts. Errors: `invalid`. */
export function checkVolumeName(name: string): void {
  if (name.length === 1) {
    throw new WharfError(
      'invalid',
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (!NAME.test(name)) {
    throw new WharfError(
      'invalid',
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (name.length > MAX_NAME_BYTES) {
    throw new WharfError('invalid', `create ${name}: volume name is longer than ${MAX_NAME_BYTES} bytes`);
  }
}
