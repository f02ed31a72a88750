export {
  type FileStat,
  fchmodat,
  fchownat,
  fstatat,
  linkat,
  mkdirat,
  mknodat,
  readlinkat,
  renameat2,
  symlinkat,
  unlinkat,
  utimensat,
} from './at.ts';
export { BackgroundThread } from './background-thread.ts';
export { type CgroupHierarchy, cgroupPaths, cgroupPids, detectCgroups, removeCgroup } from './cgroup.ts';
export { type Datagram, receiveDatagrams, sendDatagrams } from './datagrams.ts';
export { deleteTree } from './delete-tree.ts';
export { diskUsage } from './disk-usage.ts';
export { fromNodeError, isErrno, systemError } from './errno.ts';
export { exitNow } from './exit.ts';
export { duplicateFd, Fd, flock, O, pipe2 } from './fd.ts';
export { decodeName, encodeName, readNames } from './file-name.ts';
export { fallocate, punchHole, reserveSpace, seekData, seekHole } from './file-space.ts';
export { mkdirAllInRoot, readFileInRoot } from './in-root.ts';
export {
  acceptSocket,
  openSocket,
  peerName,
  type SocketRequest,
  socketError,
  socketName,
} from './inet-socket.ts';
export { type Inflater, openGunzip, openUnzstd } from './inflate.ts';
export { spreadBelow } from './inode-flags.ts';
export { attachLoop, type LoopDevice } from './loop-device.ts';
export {
  type FileSystemStat,
  type MountRequest,
  mount,
  statfs,
  syncfs,
  umount,
  umountIfMounted,
  umountLater,
} from './mount.ts';
export { type MountInfo, mountInfo, parseMountInfo } from './mount-info.ts';
export { mountLater } from './mount-later.ts';
export { createNetns, deleteNetns } from './namespace.ts';
export { addressBytes } from './netlink/address.ts';
export { type Connection, deleteConnections } from './netlink/conntrack.ts';
export type { Ipvlan, Macvlan, VethPair, Vlan } from './netlink/link-message.ts';
export { type NftChange, watchNftables, watchRoutes } from './netlink/monitor.ts';
export type { RouteSpec, RuleSpec } from './netlink/route-message.ts';
export { RouteSocket } from './netlink/route-socket.ts';
export type { Link, LinkAddress, LinkStats, Route } from './netlink/types.ts';
export { inOtherNetns, withNetns } from './netns-switch.ts';
export { nftJson, runNft } from './nft.ts';
export { type OpenHow, openat2, openInRoot, RESOLVE } from './openat2.ts';
export { type ExitStatus, openPidfd, pidfdExited, pidfdSendSignal } from './pidfd.ts';
export { FdWatch, pollFd, type Readiness } from './poll.ts';
export { type ProcessStatus, prctlSubreaper, processStartTicks, processStatus } from './process.ts';
export { type ProcessPlace, placeText, processPlace } from './process-place.ts';
export { limitProject, projectUsage } from './project-quota.ts';
export { removeTree } from './remove-tree.ts';
export { memoryFile, sealedFile } from './sealed.ts';
export { compileSeccomp, type FilterCondition, type FilterRule, type FilterSource } from './seccomp.ts';
export { unacknowledged } from './send-queue.ts';
export { SeqpacketConnection } from './seqpacket.ts';
export { shutDownFilesystem } from './shutdown.ts';
export { signalName, signalNumber } from './signals.ts';
export { decodeSocketAddress, encodeSocketAddress, type SocketAddress } from './socket-address.ts';
export { type ChildProcessHandle, type SpawnRequest, spawnProcess } from './spawn.ts';
export { mkfifo, type SystemInfo, sysinfo, uname } from './system.ts';
export { TreeCursor } from './tree-cursor.ts';
export { UnixDatagram } from './unix-datagram.ts';
export { hungUp, socketPeer } from './unix-socket.ts';
export {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
} from './xattr.ts';
