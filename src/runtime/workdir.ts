/** Makes the working directory in a mounted root where it is missing (0755 root:root) and refuses one that leaves it. Errors: `invalid` with Docker's texts. */
export function prepareWorkdir(_root: { readonly fd: number } | string, _dir: string): void {
  throw new Error('prepareWorkdir');
}
