import { WharfError } from '../../base/index.ts';
import { check, errnoName, lastErrno, systemError } from '../errno.ts';
import { Fd } from '../fd.ts';
import { libcFunction } from '../libc.ts';
import {
  attributeText,
  eachMessage,
  type Message,
  type MessageWriter,
  NLM,
  parseAttributes,
  parseMessages,
} from './message.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_EXT_ACK = 11;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_ACK_TLVS = 0x200;
const NLM_F_CAPPED = 0x100;
const NLMSGERR_ATTR_MSG = 1;
const MSG_DONTWAIT = 0x40;

const socketCall = libcFunction<[number, number, number]>('int socket(int domain, int type, int protocol)');
const bindCall = libcFunction<[number, Buffer, number]>('int bind(int fd, const void *address, uint length)');
const setsockoptCall = libcFunction<[number, number, number, Buffer, number]>(
  'int setsockopt(int fd, int level, int name, const void *value, uint length)',
);
const sendCall = libcFunction<[number, Buffer, number, number]>(
  'long send(int fd, const void *data, size_t length, int flags)',
);
const recvCall = libcFunction<[number, Buffer, number, number]>(
  'long recv(int fd, void *data, size_t length, int flags)',
);

/** `struct sockaddr_nl` that lets the kernel choose the number. */
const ANY_ADDRESS = Buffer.from([AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/**
 * A netlink socket of one family, in the namespace where it was opened. The kernel answers within `send`, so an
 * exchange is synchronous and never waits.
 */
export class NetlinkSocket implements Disposable {
  private readonly owned: Fd;
  private sequence = 0;
  private readonly receiveBuffer = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(protocol: number) {
    this.owned = new Fd(check(socketCall(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol), 'socket', 'netlink'));
    const on = Buffer.from([1, 0, 0, 0]);
    // Texts beside the errno are a convenience: an old kernel without them is fine.
    setsockoptCall(this.owned.fd, SOL_NETLINK, NETLINK_EXT_ACK, on, 4);
  }

  /** Sends a change and reads its acknowledgement; `what` names it in an error. */
  execute(type: number, flags: number, message: MessageWriter, what: string): void {
    this.exchange(type, NLM.REQUEST | NLM.ACK | flags, message, what);
  }

  /** Sends a question and gives the messages of the answer. With `NLM.DUMP`, all parts of it. */
  query(type: number, flags: number, message: MessageWriter, what: string): Message[] {
    return this.exchange(type, NLM.REQUEST | flags | (flags & NLM.DUMP ? 0 : NLM.ACK), message, what);
  }

  /** The descriptor, to be watched. */
  get fd(): number {
    return this.owned.fd;
  }

  /** Joins multicast groups, whose messages `drain` takes; once. Such a socket is not for exchanges. */
  join(groups: readonly number[]): void {
    // Unbound it would have the kernel's own number, 0, and what the kernel tells is not told to its sender.
    check(bindCall(this.owned.fd, ANY_ADDRESS, ANY_ADDRESS.length), 'bind', 'netlink');
    const value = Buffer.alloc(4);
    for (const group of groups) {
      value.writeUInt32LE(group);
      const done = setsockoptCall(this.owned.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, value, 4);
      check(done, 'setsockopt', `netlink group ${group}`);
    }
  }

  /**
   * Takes all messages that wait; the payload is `data` from `start` to `end`, valid during the call only. False when the
   * kernel had to drop some for lack of room.
   */
  drain(visit: (type: number, data: Buffer, start: number, end: number) => void): boolean {
    for (let complete = true; ; ) {
      const length = recvCall(this.owned.fd, this.receiveBuffer, this.receiveBuffer.length, MSG_DONTWAIT);
      if (length >= 0) {
        const data = this.receiveBuffer.subarray(0, length);
        eachMessage(data, (type, start, end) => visit(type, data, start, end));
        continue;
      }
      const errno = lastErrno();
      const name = errnoName(errno);
      if (name === 'EAGAIN') return complete;
      if (name === 'ENOBUFS') complete = false;
      else if (name !== 'EINTR') throw systemError('recv', 'netlink', errno);
    }
  }

  close(): void {
    this.owned.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private exchange(type: number, flags: number, message: MessageWriter, what: string): Message[] {
    this.sequence = (this.sequence + 1) >>> 0;
    const data = message.finish(type, flags, this.sequence);
    check(sendCall(this.owned.fd, data, data.length, 0), 'send', what);
    const answers: Message[] = [];
    for (;;) {
      for (const answer of parseMessages(this.receive(what))) {
        if (answer.sequence !== this.sequence) continue;
        if (answer.type === NLMSG_ERROR) {
          throwError(answer, what);
          return answers;
        }
        if (answer.type === NLMSG_DONE) return answers;
        answers.push(answer);
      }
    }
  }

  /** A copy of one datagram: answers keep views of it while the buffer is used again. */
  private receive(what: string): Buffer {
    const length = recvCall(this.owned.fd, this.receiveBuffer, this.receiveBuffer.length, MSG_DONTWAIT);
    if (length > 0) return Buffer.from(this.receiveBuffer.subarray(0, length));
    if (length === 0) throw new WharfError('internal', `netlink ${what}: no answer`);
    throw systemError('recv', what, lastErrno());
  }
}

/** Throws the errno of an acknowledgement, with the kernel's own words where it gave them. Zero is success. */
function throwError(answer: Message, what: string): void {
  const errno = -answer.payload.readInt32LE(0);
  if (errno === 0) return;
  let text: string | undefined;
  if (answer.flags & NLM_F_ACK_TLVS) {
    const capped = (answer.flags & NLM_F_CAPPED) !== 0;
    const request = capped ? 16 : answer.payload.readUInt32LE(4);
    text = attributeText(
      parseAttributes(answer.payload.subarray(4 + ((request + 3) & ~3))).get(NLMSGERR_ATTR_MSG),
    );
  }
  throw systemError('netlink', what, errno, text);
}
