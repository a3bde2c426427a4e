import { DestroyRef, Injectable, Signal, inject, signal } from '@angular/core';
import { Observable, Subject } from 'rxjs';

import { FeedConnection } from './connection';
import { FEED_WORLD } from './feed-world';
import { Counts, FeedState, NO_COUNTS, Protocol, Received } from './notification';
import { Connect, Sharing } from './sharing';
import { tabChannel, tabLock } from './tabs';

export type { Counts, FeedState, Notification, Protocol, Received } from './notification';

/** The live feed: each notification once and in order, whatever protocol, connection or tab brings it. */
@Injectable({ providedIn: 'root' })
export class Feed {
  private readonly currentProtocol = signal<Protocol>('sse');
  private readonly currentState = signal<FeedState>('connecting');
  private readonly currentCounts = signal<Counts>(NO_COUNTS);
  private readonly newest = signal<readonly Received[]>([]);
  private readonly leads = signal(false);
  private readonly arrivals = new Subject<Received>();
  private readonly sharing: Sharing;

  readonly protocol: Signal<Protocol> = this.currentProtocol.asReadonly();
  readonly state: Signal<FeedState> = this.currentState.asReadonly();
  readonly counts: Signal<Counts> = this.currentCounts.asReadonly();
  /** The newest first, 500 at most. */
  readonly recent: Signal<readonly Received[]> = this.newest.asReadonly();
  /** Whether this tab holds the connection that all tabs share. */
  readonly leader: Signal<boolean> = this.leads.asReadonly();
  readonly events: Observable<Received> = this.arrivals.asObservable();

  constructor() {
    const world = inject(FEED_WORLD);
    let own: FeedConnection | null = null;
    const connect: Connect = (start, tell) => (own = new FeedConnection(start, world, tell));
    this.sharing = new Sharing('sse', tabLock(), tabChannel(), connect, (arrived) => this.show(arrived));
    const ends = new AbortController();
    addEventListener('online', () => own?.online(), { signal: ends.signal });
    addEventListener('offline', () => own?.offline(), { signal: ends.signal });
    inject(DestroyRef).onDestroy(() => {
      ends.abort();
      this.sharing.stop();
    });
    this.sharing.start();
  }

  /** Receive over *protocol* from now on, in all tabs; nothing is lost or doubled on the way. */
  use(protocol: Protocol): void {
    this.sharing.use(protocol);
  }

  private show(arrived: readonly Received[]): void {
    const { status, recent, leader } = this.sharing;
    this.currentProtocol.set(status.protocol);
    this.currentState.set(status.state);
    this.currentCounts.set(status.counts);
    this.newest.set(recent);
    this.leads.set(leader);
    for (const each of arrived) this.arrivals.next(each);
  }
}
