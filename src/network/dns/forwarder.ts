import { isTruncated, type Question, RCODE, respond, responseCode, truncate, udpLimit } from './message.ts';
import { type TakeReply, type Upstream, UpstreamSocket } from './upstream-socket.ts';
import { askOverTcp } from './upstream-tcp.ts';

/** Milliseconds: how long one server alone is waited for, how long a question is pursued, and how long a silent server is asked last. */
export interface Patience {
  next: number;
  total: number;
  suspect: number;
}

/** Clients ask again or give up after five seconds (resolv.conf(5), `timeout`): they hear of a failure before that. */
const PATIENCE: Patience = { next: 1500, total: 4500, suspect: 10_000 };

/** After these codes another server is asked: they tell of the server, not of the name. */
const UNHELPFUL: readonly number[] = [RCODE.SERVFAIL, RCODE.NOTIMP, RCODE.REFUSED];

/** Asks name servers in turn, from one namespace. */
export class Forwarder {
  private readonly servers: () => readonly string[];
  private readonly netns: string | undefined;
  private readonly patience: Patience;
  /** Servers that were silent, and until when they are asked last. */
  private readonly suspects = new Map<string, number>();
  private readonly sockets = new Map<string, UpstreamSocket>();
  /** Ends of what is under way. */
  private readonly endings = new Set<(reply: undefined) => void>();

  /** `servers` are asked in order, from the namespace at the path `netns` or from the daemon's own. */
  constructor(servers: () => readonly string[], netns?: string, patience: Patience = PATIENCE) {
    this.servers = servers;
    this.netns = netns;
    this.patience = patience;
  }

  /** The first helpful reply of any server; else the first of the others; else, or when time is up, SERVFAIL. Never fails. */
  async ask(question: Question, overTcp: boolean): Promise<Buffer> {
    const reply = await this.pursue(question, overTcp);
    if (!reply) return respond(question, RCODE.SERVFAIL, [], 0, udpLimit(question));
    // The client finds its own id, and the letters of its own question, which is as long as the reply's.
    question.message.copy(reply, 0, 0, 2);
    question.message.copy(reply, 12, 12, question.end);
    return overTcp || reply.length <= udpLimit(question) ? reply : truncate(reply, question);
  }

  /** What is under way fails at once. */
  close(): void {
    for (const end of this.endings) end(undefined);
  }

  /** Asks the servers one after another: the next one when the last failed, or was silent for a while; it is still listened to then. */
  private pursue(question: Question, overTcp: boolean): Promise<Buffer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    const order = this.order();
    const plan = [...order, ...order];
    const failed = new Set<string>();
    const cancels: (() => void)[] = [];
    let unhelpful: Buffer | undefined;
    let under = 0;
    let patience: NodeJS.Timeout | undefined;
    const finish = (reply: Buffer | undefined) => {
      clearTimeout(patience);
      clearTimeout(deadline);
      plan.length = 0;
      this.endings.delete(finish);
      for (const cancel of cancels) cancel();
      resolve(reply);
    };
    const next = () => {
      clearTimeout(patience);
      const ip = plan.find((server) => !failed.has(server));
      if (ip === undefined) return under > 0 ? undefined : finish(unhelpful);
      plan.splice(0, plan.indexOf(ip) + 1);
      under += 1;
      patience = setTimeout(() => {
        this.suspects.set(ip, performance.now() + this.patience.suspect);
        next();
      }, this.patience.next);
      const take: TakeReply = (reply) => {
        under -= 1;
        if (reply) this.suspects.delete(ip);
        if (reply && !UNHELPFUL.includes(responseCode(reply))) return finish(reply);
        unhelpful ??= reply;
        failed.add(ip);
        next();
      };
      cancels.push(this.exchange(ip, question, overTcp, take));
    };
    this.endings.add(finish);
    const deadline = setTimeout(() => finish(unhelpful), this.patience.total);
    next();
    return promise;
  }

  /** One server, over UDP, and over TCP when its reply was cut and the client can take a longer one. */
  private exchange(ip: string, question: Question, overTcp: boolean, take: TakeReply): () => void {
    const upstream: Upstream = this.netns === undefined ? { ip } : { ip, netns: this.netns };
    let cancel = () => {};
    const takeUdp: TakeReply = (cut) => {
      if (!cut || !isTruncated(cut) || !(overTcp || question.edns)) return take(cut);
      const takeTcp: TakeReply = (whole) =>
        take(whole && (overTcp || whole.length <= udpLimit(question)) ? whole : cut);
      cancel = orNothing(takeTcp, () => askOverTcp(upstream, question, takeTcp));
    };
    cancel = orNothing(takeUdp, () => this.socketTo(upstream).ask(question, takeUdp));
    return () => cancel();
  }

  private socketTo(upstream: Upstream): UpstreamSocket {
    const { ip } = upstream;
    const there = this.sockets.get(ip);
    if (there?.hasRoom) return there;
    const made = new UpstreamSocket(upstream, () => {
      if (this.sockets.get(ip) === made) this.sockets.delete(ip);
    });
    this.sockets.set(ip, made);
    return made;
  }

  /** The servers in their order, those last that were silent lately. */
  private order(): string[] {
    const now = performance.now();
    const isSuspect = (ip: string) => Number((this.suspects.get(ip) ?? 0) > now);
    return [...new Set(this.servers())].sort((a, b) => isSuspect(a) - isSuspect(b));
  }
}

/** What `start` gives, or, where it throws (no route to the server, no descriptor left), no reply a moment later. */
function orNothing(take: TakeReply, start: () => () => void): () => void {
  try {
    return start();
  } catch {
    const soon = setImmediate(take, undefined);
    return () => clearImmediate(soon);
  }
}
