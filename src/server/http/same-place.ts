import { placeText, processPlace, socketPeer } from '../../sys/index.ts';
import { descriptorOf } from '../streams/vanished.ts';
import type { Call } from './call.ts';

/**
 * True when the client is root and sees this host's files as the daemon does, so that a path of its own means the same here.
 * `told` is where it says that it runs: whoever only passes a connection on for somebody else runs elsewhere than that. What
 * cannot be known is no.
 */
export function isInSamePlace({ request }: Call, told: string): boolean {
  const fd = descriptorOf(request.socket);
  const peer = fd === undefined ? undefined : socketPeer(fd);
  if (peer?.uid !== 0) return false;
  const [place, own] = [processPlace(peer.pid), processPlace(process.pid)];
  if (!place || !own) return false;
  return placeText(place) === told && place.mounts === own.mounts && place.root === own.root;
}
