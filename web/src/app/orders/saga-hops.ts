import { Saga, SagaState } from '../api/sagas';
import { Facts, finalStatus, endedAt, notificationOf, versions } from './facts';
import { Hop, HopState, Retry, hop } from './hop';
import { elapsed, parseTime } from './timestamps';

/** The outcome of a version's saga: that of the order, or a release of its stock. */
export type SagaEnd = 'CLOSED' | 'FAILED' | 'RELEASED';

/** The hops of the saga of a version that was announced at *announcedAt*. */
export function sagaHops(facts: Facts, version: number, announcedAt: number | null): readonly Hop[] {
  const saga = facts.sagas?.find((each) => each.version === version);
  return saga === undefined ? withoutSaga(facts, version) : withSaga(facts, saga, announcedAt);
}

/** The known or expected outcome of a version's saga; null while it is open. */
export function sagaEnd(facts: Facts, version: number): SagaEnd | null {
  const states = facts.sagas?.find((each) => each.version === version)?.steps.map((step) => step.state) ?? [];
  if (states.includes('RELEASING')) return 'RELEASED';
  if (states.includes('DONE')) return 'CLOSED';
  if (states.includes('FAILING')) return 'FAILED';
  return endOfOrder(facts, version);
}

/** The final status of the order, if this version caused it. */
function endOfOrder(facts: Facts, version: number): 'CLOSED' | 'FAILED' | null {
  const ended = finalStatus(facts);
  return ended === 'CANCELLED' || version < versions(facts) ? null : ended;
}

function withSaga(facts: Facts, saga: Saga, announcedAt: number | null): readonly Hop[] {
  const steps = new Map(saga.steps.map((step) => [step.state, parseTime(step.at)]));
  const ended = sagaEnd(facts, saga.version);
  const started = steps.get('STARTED') ?? null;
  const start = hop(id(saga, 'start'), 'start', 'sqs', 'processing', {
    state: 'done',
    at: started,
    tookMs: elapsed(announcedAt, started),
  });
  const hops = [start, taking(saga, steps, ended, waits(facts, saga)), ending(facts, saga, steps, ended)];
  return steps.has('RELEASING') ? [...hops, releasing(saga, steps)] : hops;
}

type Steps = ReadonlyMap<SagaState, number | null>;

/** A version waits until the older ones have ended. */
function waits(facts: Facts, saga: Saga): boolean {
  const older = facts.sagas?.filter((each) => each.version < saga.version) ?? [];
  return saga.attempts === 0 && older.some((each) => each.nextRunAt !== null);
}

function taking(saga: Saga, steps: Steps, ended: SagaEnd | null, waiting: boolean): Hop {
  const refused = steps.has('FAILING') || (ended === 'FAILED' && !steps.has('STOCK_TAKEN'));
  const taken = steps.has('STOCK_TAKEN') || ended === 'CLOSED';
  const at = steps.get('STOCK_TAKEN') ?? steps.get('FAILING') ?? null;
  const state: HopState = refused ? 'failed' : taken ? 'done' : waiting ? 'pending' : 'active';
  return hop(id(saga, 'take'), 'take', 'processing', 'inventory', {
    state,
    at,
    tookMs: elapsed(steps.get('STARTED') ?? null, at),
    detail: refused ? saga.reason : null,
    retry: state === 'active' ? retryOf(saga) : null,
  });
}

/** Closing the order, or failing it after its stock was refused. */
function ending(facts: Facts, saga: Saga, steps: Steps, ended: SagaEnd | null): Hop {
  const failing = steps.has('FAILING') || ended === 'FAILED';
  const name = failing ? 'fail' : 'close';
  const began = steps.get(failing ? 'FAILING' : 'STOCK_TAKEN') ?? null;
  const superseded = steps.has('RELEASING');
  // the saga may have been read before the order, or the push may be ahead of both
  const over = steps.has(failing ? 'FAILED' : 'DONE') || endOfOrder(facts, saga.version) !== null;
  const state: HopState = superseded ? 'failed' : over ? 'done' : saga.state === 'STARTED' ? 'pending' : 'active';
  const ownTime = superseded ? steps.get('RELEASING') : steps.get(failing ? 'FAILED' : 'DONE');
  const at = ownTime ?? (over ? endedAt(facts) : null);
  return hop(id(saga, name), name, 'processing', 'order', {
    state,
    at,
    tookMs: elapsed(began, at),
    detail: superseded ? saga.reason : null,
    retry: state === 'active' ? retryOf(saga) : null,
  });
}

function releasing(saga: Saga, steps: Steps): Hop {
  const at = steps.get('RELEASED') ?? null;
  return hop(id(saga, 'release'), 'release', 'processing', 'inventory', {
    state: steps.has('RELEASED') ? 'compensated' : 'active',
    at,
    tookMs: elapsed(steps.get('RELEASING') ?? null, at),
    retry: steps.has('RELEASED') ? null : retryOf(saga),
  });
}

/** Without a saga (unreachable service, or not yet started): derived from the final status of the order. */
function withoutSaga(facts: Facts, version: number): readonly Hop[] {
  const ended = endOfOrder(facts, version);
  const unreachable = facts.sagas === null;
  const rest: HopState = unreachable ? 'unknown' : 'pending';
  // while the order is open it can't have been closed
  const created = facts.order?.status === 'CREATED';
  const start: HopState = ended !== null ? 'done' : unreachable ? 'unknown' : 'active';
  const take: HopState = ended === null ? rest : ended === 'CLOSED' ? 'done' : 'failed';
  const name = ended === 'FAILED' ? 'fail' : 'close';
  const reason = facts.order?.failureReason ?? notificationOf(facts, 'FAILED')?.reason ?? null;
  return [
    hop(id({ version }, 'start'), 'start', 'sqs', 'processing', { state: start }),
    hop(id({ version }, 'take'), 'take', 'processing', 'inventory', {
      state: take,
      detail: take === 'failed' ? reason : null,
    }),
    hop(id({ version }, name), name, 'processing', 'order', {
      state: ended !== null ? 'done' : created ? 'pending' : rest,
      at: ended === null ? null : endedAt(facts),
    }),
  ];
}

function retryOf(saga: Saga): Retry | null {
  if (saga.lastError === null && !saga.late) return null;
  return { error: saga.lastError, attempts: saga.attempts, nextRunAt: parseTime(saga.nextRunAt), late: saga.late };
}

function id(saga: Pick<Saga, 'version'>, name: string): string {
  return `v${saga.version.toString()}-${name}`;
}
