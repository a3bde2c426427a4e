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
  /** What it is about: the kind of the notification that is told, the reason of a refusal, the protocol of a push. */
  readonly detail: string | null;
  readonly trouble: Trouble | null;
}

/** Fills in what a hop does without. */
export function hop(
  id: string,
  name: HopName,
  from: Lifeline,
  to: Lifeline,
  known: Partial<Pick<Hop, 'state' | 'at' | 'tookMs' | 'detail' | 'trouble'>> = {},
): Hop {
  return { id, name, from, to, state: 'pending', at: null, tookMs: null, detail: null, trouble: null, ...known };
}
