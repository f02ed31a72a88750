import { closeSync, openSync, unlinkSync } from 'node:fs';
import { check, fromNodeError, isErrno } from './errno.ts';
import { O } from './fd.ts';
import { libcFunction } from './libc.ts';
import { mount, umount } from './mount.ts';
import { RouteSocket } from './netlink/route-socket.ts';
import { awayFromNetns, OWN_NETNS } from './netns-switch.ts';

const CLONE_NEWNET = 0x40000000;

const unshareCall = libcFunction<[number]>('int unshare(int flags)');

/** Makes a network namespace with its loopback up, kept alive by a bind mount on the new file `pinPath`. */
export function createNetns(pinPath: string): void {
  try {
    closeSync(openSync(pinPath, O.CREAT | O.EXCL | O.RDONLY, 0o444));
  } catch (thrown) {
    throw fromNodeError(thrown, 'open', pinPath);
  }
  try {
    awayFromNetns(() => {
      check(unshareCall(CLONE_NEWNET), 'unshare', 'network namespace');
      using socket = RouteSocket.open();
      socket.setUp('lo');
      mount({ source: OWN_NETNS, target: pinPath, flags: ['bind'] });
    });
  } catch (thrown) {
    unlinkSync(pinPath);
    throw thrown;
  }
}

/** Lets go of a namespace: unpins it and removes the file. The kernel reaps it when its last process is gone. Nothing there is no error. */
export function deleteNetns(pinPath: string): void {
  try {
    umount(pinPath, { detach: true });
  } catch (thrown) {
    if (!isErrno(thrown, 'EINVAL', 'ENOENT')) throw thrown;
  }
  try {
    unlinkSync(pinPath);
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT')) throw fromNodeError(thrown, 'unlink', pinPath);
  }
}
