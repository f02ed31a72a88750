import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { abortable, WharfError } from '../../base/index.ts';
import { UnixDatagram } from '../../sys/index.ts';
import { dialFailure } from './dial-failure.ts';

/** Where datagrams go: a host and port, or a Unix socket. */
export interface DatagramTarget {
  network: 'udp' | 'unixgram';
  host: string;
  port: number;
  path: string;
}

/** Sends datagrams; opened when it is needed, and anew after a failure. */
export class DatagramConnection {
  private readonly target: DatagramTarget;
  private udp: Socket | undefined;
  private unix: UnixDatagram | undefined;
  /** An error that an earlier datagram brought back (ICMP): it and those since may be lost. */
  private failure: unknown;

  constructor(target: DatagramTarget) {
    this.target = target;
  }

  /** Opens the socket without sending. Errors: `unavailable` with the text that the reference engine has for it. */
  async open(signal: AbortSignal): Promise<void> {
    if (this.udp || this.unix) return;
    signal.throwIfAborted();
    try {
      if (this.target.network === 'unixgram') this.unix = UnixDatagram.connect(this.target.path);
      else this.udp = await abortable(this.openUdp(), signal);
    } catch (thrown) {
      signal.throwIfAborted();
      throw dialFailure(this.target.network, this.target, thrown);
    }
  }

  private async openUdp(): Promise<Socket> {
    const { host, port } = this.target;
    if (port > 65_535) throw new WharfError('unavailable', `dial udp: address ${port}: invalid port`);
    const { address, family } = isIP(host) ? { address: host, family: isIP(host) } : await lookup(host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.on('error', (thrown) => {
      this.failure = thrown;
    });
    socket.unref();
    await new Promise<void>((resolve) => {
      socket.connect(port, address, () => resolve());
    });
    return socket;
  }

  /** Sends one. Errors: `unavailable`; the socket is then opened anew by the next. */
  async send(data: Buffer, signal: AbortSignal): Promise<void> {
    await this.open(signal);
    try {
      if (this.unix) await abortable(this.unix.send(data), signal);
      else await this.sendUdp(data);
    } catch (thrown) {
      this.drop();
      signal.throwIfAborted();
      throw dialFailure(this.target.network, this.target, thrown);
    }
  }

  private async sendUdp(data: Buffer): Promise<void> {
    const failure = this.failure;
    if (failure) throw failure;
    await new Promise<void>((resolve, reject) => {
      this.udp?.send(data, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Closes the socket. Safe to call again. */
  drop(): void {
    this.udp?.close();
    this.unix?.close();
    this.udp = undefined;
    this.unix = undefined;
    this.failure = undefined;
  }
}
