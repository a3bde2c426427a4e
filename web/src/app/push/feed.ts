import { DestroyRef, Injectable, Signal, effect, inject, signal, untracked } from '@angular/core';
import { Counts, FeedConnection, FeedState, NO_COUNTS, Protocol, Received, listenForNetwork } from 'orderstream-client';
import { Observable, Subject } from 'rxjs';

import { Phase, Session } from '../sign-in/session';
import { FEED_RUNTIME } from './feed-runtime';
import { Connect, Sharing } from './sharing';
import { tabChannel, tabLock } from './tab-coordination';

export type { Counts, FeedState, Notification, Protocol, Received } from 'orderstream-client';

/** With the version of the message format: pages of different versions share nothing. */
const NAME = 'orderstream.feed.1';

/** The live feed: each notification once and in order, independent of protocol, connection and tab. */
@Injectable({ providedIn: 'root' })
export class Feed {
  private readonly currentProtocol = signal<Protocol>('sse');
  private readonly currentState = signal<FeedState>('connecting');
  private readonly currentCounts = signal<Counts>(NO_COUNTS);
  private readonly newest = signal<readonly Received[]>([]);
  private readonly isLeader = signal(false);
  private readonly arrivals = new Subject<Received>();
  private readonly sharing: Sharing;

  readonly protocol: Signal<Protocol> = this.currentProtocol.asReadonly();
  readonly state: Signal<FeedState> = this.currentState.asReadonly();
  readonly counts: Signal<Counts> = this.currentCounts.asReadonly();
  /** The newest first, 500 at most. */
  readonly recent: Signal<readonly Received[]> = this.newest.asReadonly();
  /** Whether this tab holds the connection that all tabs share. */
  readonly leader: Signal<boolean> = this.isLeader.asReadonly();
  readonly events: Observable<Received> = this.arrivals.asObservable();

  constructor() {
    const runtime = inject(FEED_RUNTIME);
    const session = inject(Session);
    let connection: FeedConnection | null = null;
    // a customer's feed has gaps, as one with a filter
    const isFiltered = !session.may().seeAll;
    const connect: Connect = (start, onChange) =>
      (connection = new FeedConnection({ ...start, isFiltered }, runtime, onChange));
    // people share neither a connection nor what it brought, nor do the roles of one person
    const name = session.required ? `${session.own(NAME)}/${session.person()?.role ?? ''}` : NAME;
    this.sharing = new Sharing('sse', tabLock(name), tabChannel(name), connect, (arrived) => this.show(arrived));
    const stopListening = listenForNetwork({
      online: () => connection?.online(),
      offline: () => connection?.offline(),
    });
    inject(DestroyRef).onDestroy(() => {
      stopListening();
      this.sharing.stop();
    });
    this.sharing.start();
    effect(() => {
      const phase = session.phase();
      untracked(() => this.follow(phase));
    });
  }

  /** Receive over *protocol* from now on, in all tabs, without loss or duplicates. */
  use(protocol: Protocol): void {
    this.sharing.use(protocol);
  }

  /** Connect again, after the service ended the feed: an operator disconnected the person, or it refused them. */
  resume(): void {
    this.sharing.resume();
  }

  /** A tab that can't get tickets leaves the connection to another one of the person. */
  private follow(phase: Phase): void {
    if (phase === 'signed-out') this.sharing.stop();
    else if (phase === 'ended') this.sharing.resign();
    else if (phase !== 'signing-in') {
      this.sharing.stand();
      if (this.state() === 'ended') this.sharing.resume();
    }
  }

  private show(arrived: readonly Received[]): void {
    const { status, recent, leader } = this.sharing;
    this.currentProtocol.set(status.protocol);
    this.currentState.set(status.state);
    this.currentCounts.set(status.counts);
    this.newest.set(recent);
    this.isLeader.set(leader);
    for (const each of arrived) this.arrivals.next(each);
  }
}
