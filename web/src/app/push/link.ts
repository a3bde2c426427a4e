import { backoffMs, refusedMs } from './backoff';
import { Protocol } from './notification';

/** Three heartbeats. */
export const SILENCE_MS = 45_000;
export const OPENING_LIMIT_MS = 10_000;
/** A connection that lasted this long was stable, even without an event. */
const STABLE_AFTER_MS = 5000;
/** An EventSource doesn't expose the status: one that ends this soon without an event was refused. */
const REFUSED_WITHIN_MS = 1000;
const TRY_AGAIN_LATER = 1013;

/** The state of one connection. */
export interface Link {
  readonly number: number;
  readonly protocol: Protocol;
  /** It replaces a lost connection. */
  isReconnect: boolean;
  openedAt: number | null;
  /** The time of the start or of the last event. */
  lastActivityAt: number;
  hasReceived: boolean;
  /** The reconnection time that the service sent. */
  retryMs: number | null;
}

export function newLink(number: number, protocol: Protocol, isReconnect: boolean, now: number): Link {
  return { number, protocol, isReconnect, openedAt: null, lastActivityAt: now, hasReceived: false, retryMs: null };
}

/** The time by which *link* has to open, or to receive its next event. */
export function deadline(link: Link | null): number | null {
  return link && link.lastActivityAt + (link.openedAt === null ? OPENING_LIMIT_MS : SILENCE_MS);
}

/** Whether *link*, which ends *now*, was stable: then the back-off is reset. */
export function wasStable(link: Link, now: number): boolean {
  return link.openedAt !== null && (link.hasReceived || now - link.openedAt >= STABLE_AFTER_MS);
}

/** The delay before attempt number *attempt*, after *link* ended *now* with the close *code* of a WebSocket. */
export function delayMs(link: Link, code: number | null, now: number, attempt: number, random: () => number): number {
  if (link.retryMs !== null) return link.retryMs;
  const cutShort = link.openedAt !== null && !link.hasReceived && now - link.openedAt < REFUSED_WITHIN_MS;
  const refused = code === TRY_AGAIN_LATER || (link.protocol === 'sse' && cutShort);
  return refused ? refusedMs(random) : backoffMs(attempt, random);
}
