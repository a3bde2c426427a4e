import { Injectable, Signal, computed, signal } from '@angular/core';
import { Counts, EventId, FeedState, NO_COUNTS, Protocol, Received, isAfter, parseEventId } from 'orderstream-client';
import { Observable, Subject } from 'rxjs';

import { shareConnection } from './shared-connection';
import { Sharing } from './sharing';

export type { Counts, FeedState, Notification, Protocol, Received } from 'orderstream-client';

/** The live feed: each notification once and in order, independent of protocol, connection and tab. */
@Injectable({ providedIn: 'root' })
export class Feed {
  private readonly currentProtocol = signal<Protocol>('sse');
  private readonly currentState = signal<FeedState>('connecting');
  private readonly currentCounts = signal<Counts>(NO_COUNTS);
  private readonly newest = signal<readonly Received[]>([]);
  private readonly isLeader = signal(false);
  private readonly isAlone = signal(false);
  private readonly lastHeardAt = signal<number | null>(null);
  private readonly currentDelay = signal<number | null>(null);
  private readonly currentPosition = signal<EventId | null>(null, {
    equal: (one, other) => one?.epoch === other?.epoch && one?.seq === other?.seq,
  });
  private readonly begun = signal(0);
  private readonly arrivals = new Subject<Received>();

  readonly protocol: Signal<Protocol> = this.currentProtocol.asReadonly();
  readonly state: Signal<FeedState> = this.currentState.asReadonly();
  readonly counts: Signal<Counts> = this.currentCounts.asReadonly();
  /** When the service was last heard, in milliseconds since 1970; null before. */
  readonly heardAt: Signal<number | null> = this.lastHeardAt.asReadonly();
  /** When the service last read the feed, in milliseconds since 1970, while the state is *delayed*; otherwise null. */
  readonly delayedSince: Signal<number | null> = this.currentDelay.asReadonly();
  /** Everything up to it was received, or is in the history; null before the first connection. */
  readonly position: Signal<EventId | null> = this.currentPosition.asReadonly();
  /**
   * Rises when the position is known, and when the feed has started anew since, as after its data were deleted or
   * restored: what was told before is no longer in the history, or under other ids.
   */
  readonly beginnings: Signal<number> = this.begun.asReadonly();
  /** Those that the history has, the newest first, 500 at most. */
  readonly recent: Signal<readonly Received[]> = computed(() => {
    const [position, newest] = [this.currentPosition(), this.newest()];
    return newest.filter((each) => position === null || !isForeign(each.notification.id, position));
  });
  /** Whether this tab holds the connection that all tabs share. */
  readonly leader: Signal<boolean> = this.isLeader.asReadonly();
  /** Whether the browser keeps the tabs from sharing: this one has its own connection. */
  readonly alone: Signal<boolean> = this.isAlone.asReadonly();
  readonly events: Observable<Received> = this.arrivals.asObservable();

  // a browser opens six connections to a host over HTTP/1.1, WebSockets aside
  private readonly sharing = shareConnection('all', { shared: 'sse', alone: 'ws' }, (arrived, sharing) =>
    this.show(arrived, sharing),
  );

  /** Receive over *protocol* from now on, in all tabs, without loss or duplicates. */
  use(protocol: Protocol): void {
    this.sharing.use(protocol);
  }

  /** Connect again, after the service ended the feed: an operator disconnected the person, or it refused them. */
  resume(): void {
    this.sharing.resume();
  }

  private show(arrived: readonly Received[], { status, recent, leader, isAlone, position }: Sharing): void {
    this.currentProtocol.set(status.protocol);
    this.currentState.set(status.state);
    this.currentCounts.set(status.counts);
    this.lastHeardAt.set(status.heardAt);
    this.currentDelay.set(status.state === 'delayed' ? status.delayedSince : null);
    if (!goesOn(this.currentPosition(), position)) this.begun.update((number) => number + 1);
    this.currentPosition.set(position);
    this.newest.set(recent);
    this.isLeader.set(leader);
    this.isAlone.set(isAlone);
    for (const each of arrived) this.arrivals.next(each);
  }
}

function goesOn(before: EventId | null, now: EventId | null): boolean {
  if (before === null || now === null) return before === now;
  return before.epoch === now.epoch && !isAfter(before, now);
}

function isForeign(id: string, position: EventId): boolean {
  const at = parseEventId(id);
  return at?.epoch !== position.epoch || isAfter(at, position);
}
