import type { EventMessage } from '../../api/index.ts';
import { type Clock, WharfError } from '../../base/index.ts';
import type { EngineEvent, EventBus } from './types.ts';

/** Events kept for `since`, as many as Docker keeps. */
const KEPT = 1_024;
/** A subscriber further behind than this is cut off. */
const MAX_BEHIND = 4_096;

/** An event as the wire shows it: the deprecated fields `status`, `id` and `from` go with container and image events. */
interface WireEvent extends EventMessage {
  status?: string;
  id?: string;
  from?: string;
}

interface Subscriber {
  queue: EventMessage[];
  wake: (() => void) | undefined;
  lost: boolean;
}

/** Makes the engine's event bus. Times never go back or repeat, so that `since` can name a place between two events. */
export function createEventBus(clock: Pick<Clock, 'nowNanos'>): EventBus {
  const ring: EventMessage[] = [];
  const subscribers = new Set<Subscriber>();
  const exactTimes = new WeakMap<EventMessage, bigint>();
  let last = 0n;

  const publish = (event: EngineEvent) => {
    const now = clock.nowNanos();
    last = now > last ? now : last + 1n;
    const message = toWire(event, last);
    exactTimes.set(message, last);
    ring.push(message);
    if (ring.length > KEPT) ring.shift();
    for (const one of subscribers) {
      if (one.queue.length >= MAX_BEHIND) one.lost = true;
      else one.queue.push(message);
      one.wake?.();
    }
  };

  const timeOf = (message: EventMessage) => exactTimes.get(message) ?? 0n;

  const past = (range: { since?: bigint; until?: bigint }): EventMessage[] => {
    const { since, until } = range;
    // Without `since` a client sees only what happens from now on, unless it asks for a closed range.
    if (since === undefined && until === undefined) return [];
    return ring.filter(
      (one) => timeOf(one) >= (since ?? 0n) && (until === undefined || timeOf(one) <= until),
    );
  };

  const subscribe = (
    range: { since?: bigint; until?: bigint },
    signal: AbortSignal,
  ): AsyncIterable<EventMessage> => {
    const own: Subscriber = { queue: past(range), wake: undefined, lost: false };
    // Registered at once and not at the first `next`, so that nothing published in between is missed.
    subscribers.add(own);
    const leave = () => subscribers.delete(own);
    signal.addEventListener('abort', leave, { once: true });
    return stream(own, range.until, signal, clock, timeOf, () => {
      signal.removeEventListener('abort', leave);
      leave();
    });
  };

  return { publish, subscribe };
}

async function* stream(
  own: Subscriber,
  until: bigint | undefined,
  signal: AbortSignal,
  clock: Pick<Clock, 'nowNanos'>,
  timeOf: (message: EventMessage) => bigint,
  leave: () => void,
): AsyncGenerator<EventMessage> {
  const wake = () => own.wake?.();
  signal.addEventListener('abort', wake, { once: true });
  const timer = until === undefined ? undefined : timerUntil(until - clock.nowNanos(), wake);
  try {
    while (!signal.aborted) {
      if (own.lost) throw new WharfError('unavailable', 'the event stream was cut: its reader is too slow');
      const message = own.queue.shift();
      if (message) {
        if (until !== undefined && timeOf(message) > until) return;
        yield message;
        continue;
      }
      if (until !== undefined && clock.nowNanos() >= until) return;
      await new Promise<void>((resolve) => {
        own.wake = resolve;
      });
      own.wake = undefined;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
    leave();
  }
}

function timerUntil(nanos: bigint, wake: () => void): NodeJS.Timeout {
  const ms = Number(nanos / 1_000_000n) + 1;
  // Node's timers hold 31 bits of milliseconds; a longer range is ended by its signal.
  return setTimeout(wake, Math.min(Math.max(ms, 0), 0x7fffffff));
}

function toWire(event: EngineEvent, at: bigint): EventMessage {
  const message: WireEvent = {};
  if (event.type === 'container' || event.type === 'image') {
    message.status = event.action;
    message.id = event.id;
    const from = event.attributes['image'];
    if (event.type === 'container' && from !== undefined) message.from = from;
  }
  message.Type = event.type;
  message.Action = event.action;
  message.Actor = { ID: event.id, Attributes: event.attributes };
  message.scope = 'local';
  message.time = Number(at / 1_000_000_000n);
  message.timeNano = Number(at);
  return message;
}
