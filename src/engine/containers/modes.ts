/** The container that a mode `container:REF` names; undefined for other modes. */
export function modeContainer(mode: string | undefined): string | undefined {
  return mode?.startsWith('container:') ? mode.slice('container:'.length) : undefined;
}

/** Networks that exist without being made; a container's `NetworkMode` is one of them, `container:ID`, or a network's name. */
export function isPredefinedNetwork(name: string): boolean {
  return name === 'bridge' || name === 'host' || name === 'none';
}
