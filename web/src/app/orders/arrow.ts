import { Hop, LIFELINES } from './hop';

/** The layout of an arrow in a grid with one column per lifeline. */
export interface Arrow {
  readonly direction: 'right' | 'left' | 'self';
  /** `grid-column` of the line. */
  readonly line: string;
  /** The distance from the edges of these columns to the middle of the first and last, in per cent of their width. */
  readonly inset: number;
  /** `grid-column` of the label, which extends towards the wider side. */
  readonly label: string;
  readonly labelSide: 'start' | 'end';
  readonly labelInset: number;
}

const COLUMNS = LIFELINES.length;

/** Computes the layout of a hop; columns are counted from 1. */
export function arrow(hop: Pick<Hop, 'from' | 'to'>): Arrow {
  const from = LIFELINES.indexOf(hop.from);
  const to = LIFELINES.indexOf(hop.to);
  const [first, last] = from < to ? [from, to] : [to, from];
  const towardsEnd = first + last < COLUMNS - 1;
  return {
    direction: from === to ? 'self' : from < to ? 'right' : 'left',
    line: columns(first, last),
    inset: 50 / (last - first + 1),
    label: towardsEnd ? columns(first, COLUMNS - 1) : columns(0, last),
    labelSide: towardsEnd ? 'start' : 'end',
    labelInset: towardsEnd ? 50 / (COLUMNS - first) : 50 / (last + 1),
  };
}

function columns(first: number, last: number): string {
  return `${(first + 1).toString()} / ${(last + 2).toString()}`;
}
