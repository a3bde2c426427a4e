import { Protocol } from './notification.js';

/** Of a service that does not say how often it sends heartbeats: three of them. */
export const SILENCE_MS = 45_000;
const MIN_SILENCE_MS = 10_000;
/** A heartbeat may be late, or be lost by a proxy that is replaced. */
const HEARTBEATS = 2;
const LATENESS_MS = 2_000;
export const OPENING_LIMIT_MS = 10_000;
/** A connection that lasted this long was stable, even without an event. */
const STABLE_AFTER_MS = 5000;
const BASE_MS = 1000;
/** Short, because a user may be waiting, and a browser has one connection for all its tabs. */
const MAX_MS = 8000;

/** The state of one connection. */
export interface Link {
  readonly number: number;
  readonly protocol: Protocol;
  /** It replaces a lost connection. */
  isReconnect: boolean;
  openedAt: number | null;
  /** The time of the start or of the last event. */
  lastActivityAt: number;
  /** The longest time without an event while it is open. */
  silenceMs: number;
  hasReceived: boolean;
  /** The reconnection time that the service sent. */
  retryMs: number | null;
  /** When the service last read the feed, if it can't since. */
  delayedSince: number | null;
  /** An operator ended it. */
  isDisconnected: boolean;
}

export function newLink(number: number, protocol: Protocol, isReconnect: boolean, now: number): Link {
  return {
    ...{ number, protocol, isReconnect, openedAt: null, lastActivityAt: now, silenceMs: SILENCE_MS },
    ...{ hasReceived: false, retryMs: null, delayedSince: null, isDisconnected: false },
  };
}

/** The time by which *link* has to open, or to receive its next event. */
export function deadline(link: Link | null): number | null {
  return link && link.lastActivityAt + (link.openedAt === null ? OPENING_LIMIT_MS : link.silenceMs);
}

/** The longest silence of a connection with a heartbeat every *heartbeatMs*. */
export function silenceMs(heartbeatMs: number | undefined): number {
  if (heartbeatMs === undefined) return SILENCE_MS;
  return Math.max(MIN_SILENCE_MS, HEARTBEATS * heartbeatMs + LATENESS_MS);
}

/** Whether *link*, which ends *now*, was stable: then the back-off is reset. */
export function wasStable(link: Link, now: number): boolean {
  return link.openedAt !== null && (link.hasReceived || now - link.openedAt >= STABLE_AFTER_MS);
}

/**
 * The delay before attempt number *attempt* (from 0): exponential back-off with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 *
 * @param random returns numbers from 0 to below 1.
 */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(MAX_MS, BASE_MS * 2 ** Math.min(attempt, 16));
}
