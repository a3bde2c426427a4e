import { Log } from './incidents';

/** A stretch of time in a chart, in minutes before now (0 or less). */
interface Band {
  readonly from: number;
  readonly until: number;
  readonly colour: string;
}

/** What is drawn behind the lines of a chart. */
export interface Marks {
  readonly bands: readonly Band[];
  readonly restarts: readonly number[];
  readonly restartColour: string;
}

const MINUTE_MS = 60_000;
const TOKENS = { warn: '--warn-soft', bad: '--bad-soft' } as const;

/** The incidents and restarts of *log*, seen from *now*; critical ones are drawn last. */
export function marksOf(log: Log | null, now: number, colours: (token: string) => string): Marks {
  const ago = (time: number): number => Math.min(0, (time - now) / MINUTE_MS);
  const bands = (log?.incidents ?? []).map(({ from, until, cause }) => ({
    level: cause.level,
    from: ago(from),
    until: ago(until ?? now),
    colour: colours(TOKENS[cause.level]),
  }));
  return {
    bands: bands.sort((one, other) => Number(one.level === 'bad') - Number(other.level === 'bad')),
    restarts: (log?.starts ?? []).filter((each) => each.again).map((each) => ago(each.at)),
    restartColour: colours('--warn'),
  };
}
