import { increasesOf, ratePerSecond } from './counter-tracker';
import { SystemStats, ProcessMetrics } from './stats';
import type { Traffic } from './traffic';
import { bucketsOf, quantile } from './histogram';

/** The series of the charts; latencies in seconds. */
export type Series =
  | 'placed'
  | 'closed'
  | 'failed'
  | 'refused'
  | 'placing50'
  | 'placing95'
  | 'placing99'
  | 'completing50'
  | 'completing95'
  | 'completing99'
  | 'processingQueue'
  | 'notificationQueue'
  | 'deadLetters'
  | 'deliveries'
  | 'requestsFailed'
  | 'requestsRefused'
  | 'requestsLimited';

/** The values at one time; unknown series are absent. */
export interface HistoryPoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly values: Readonly<Partial<Record<Series, number>>>;
}

export const WINDOW_MS = 60_000;
export const HISTORY_MS = 15 * 60_000;
/** A page in the background is woken once a minute: in a longer gap nobody watched. */
export const MAX_GAP_MS = 70_000;
const MINUTE_S = 60;
/** More than a chart shows; every digit is stored. */
const DIGITS = 5;
const PLACED = { method: 'POST', route: '/orders', status: '201' };
const REQUESTS = 'orderstream_http_request_seconds_count';
const QUANTILES = [50, 95, 99] as const;

/** The rates and percentiles of the last minute, and the current queue depths. */
export function historyPointOf(at: number, processes: readonly ProcessMetrics[], stats: SystemStats): HistoryPoint {
  const values: Partial<Record<Series, number>> = {};
  const set = (series: Series, value: number | null): void => {
    if (value !== null && Number.isFinite(value)) values[series] = Number(value.toPrecision(DIGITS));
  };
  const deltas = processes.map((each) => each.deltas);
  const of = (service: string): ProcessMetrics['deltas'][] =>
    processes.filter((each) => each.service === service).map((each) => each.deltas);
  const perMinute = (service: string, name: string, match: Readonly<Record<string, string>>): number | null => {
    const known = of(service).some((each) => each.length > 0);
    return known ? (ratePerSecond(of(service), name, match) ?? 0) * MINUTE_S : null;
  };
  set('placed', perMinute('order', REQUESTS, PLACED));
  set('refused', refusedPerMinute(of('order')));
  set('closed', perMinute('processing', 'orderstream_saga_seconds_count', { state: 'DONE' }));
  set('failed', perMinute('processing', 'orderstream_saga_seconds_count', { state: 'FAILED' }));
  const placing = bucketsOf(increasesOf(of('order'), 'orderstream_http_request_seconds_bucket', PLACED));
  const completing = bucketsOf(increasesOf(of('processing'), 'orderstream_saga_seconds_bucket'));
  for (const percent of QUANTILES) {
    set(`placing${percent}`, quantile(percent / 100, placing));
    set(`completing${percent}`, quantile(percent / 100, completing));
  }
  for (const service of ['processing', 'notification'] as const) {
    const queue = stats.queues.find((each) => each.service === service && !each.deadLetters);
    set(`${service}Queue`, queue === undefined ? null : queue.visible + queue.inFlight + queue.delayed);
  }
  const dead = stats.queues.filter((each) => each.deadLetters);
  set('deadLetters', dead.length === 0 ? null : dead.reduce((sum, each) => sum + each.visible + each.inFlight, 0));
  if (stats.traffic.length > 0) {
    const minute = (count: (each: Traffic) => number): number =>
      stats.traffic.reduce((sum, each) => sum + count(each), 0);
    set(
      'requestsFailed',
      minute((each) => each.failed),
    );
    set(
      'requestsRefused',
      minute((each) => each.refused),
    );
    set(
      'requestsLimited',
      minute((each) => each.limited),
    );
  }
  set('deliveries', ratePerSecond(deltas, 'orderstream_push_deliveries_total'));
  return { at, values };
}

/** Orders that were asked for and not placed; null before the second poll. */
function refusedPerMinute(orders: readonly ProcessMetrics['deltas'][]): number | null {
  if (orders.every((each) => each.length === 0)) return null;
  const { status, ...asked } = PLACED;
  const rate = (match: Readonly<Record<string, string>>): number => ratePerSecond(orders, REQUESTS, match) ?? 0;
  return Math.max(0, (rate(asked) - rate({ ...asked, status })) * MINUTE_S);
}

/** The history with one more point, without those outside the window. */
export function withPoint(history: readonly HistoryPoint[], point: HistoryPoint): readonly HistoryPoint[] {
  return [...history.filter((each) => each.at > point.at - HISTORY_MS && each.at < point.at), point];
}

/** The last point of each minute, the newest first. */
export function byMinute(history: readonly HistoryPoint[]): readonly HistoryPoint[] {
  const minutes = new Map(history.map((point) => [Math.floor(point.at / WINDOW_MS), point]));
  return [...minutes.values()].reverse();
}
