const BASE_MS = 1000;
/** Short, because a user may be waiting, and a browser has one connection for all its tabs. */
const MAX_MS = 8000;
const REFUSED_MIN_MS = 5000;
const REFUSED_SPREAD_MS = 10_000;

/**
 * The delay before attempt number *attempt* (from 0): exponential back-off with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 *
 * @param random returns numbers from 0 to below 1.
 */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(MAX_MS, BASE_MS * 2 ** Math.min(attempt, 16));
}

/** The delay after a refused connection: the 5 to 15 s that the service asks for. */
export function refusedMs(random: () => number): number {
  return REFUSED_MIN_MS + random() * REFUSED_SPREAD_MS;
}
