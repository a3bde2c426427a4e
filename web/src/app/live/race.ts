import { Arrival } from '../push/connection';
import { Notification, Protocol } from '../push/feed';
import { latencyMs, percentile } from './durations';

/** So many of the last notifications are compared. */
export const RACE_LIMIT = 100;

/** One notification, and how it came over each protocol. */
export interface Lap {
  readonly notification: Notification;
  readonly sse: Arrival | null;
  readonly ws: Arrival | null;
}

export interface Lane {
  /** The oldest first. */
  readonly latenciesMs: readonly number[];
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly meanBytes: number | null;
}

export interface Gap {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly first: Readonly<Record<Protocol, number>>;
}

/** Put what came into *laps*, the newest first. */
export function addArrivals(laps: readonly Lap[], arrivals: readonly Arrival[]): readonly Lap[] {
  let all = laps;
  for (const arrival of arrivals) {
    const { notification, protocol } = arrival;
    const known = all.find((each) => each.notification.id === notification.id);
    const lap: Lap = { ...(known ?? { notification, sse: null, ws: null }), [protocol]: arrival };
    all = known === undefined ? [lap, ...all] : all.map((each) => (each === known ? lap : each));
  }
  return all.slice(0, RACE_LIMIT);
}

/** How *protocol* did. */
export function lane(laps: readonly Lap[], protocol: Protocol): Lane {
  const arrivals = laps.map((each) => each[protocol]).filter((each) => each !== null);
  const latenciesMs = arrivals.map(latencyMs).reverse();
  // what was read from the history has no frame
  const sizes = arrivals.map((each) => each.bytes).filter((each) => each > 0);
  return {
    latenciesMs,
    p50Ms: percentile(latenciesMs, 0.5),
    p95Ms: percentile(latenciesMs, 0.95),
    meanBytes: sizes.length === 0 ? null : sizes.reduce((sum, each) => sum + each, 0) / sizes.length,
  };
}

/** How long after SSE a WebSocket brought it, in ms; negative when it was first, null while one is awaited. */
export function behindMs({ sse, ws }: Lap): number | null {
  return sse === null || ws === null ? null : ws.receivedAt - sse.receivedAt;
}

/** How far the two protocols are apart. */
export function gap(laps: readonly Lap[]): Gap {
  const behind = laps.map(behindMs).filter((each) => each !== null);
  const apart = behind.map(Math.abs);
  return {
    count: behind.length,
    p50Ms: percentile(apart, 0.5),
    p95Ms: percentile(apart, 0.95),
    first: { sse: behind.filter((each) => each > 0).length, ws: behind.filter((each) => each < 0).length },
  };
}

/** By how much at least this machine's clock is behind the service's: nothing comes before it happens. */
export function clockErrorMs(laps: readonly Lap[]): number {
  const latencies = laps.flatMap((each) => [each.sse, each.ws]).filter((each) => each !== null);
  return Math.max(0, ...latencies.map((each) => -latencyMs(each)));
}
