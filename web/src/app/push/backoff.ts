const BASE_MS = 1000;
/** Somebody may be looking, and a browser has one connection only, however many its tabs are. */
const LIMIT_MS = 8000;
const REFUSED_LEAST_MS = 5000;
const REFUSED_SPREAD_MS = 10_000;

/**
 * How long to wait before attempt number *attempt* (from 0): anything up to a bound that doubles, so that a crowd
 * spreads ("full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 *
 * @param random gives numbers from 0 to below 1.
 */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(LIMIT_MS, BASE_MS * 2 ** Math.min(attempt, 16));
}

/** How long to stay away from a service that has no room: the 5 to 15 s that it asks for. */
export function refusedMs(random: () => number): number {
  return REFUSED_LEAST_MS + random() * REFUSED_SPREAD_MS;
}
