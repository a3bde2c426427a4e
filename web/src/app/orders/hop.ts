import { Protocol } from '../push/feed';

/** Who takes part in the way of an order, from left to right. */
export const LIFELINES = ['client', 'order', 'inventory', 'sqs', 'processing', 'notification'] as const;
export type Lifeline = (typeof LIFELINES)[number];

/**
 * How far a hop has come.
 *
 * - pending: its turn has not come
 * - active: it is its turn
 * - done, failed, compensated: it has happened
 * - unknown: nobody who could be asked knows
 */
export type HopState = 'pending' | 'active' | 'done' | 'failed' | 'compensated' | 'unknown';

export type HopName =
  | 'place'
  | 'change'
  | 'cancel'
  | 'check'
  | 'save'
  | 'announce'
  | 'record'
  | 'push'
  | 'start'
  | 'take'
  | 'close'
  | 'fail'
  | 'release'
  | 'tell';

/** Why a step is tried again, and when. */
export interface Trouble {
  readonly error: string | null;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly nextRunAt: number | null;
  readonly late: boolean;
}

/** One arrow of the diagram. */
export interface Hop {
  /** The same for the same hop of the same order, however much is known of it. */
  readonly id: string;
  readonly name: HopName;
  readonly from: Lifeline;
  readonly to: Lifeline;
  readonly state: HopState;
  /** When it was over, in milliseconds since 1970; null when that is not known. */
  readonly at: number | null;
  /** How long it took; null when that is not known. */
  readonly tookMs: number | null;
  /** What it is about: the kind of notification that is told, the status that is saved, the reason of a refusal. */
  readonly detail: string | null;
  readonly trouble: Trouble | null;
  /** What brought a push. */
  readonly over: Protocol | null;
}

/** Fills in what a hop does without. */
export function hop(
  id: string,
  name: HopName,
  from: Lifeline,
  to: Lifeline,
  known: Partial<Pick<Hop, 'state' | 'at' | 'tookMs' | 'detail' | 'trouble' | 'over'>> = {},
): Hop {
  const unknown = { at: null, tookMs: null, detail: null, trouble: null, over: null };
  return { id, name, from, to, state: 'pending', ...unknown, ...known };
}
