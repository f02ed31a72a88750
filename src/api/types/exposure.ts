/** One way to a container's port: an item of `GET /wharf/networks/exposure`, which is Wharf's own. */
export interface ExposureDocument {
  ContainerID: string;
  /** Without the slash. */
  ContainerName: string;
  /** Name of the network; `host` for a container on the host's stack. */
  Network: string;
  /** `80/tcp`, or `any` where every port is open. */
  Port: string;
  /** Address and port that reach it: `0.0.0.0:8080`, `[::]:8080`, `172.18.0.2:80`. */
  At: string;
  /** The widest vantage: `container` (itself), `network` (containers on the same network), `host`, `lan` (other hosts). */
  From: 'container' | 'network' | 'host' | 'lan';
  /** A sentence for people. */
  Why: string;
}
