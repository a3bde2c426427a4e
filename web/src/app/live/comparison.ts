import { Arrival } from 'orderstream-client';

import { Notification, Protocol } from '../push/feed';
import { latencyMs, percentile } from './durations';

/** The maximum number of compared notifications. */
export const COMPARISON_LIMIT = 100;
/** The resolution of browsers' clocks: https://developer.mozilla.org/docs/Web/API/Performance_API/High_precision_timing. */
export const CLOCK_RESOLUTION_MS = 1;

/** A notification with its arrival over each protocol. */
export interface NotificationPair {
  readonly notification: Notification;
  readonly sse: Arrival | null;
  readonly ws: Arrival | null;
}

export interface ProtocolStats {
  /** The oldest first. */
  readonly latenciesMs: readonly number[];
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly meanBytes: number | null;
}

export interface DifferenceStats {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly first: Readonly<Record<Protocol, number>>;
  /** The number of those that arrived at the same time, as far as a browser's clock tells. */
  readonly ties: number;
}

/** Pairs what arrived over each protocol; all are the newest first. */
export function pairsOf(sse: readonly Arrival[], ws: readonly Arrival[]): readonly NotificationPair[] {
  const pairs = new Map<string, NotificationPair>();
  for (const arrival of sse) pairs.set(arrival.notification.id, { ...pairOf(arrival), sse: arrival });
  for (const arrival of ws) {
    const { id } = arrival.notification;
    pairs.set(id, { ...(pairs.get(id) ?? pairOf(arrival)), ws: arrival });
  }
  const newest = [...pairs.values()].sort((one, other) => arrivedAt(other) - arrivedAt(one));
  return newest.slice(0, COMPARISON_LIMIT);
}

function pairOf({ notification }: Arrival): NotificationPair {
  return { notification, sse: null, ws: null };
}

function arrivedAt({ sse, ws }: NotificationPair): number {
  return Math.min(sse?.receivedAt ?? Infinity, ws?.receivedAt ?? Infinity);
}

/** The latency and size statistics of *protocol*. */
export function statsOf(pairs: readonly NotificationPair[], protocol: Protocol): ProtocolStats {
  const arrivals = pairs.map((each) => each[protocol]).filter((each) => each !== null);
  const latenciesMs = arrivals.map(latencyMs).reverse();
  // notifications read from the history have no frame
  const sizes = arrivals.map((each) => each.bytes).filter((each) => each > 0);
  return {
    latenciesMs,
    p50Ms: percentile(latenciesMs, 0.5),
    p95Ms: percentile(latenciesMs, 0.95),
    meanBytes: sizes.length === 0 ? null : sizes.reduce((sum, each) => sum + each, 0) / sizes.length,
  };
}

/** The delay of WebSocket after SSE, in ms; negative when WebSocket was first, null while one is pending. */
export function delayMs({ sse, ws }: NotificationPair): number | null {
  return sse === null || ws === null ? null : ws.receivedAt - sse.receivedAt;
}

/** The difference between the protocols. */
export function differenceOf(pairs: readonly NotificationPair[]): DifferenceStats {
  const delays = pairs.map(delayMs).filter((each) => each !== null);
  const differences = delays.map(Math.abs);
  return {
    count: delays.length,
    p50Ms: percentile(differences, 0.5),
    p95Ms: percentile(differences, 0.95),
    first: {
      sse: delays.filter((each) => each >= CLOCK_RESOLUTION_MS).length,
      ws: delays.filter((each) => each <= -CLOCK_RESOLUTION_MS).length,
    },
    ties: differences.filter((each) => each < CLOCK_RESOLUTION_MS).length,
  };
}

/** A lower bound of how far this machine's clock is behind the service's, from negative latencies. */
export function clockOffsetMs(pairs: readonly NotificationPair[]): number {
  const latencies = pairs.flatMap((each) => [each.sse, each.ws]).filter((each) => each !== null);
  return Math.max(0, ...latencies.map((each) => -latencyMs(each)));
}
