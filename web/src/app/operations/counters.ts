import { Exposition, Sample } from './exposition';

/** What a process told at a moment. */
export interface Scrape {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly numbers: Exposition;
}

/** How much each counter rose, and in how many seconds. */
export interface Step {
  readonly at: number;
  readonly seconds: number;
  readonly increases: Exposition;
}

const COUNTERS = /_(?:total|count|bucket|sum)$/;
/** Processes behind one address that are told apart; older ones are forgotten. */
const PROCESSES = 16;

/**
 * Follows the counters of what answers at one address.
 *
 * A balancer may have another replica answer each time, and a process that was started again begins at zero: a scrape is
 * compared with the last one of the same process, which its start time tells.
 */
export class CounterTrack {
  private readonly scrapes = new Map<number | null, Scrape>();
  private latest: Scrape | null = null;

  /** The step from the last scrape of the process to this one; null when there is nothing to compare it with. */
  step(scrape: Scrape): Step | null {
    const process = startOf(scrape);
    const before = this.scrapes.get(process) ?? this.fresh(process);
    this.scrapes.delete(process);
    this.scrapes.set(process, scrape);
    for (const oldest of this.scrapes.keys()) if (this.scrapes.size > PROCESSES) this.scrapes.delete(oldest);
    this.latest = scrape;
    if (before === null || scrape.at <= before.at) return null;
    const seconds = (scrape.at - before.at) / 1000;
    return { at: scrape.at, seconds, increases: increases(before.numbers, scrape.numbers) };
  }

  // what was started after somebody else had answered here has counted from zero since
  private fresh(process: number | null): Scrape | null {
    const latest = this.latest;
    if (latest === null || process === null || process * 1000 < latest.at) return null;
    return { at: latest.at, numbers: new Exposition([]) };
  }
}

/** How much each counter rose; one that is lower than before was reset and has risen from zero, as PromQL has it. */
export function increases(before: Exposition, after: Exposition): Exposition {
  const known = new Map(before.samples.filter(isCounter).map((sample) => [seriesOf(sample), sample.value]));
  return new Exposition(
    after.samples.filter(isCounter).map((sample) => {
      const earlier = known.get(seriesOf(sample)) ?? 0;
      return { ...sample, value: sample.value < earlier ? sample.value : sample.value - earlier };
    }),
  );
}

/** How much the counters of a name rose in a second, each address by its own time; null when nobody told of them. */
export function ratePerSecond(
  tracks: readonly (readonly Step[])[],
  name: string,
  match: Readonly<Record<string, string>> = {},
): number | null {
  let rate: number | null = null;
  for (const steps of tracks) {
    const seconds = coveredSeconds(steps);
    const told = steps.map((step) => step.increases.sum(name, match)).filter((sum) => sum !== null);
    if (seconds > 0 && told.length > 0) rate = (rate ?? 0) + told.reduce((sum, each) => sum + each, 0) / seconds;
  }
  return rate;
}

/** How long somebody was looked at; what two processes at one address did at the same time counts once. */
function coveredSeconds(steps: readonly Step[]): number {
  let until = -Infinity;
  let covered = 0;
  for (const { at, seconds } of [...steps].sort((one, other) => one.at - other.at)) {
    covered += Math.min(seconds, Math.max(0, (at - until) / 1000));
    until = Math.max(until, at);
  }
  return covered;
}

/** The samples of a name in all steps, each with its increase. */
export function increasesOf(
  tracks: readonly (readonly Step[])[],
  name: string,
  match: Readonly<Record<string, string>> = {},
): readonly Sample[] {
  return tracks.flat().flatMap((step) => step.increases.of(name, match));
}

function isCounter(sample: Sample): boolean {
  return COUNTERS.test(sample.name);
}

function seriesOf(sample: Sample): string {
  return [sample.name, ...[...sample.labels].map(([label, value]) => `${label}=${value}`).sort()].join('\u0000');
}

function startOf(scrape: Scrape): number | null {
  return scrape.numbers.max('process_start_time_seconds');
}
