import type { ContainerConfig } from '../../api/index.ts';

/** Images and archives made from containers, as the routes need them. `ref` is a name or an id (prefix). */
export interface CommitsBackend {
  /** Makes an image of a container's changes. Nothing of it stays when this fails. */
  commit(
    input: {
      ref: string;
      repo: string;
      tag: string;
      author: string;
      comment: string;
      /** Dockerfile instructions applied to the image's config. */
      changes: string[];
      /** Whether a running container is paused for it. */
      pause: boolean;
      /** Takes the place of the container's config, which completes it. */
      config?: ContainerConfig | undefined;
      /** When the image counts as made, in nanoseconds since 1970: the same content gives the same image then. */
      timeNs?: bigint | undefined;
    },
    signal: AbortSignal,
  ): Promise<{ id: string }>;
  /** The tar of a container's whole filesystem, without what is mounted in it. It fails when it can't be whole. */
  export(ref: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}
