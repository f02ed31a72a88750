import type {
  CommitsBackend,
  ContainersBackend,
  CopiesBackend,
  ExecsBackend,
  ImagesBackend,
  NetworksBackend,
  PlansBackend,
  SystemBackend,
  VolumesBackend,
} from './backend/index.ts';

/** All that the routes call; the daemon passes the engine in. */
export interface Backends {
  containers: ContainersBackend;
  copies: CopiesBackend;
  commits: CommitsBackend;
  execs: ExecsBackend;
  images: ImagesBackend;
  volumes: VolumesBackend;
  networks: NetworksBackend;
  system: SystemBackend;
  plans: PlansBackend;
}
