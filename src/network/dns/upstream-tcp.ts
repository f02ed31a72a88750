import { randomInt } from 'node:crypto';
import { isIPv6, Socket } from 'node:net';
import { openSocket } from '../../sys/index.ts';
import { answersQuestion, type Question } from './message.ts';
import { Framed, frame } from './tcp.ts';
import type { TakeReply, Upstream } from './upstream-socket.ts';

const LONGEST_MESSAGE = 0xffff;

/** Asks one name server over a TCP connection of its own. The result stops it. */
export function askOverTcp({ ip, netns }: Upstream, question: Question, take: TakeReply): () => void {
  const id = randomInt(0x10000);
  const message = Buffer.from(question.message);
  message.writeUInt16BE(id, 0);
  const received = new Framed(LONGEST_MESSAGE);
  const family = isIPv6(ip.replace(/%.*/, '')) ? 6 : 4;
  const { fd } = openSocket({
    family,
    type: 'stream',
    connect: { ip, port: 53 },
    ...(netns ? { netns } : {}),
  });
  // Node owns the descriptor from here on; what is written before the connection stands waits in its queue.
  const socket = new Socket({ fd });
  let taken = false;
  const end = (reply: Buffer | undefined) => {
    socket.destroy();
    if (!taken) take(reply);
    taken = true;
  };
  socket.on('error', () => end(undefined));
  socket.on('close', () => end(undefined));
  socket.on('data', (chunk) => {
    received.push(chunk, (reply) =>
      end(answersQuestion(reply, question, id) ? Buffer.from(reply) : undefined),
    );
  });
  socket.write(frame(message));
  return () => {
    taken = true;
    socket.destroy();
  };
}
