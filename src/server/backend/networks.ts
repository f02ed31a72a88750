import type { Filters } from '../../api/filters.ts';
import type {
  EndpointSettings,
  ExposureDocument,
  IPAMConfig,
  Network,
  NetworkCreateRequest,
} from '../../api/index.ts';

/** Network operations as the routes need them. `ref` is a name, a full id or a unique id prefix; texts of errors are Docker's. */
export interface NetworksBackend {
  list(filters: Filters): Promise<Network[]>;
  inspect(ref: string, options: { verbose: boolean; scope?: string }): Promise<Network>;
  create(request: NetworkCreateRequest): Promise<{ id: string; warning: string }>;
  remove(ref: string): Promise<void>;
  prune(filters: Filters): Promise<{ deleted: string[] }>;
  /** `container` is a name or an id. A stopped container joins at its next start. */
  connect(ref: string, input: { container: string; settings?: EndpointSettings }): Promise<void>;
  disconnect(ref: string, input: { container: string; force: boolean }): Promise<void>;
  /** Gives a network other subnets, chosen anew where none are given; running containers follow. Wharf's own. */
  renumber(ref: string, config: IPAMConfig[] | undefined): Promise<Network>;
  /** Every way to a port of a running container. Wharf's own. */
  exposure(): Promise<ExposureDocument[]>;
}
