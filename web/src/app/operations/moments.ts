import { increasesOf, ratePerSecond } from './counters';
import { Facts, Told } from './facts';
import { bucketsOf, quantile } from './histogram';

/** What is drawn; latencies in seconds. */
export type Series =
  | 'placed'
  | 'closed'
  | 'failed'
  | 'placing50'
  | 'placing95'
  | 'placing99'
  | 'completing50'
  | 'completing95'
  | 'completing99'
  | 'processingQueue'
  | 'notificationQueue'
  | 'deadLetters'
  | 'deliveries';

/** What was the case at a moment; a series that is not there was not known. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly values: Readonly<Partial<Record<Series, number>>>;
}

export const WINDOW_MS = 60_000;
export const KEPT_MS = 15 * 60_000;
const MINUTE_S = 60;
const PLACED = { method: 'POST', route: '/orders', status: '201' };
const QUANTILES = [50, 95, 99] as const;

/** What the last minute was like, and how the queues are now. */
export function momentOf(at: number, told: readonly Told[], facts: Facts): Moment {
  const values: Partial<Record<Series, number>> = {};
  const set = (series: Series, value: number | null): void => {
    if (value !== null && Number.isFinite(value)) values[series] = value;
  };
  const steps = told.map((each) => each.steps);
  const of = (service: string): Told['steps'][] =>
    told.filter((each) => each.service === service).map((each) => each.steps);
  const perMinute = (service: string, name: string, match: Readonly<Record<string, string>>): number | null => {
    const known = of(service).some((each) => each.length > 0);
    return known ? (ratePerSecond(of(service), name, match) ?? 0) * MINUTE_S : null;
  };
  set('placed', perMinute('order', 'orderstream_http_request_seconds_count', PLACED));
  set('closed', perMinute('processing', 'orderstream_saga_seconds_count', { state: 'DONE' }));
  set('failed', perMinute('processing', 'orderstream_saga_seconds_count', { state: 'FAILED' }));
  const placing = bucketsOf(increasesOf(of('order'), 'orderstream_http_request_seconds_bucket', PLACED));
  const completing = bucketsOf(increasesOf(of('processing'), 'orderstream_saga_seconds_bucket'));
  for (const percent of QUANTILES) {
    set(`placing${percent}`, quantile(percent / 100, placing));
    set(`completing${percent}`, quantile(percent / 100, completing));
  }
  for (const service of ['processing', 'notification'] as const) {
    const queue = facts.queues.find((each) => each.service === service && !each.deadLetters);
    set(`${service}Queue`, queue === undefined ? null : queue.visible + queue.inFlight + queue.delayed);
  }
  const dead = facts.queues.filter((each) => each.deadLetters);
  set('deadLetters', dead.length === 0 ? null : dead.reduce((sum, each) => sum + each.visible + each.inFlight, 0));
  set('deliveries', ratePerSecond(steps, 'orderstream_push_deliveries_total'));
  return { at, values };
}

/** The history with one more moment, without those that are too old to be drawn. */
export function withMoment(history: readonly Moment[], moment: Moment): readonly Moment[] {
  return [...history.filter((each) => each.at > moment.at - KEPT_MS && each.at < moment.at), moment];
}

/** The last moment of each minute, the newest first. */
export function byMinute(history: readonly Moment[]): readonly Moment[] {
  const minutes = new Map(history.map((moment) => [Math.floor(moment.at / WINDOW_MS), moment]));
  return [...minutes.values()].reverse();
}
