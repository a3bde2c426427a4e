import { Injectable, Signal, signal } from '@angular/core';
import { EMPTY, Observable } from 'rxjs';

export type Protocol = 'sse' | 'ws';
export type FeedState = 'connecting' | 'live' | 'waiting' | 'offline';

/** What happened to an order, as the notification service tells it. */
export interface Notification {
  readonly id: string;
  readonly type: string;
  readonly kind: 'CREATED' | 'UPDATED' | 'CLOSED' | 'FAILED' | 'CANCELLED';
  readonly orderId: number;
  readonly version: number;
  readonly message: string;
  readonly occurredAt: string;
  readonly traceId: string;
  readonly reason?: string;
}

export interface Received {
  readonly notification: Notification;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly receivedAt: number;
  readonly protocol: Protocol;
}

export interface Counts {
  readonly received: number;
  readonly missed: number;
  readonly resets: number;
  readonly reconnects: number;
  readonly malformed: number;
}

/** The live feed: each notification once and in order, whatever protocol, connection or tab brings it. */
@Injectable({ providedIn: 'root' })
export class Feed {
  readonly protocol: Signal<Protocol> = signal<Protocol>('sse');
  readonly state: Signal<FeedState> = signal<FeedState>('connecting');
  readonly counts: Signal<Counts> = signal<Counts>({ received: 0, missed: 0, resets: 0, reconnects: 0, malformed: 0 });
  readonly recent: Signal<readonly Received[]> = signal<readonly Received[]>([]);
  readonly leader: Signal<boolean> = signal(false);
  readonly events: Observable<Received> = EMPTY;
}
