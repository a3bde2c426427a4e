import { Sample } from './exposition';

/** The cumulative count of observations by upper bound; the last bound is infinity. */
export type Buckets = ReadonlyMap<number, number>;

/** Adds up the buckets of all label sets. */
export function bucketsOf(samples: readonly Sample[]): Buckets {
  const buckets = new Map<number, number>();
  for (const sample of samples) {
    const bound = boundOf(sample.labels.get('le'));
    if (!Number.isNaN(bound)) buckets.set(bound, (buckets.get(bound) ?? 0) + sample.value);
  }
  return buckets;
}

/**
 * The quantile *q* (0 to 1) of the observations, computed like PromQL's `histogram_quantile`:
 * linear within a bucket, the lowest starts at 0, and above the highest finite bound the result is that bound. Null
 * without observations, or without the bucket of infinity.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function quantile(q: number, buckets: Buckets): number | null {
  const sorted = monotonic(buckets);
  const last = sorted.at(-1);
  if (sorted.length < 2 || last?.bound !== Infinity || !(last.count > 0)) return null;
  const rank = q * last.count;
  const index = sorted.findIndex((bucket) => bucket.count >= rank);
  const bucket = sorted[index];
  const before = sorted[index - 1];
  if (bucket === undefined || bucket === last) return sorted.at(-2)?.bound ?? null;
  if (before === undefined && bucket.bound <= 0) return bucket.bound;
  const start = before?.bound ?? 0;
  const below = before?.count ?? 0;
  return bucket.count === below ? start : start + (bucket.bound - start) * ((rank - below) / (bucket.count - below));
}

interface Bucket {
  readonly bound: number;
  readonly count: number;
}

// buckets of one scrape may be a request apart: make the counts monotonic
function monotonic(buckets: Buckets): readonly Bucket[] {
  let most = 0;
  return [...buckets]
    .sort(([one], [other]) => one - other)
    .map(([bound, count]) => ({ bound, count: (most = Math.max(most, count)) }));
}

function boundOf(text: string | undefined): number {
  return text === '+Inf' ? Infinity : Number(text ?? NaN);
}
