import type { ApiVersion } from '../../api/index.ts';
import type { Call } from './call.ts';

/** Answers a call completely, or throws; what it throws becomes the answer. */
export type Handler = (call: Call) => void | Promise<void>;

/**
 * One line of the API. In `path`, `{name}` stands for one segment and `{name...}` for one or more.
 */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly handler: Handler;
  /** Older versions answer "page not found". */
  readonly minVersion?: ApiVersion;
  /** The connection may leave HTTP by `Upgrade: tcp` or `Upgrade: websocket`. */
  readonly hijacks?: 'tcp' | 'websocket';
}
