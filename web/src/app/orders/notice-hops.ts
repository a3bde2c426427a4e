import { Facts, Kind, Told, end, told } from './facts';
import { Hop, HopState, hop } from './hop';
import { elapsed } from './moments';

/** The history is kept for some weeks. What is not in it after a day is more likely forgotten than on its way. */
const ON_ITS_WAY_MS = 24 * 3600 * 1000;

/**
 * A notification from the queue to the user.
 *
 * Nobody notes the moment when the outbox hands an event to SQS (that would be a write for each), so the way from the
 * commit to the notification service is one interval.
 */
export function noticeHops(
  facts: Facts,
  kind: Kind,
  version: number,
  sent: { readonly state: HopState; readonly at: number | null },
): readonly Hop[] {
  const id = `${kind}-v${version.toString()}`;
  const known = told(facts, kind, version);
  const recorded = recordState(facts, known, sent);
  return [
    hop(`${id}-record`, 'record', 'sqs', 'notification', {
      state: recorded,
      at: known?.recordedAt ?? null,
      tookMs: elapsed(sent.at, known?.recordedAt ?? null),
      detail: kind,
    }),
    push(id, kind, known, recorded),
  ];
}

function recordState(
  facts: Facts,
  known: Told | null,
  sent: { readonly state: HopState; readonly at: number | null },
): HopState {
  if (known !== null) return 'done';
  if (facts.history === null) return 'unknown';
  if (sent.state !== 'done' && sent.state !== 'active') return sent.state;
  // what comes after the end of an order is not told any more
  const over = end(facts) !== null && facts.history.some((each) => each.kind === end(facts));
  const forgotten = sent.at !== null && facts.now - sent.at > ON_ITS_WAY_MS;
  return over || forgotten ? 'unknown' : 'active';
}

/** Whether it came to this page only this page knows. */
function push(id: string, kind: Kind, known: Told | null, recorded: HopState): Hop {
  const received = known?.received ?? null;
  const silent: HopState = recorded === 'done' || recorded === 'unknown' ? 'unknown' : 'pending';
  return hop(`${id}-push`, 'push', 'notification', 'client', {
    state: received === null ? silent : 'done',
    at: received?.receivedAt ?? null,
    tookMs: elapsed(known?.recordedAt ?? null, received?.receivedAt ?? null),
    detail: kind,
    over: received?.protocol ?? null,
  });
}
