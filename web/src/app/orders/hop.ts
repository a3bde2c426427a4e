import { Protocol } from '../push/feed';

/** The participants of an order's sequence, from left to right. */
export const LIFELINES = ['client', 'order', 'inventory', 'sqs', 'processing', 'notification'] as const;
export type Lifeline = (typeof LIFELINES)[number];

/**
 * The state of a hop.
 *
 * - pending: not started
 * - active: in progress
 * - done, failed, compensated: completed
 * - unknown: no reachable service knows
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

/** The retries of a step. */
export interface Retry {
  readonly error: string | null;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly nextRunAt: number | null;
  readonly late: boolean;
}

/** One arrow of the sequence diagram. */
export interface Hop {
  /** Stable for the same hop of the same order. */
  readonly id: string;
  readonly name: HopName;
  readonly from: Lifeline;
  readonly to: Lifeline;
  readonly state: HopState;
  /** The time of completion, in milliseconds since 1970; null when unknown. */
  readonly at: number | null;
  /** The duration; null when unknown. */
  readonly tookMs: number | null;
  /** The kind of notification, the saved status, or the reason of a refusal. */
  readonly detail: string | null;
  readonly retry: Retry | null;
  /** The protocol of a push. */
  readonly over: Protocol | null;
  /** Whether it is known from the history alone. */
  readonly isRead: boolean;
}

/** Creates a hop with defaults. */
export function hop(
  id: string,
  name: HopName,
  from: Lifeline,
  to: Lifeline,
  known: Partial<Pick<Hop, 'state' | 'at' | 'tookMs' | 'detail' | 'retry' | 'over' | 'isRead'>> = {},
): Hop {
  const unknown = { at: null, tookMs: null, detail: null, retry: null, over: null, isRead: false };
  return { id, name, from, to, state: 'pending', ...unknown, ...known };
}

/** A mark in addition to the colour, for accessibility. */
export const MARKS: Record<HopState, string> = {
  pending: '○',
  active: '●',
  done: '✓',
  failed: '✕',
  compensated: '↩',
  unknown: '?',
};
export const COMPLETED: ReadonlySet<HopState> = new Set(['done', 'failed', 'compensated']);
