import { backoffMs, refusedMs } from './backoff';
import { Protocol } from './notification';

/** Three heartbeats. */
export const SILENCE_MS = 45_000;
export const OPENING_LIMIT_MS = 10_000;
/** A connection that lasted so long was a good one, though nothing came. */
const STEADY_MS = 5000;
/** One that ends at once, without a word, was refused: an EventSource is not told so. */
const BRIEF_MS = 1000;
const TRY_AGAIN_LATER = 1013;

/** One connection, and what is known of it. */
export interface Link {
  readonly number: number;
  readonly protocol: Protocol;
  /** It replaces one that was lost. */
  isReturn: boolean;
  openedAt: number | null;
  /** When it was begun, or said something last. */
  aliveAt: number;
  saidSomething: boolean;
  /** How long to stay away, as the service said. */
  retryMs: number | null;
}

export function newLink(number: number, protocol: Protocol, isReturn: boolean, now: number): Link {
  return { number, protocol, isReturn, openedAt: null, aliveAt: now, saidSomething: false, retryMs: null };
}

/** When something should have been heard of *link*. */
export function deadline(link: Link | null): number | null {
  return link && link.aliveAt + (link.openedAt === null ? OPENING_LIMIT_MS : SILENCE_MS);
}

/** Whether *link*, which ends *now*, has worked: then nothing speaks against another attempt soon. */
export function hasWorked(link: Link, now: number): boolean {
  return link.openedAt !== null && (link.saidSomething || now - link.openedAt >= STEADY_MS);
}

/** How long to wait after *link* ended *now*, with the code of a WebSocket, before attempt number *attempt*. */
export function delayMs(link: Link, code: number | null, now: number, attempt: number, random: () => number): number {
  if (link.retryMs !== null) return link.retryMs;
  const cutShort = link.openedAt !== null && !link.saidSomething && now - link.openedAt < BRIEF_MS;
  const refused = code === TRY_AGAIN_LATER || (link.protocol === 'sse' && cutShort);
  return refused ? refusedMs(random) : backoffMs(attempt, random);
}
