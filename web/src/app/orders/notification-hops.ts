import { Facts, Kind, KnownNotification, finalStatus, notificationOf } from './facts';
import { Hop, HopState, hop } from './hop';
import { elapsed } from './timestamps';

/** The history is kept for weeks. An entry that is missing after a day was more likely deleted than delayed. */
const DELIVERY_TIME_MS = 24 * 3600 * 1000;

/**
 * The hops of a notification from the queue to the user.
 *
 * The relay records no time when it sends an event to SQS (that would be a write for each), so the time from the commit
 * to the notification service is one interval.
 */
export function notificationHops(
  facts: Facts,
  kind: Kind,
  version: number,
  sent: { readonly state: HopState; readonly at: number | null },
): readonly Hop[] {
  const id = `${kind}-v${version.toString()}`;
  const known = notificationOf(facts, kind, version);
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
  known: KnownNotification | null,
  sent: { readonly state: HopState; readonly at: number | null },
): HopState {
  if (known !== null) return 'done';
  if (facts.history === null) return 'unknown';
  if (sent.state !== 'done' && sent.state !== 'active') return sent.state;
  // later events of an ended order create no notification
  const over = finalStatus(facts) !== null && facts.history.some((each) => each.kind === finalStatus(facts));
  const expired = sent.at !== null && facts.now - sent.at > DELIVERY_TIME_MS;
  return over || expired ? 'unknown' : 'active';
}

/** The push to this page, which only this page can confirm; what came before it was opened is in the history. */
function push(id: string, kind: Kind, known: KnownNotification | null, recorded: HopState): Hop {
  const received = known?.received ?? null;
  const isRead = received === null && recorded === 'done' && known?.isPast === true;
  const silent: HopState = recorded === 'done' || recorded === 'unknown' ? 'unknown' : 'pending';
  return hop(`${id}-push`, 'push', 'notification', 'client', {
    state: received !== null || isRead ? 'done' : silent,
    at: received?.receivedAt ?? null,
    tookMs: elapsed(known?.recordedAt ?? null, received?.receivedAt ?? null),
    detail: kind,
    over: received?.protocol ?? null,
    isRead,
  });
}
