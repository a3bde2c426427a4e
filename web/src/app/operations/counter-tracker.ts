import { Exposition, Sample } from './exposition';

/** The metrics of a process at one time. */
export interface Scrape {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly metrics: Exposition;
}

/** The increase of each counter over a number of seconds. */
export interface CounterDelta {
  readonly at: number;
  readonly seconds: number;
  readonly increases: Exposition;
}

const COUNTERS = /_(?:total|count|bucket|sum)$/;
/** The maximum number of processes tracked behind one address; the oldest are evicted. */
const PROCESSES = 16;

/**
 * Tracks the counters of the processes at one address.
 *
 * A load balancer may route each scrape to another replica, and a restarted process counts from zero: a scrape is
 * compared with the last one of the same process, identified by its start time.
 */
export class CounterTracker {
  private readonly scrapes = new Map<number | null, Scrape>();
  private latest: Scrape | null = null;

  /** The increases since the last scrape of the same process; null for its first one. */
  delta(scrape: Scrape): CounterDelta | null {
    const process = startTimeOf(scrape);
    const before = this.scrapes.get(process) ?? this.zeroFor(process);
    this.scrapes.delete(process);
    this.scrapes.set(process, scrape);
    for (const oldest of this.scrapes.keys()) if (this.scrapes.size > PROCESSES) this.scrapes.delete(oldest);
    this.latest = scrape;
    if (before === null || scrape.at <= before.at) return null;
    const seconds = (scrape.at - before.at) / 1000;
    return { at: scrape.at, seconds, increases: increases(before.metrics, scrape.metrics) };
  }

  // a process that was started after the last scrape has counted from zero since
  private zeroFor(process: number | null): Scrape | null {
    const latest = this.latest;
    if (latest === null || process === null || process * 1000 < latest.at) return null;
    return { at: latest.at, metrics: new Exposition([]) };
  }
}

/** The increase of each counter; a decrease is a reset to zero, as in PromQL. */
export function increases(before: Exposition, after: Exposition): Exposition {
  const known = new Map(before.samples.filter(isCounter).map((sample) => [seriesOf(sample), sample.value]));
  return new Exposition(
    after.samples.filter(isCounter).map((sample) => {
      const earlier = known.get(seriesOf(sample)) ?? 0;
      return { ...sample, value: sample.value < earlier ? sample.value : sample.value - earlier };
    }),
  );
}

/** The rate of increase of a name's counters per second, by address; null when none is reported. */
export function ratePerSecond(
  tracks: readonly (readonly CounterDelta[])[],
  name: string,
  match: Readonly<Record<string, string>> = {},
): number | null {
  let rate: number | null = null;
  for (const deltas of tracks) {
    const seconds = coveredSeconds(deltas);
    const sums = deltas.map((delta) => delta.increases.sum(name, match)).filter((sum) => sum !== null);
    if (seconds > 0 && sums.length > 0) rate = (rate ?? 0) + sums.reduce((sum, each) => sum + each, 0) / seconds;
  }
  return rate;
}

/** The seconds covered by the deltas; overlapping intervals of two processes count once. */
function coveredSeconds(deltas: readonly CounterDelta[]): number {
  let until = -Infinity;
  let covered = 0;
  for (const { at, seconds } of [...deltas].sort((one, other) => one.at - other.at)) {
    covered += Math.min(seconds, Math.max(0, (at - until) / 1000));
    until = Math.max(until, at);
  }
  return covered;
}

/** The samples of a name in all deltas. */
export function increasesOf(
  tracks: readonly (readonly CounterDelta[])[],
  name: string,
  match: Readonly<Record<string, string>> = {},
): readonly Sample[] {
  return tracks.flat().flatMap((delta) => delta.increases.of(name, match));
}

function isCounter(sample: Sample): boolean {
  return COUNTERS.test(sample.name);
}

function seriesOf(sample: Sample): string {
  return [sample.name, ...[...sample.labels].map(([label, value]) => `${label}=${value}`).sort()].join('\u0000');
}

function startTimeOf(scrape: Scrape): number | null {
  return scrape.metrics.max('process_start_time_seconds');
}
