import { EventId, isAfter, parseEventId } from './event-id.js';
import { ConnectionEvent, Page } from './frames.js';
import { Link, backoffMs, deadline, newLink, silenceMs, wasStable } from './link.js';
import { Counts, FeedEnd, FeedState, NO_COUNTS, Notification, Protocol } from './notification.js';
import { DeliveredNotifications } from './delivered.js';
import { Delivery, REREAD_LIMIT, Sequence } from './sequence.js';

const ONLINE_SPREAD_MS = 500;
const PAGE_LIMIT = 200;
/** The close code of a WebSocket that an operator ended. */
const DISCONNECTED = 4403;

export type Input =
  | { readonly type: 'start' }
  | { readonly type: 'connection-event'; readonly connection: number; readonly event: ConnectionEvent }
  | { readonly type: 'page'; readonly ticket: number; readonly page: Page }
  | { readonly type: 'read-failed'; readonly ticket: number }
  | { readonly type: 'online' }
  | { readonly type: 'offline' }
  | { readonly type: 'use'; readonly protocol: Protocol }
  | { readonly type: 'tick' }
  | { readonly type: 'stop' };

export type Decision =
  /** Open a connection that resumes after *after*; null is the present. */
  | { readonly type: 'connect'; readonly connection: number; readonly protocol: Protocol; readonly after: After | null }
  | { readonly type: 'close'; readonly connection: number }
  /** Read a page of the history. */
  | { readonly type: 'read'; readonly ticket: number; readonly after: EventId; readonly limit: number }
  | { readonly type: 'deliver'; readonly delivery: Delivery };

/** Where a connection begins: after an id, or with everything that is stored. */
export type After = EventId | 'earliest';

/** The start state. A page's tab that takes over a connection resumes from the position of the previous one. */
export interface Start {
  readonly protocol: Protocol;
  /** Null or absent: from now on. */
  readonly after?: After | null;
  /** Whether only some notifications are requested: then their numbers have gaps. */
  readonly isFiltered?: boolean;
  readonly counts?: Counts;
  /** The last delivered notifications, the oldest first. */
  readonly delivered?: readonly Notification[];
}

/**
 * Decides for the live feed when to connect, where to resume, and what to deliver. Pure: the inputs are events and the
 * time (ms), the outputs are decisions.
 *
 * A switch of protocol opens the new connection while the old one stays active until the new one is open.
 */
export class FeedStateMachine {
  private readonly sequence: Sequence;
  /** The number of the read that a recovery waits for. */
  private pendingRead: number | null = null;
  private reads = 0;
  /** The head at the last reconnect: what comes up to it was missed. */
  private missedUpTo: EventId | null = null;
  private decisions: Decision[] = [];
  private now: number;
  private wanted: Protocol;
  private active: Link | null = null;
  /** Replaces the active connection as soon as it is open. */
  private next: Link | null = null;
  private online = true;
  private stopped = false;
  private currentEnd: FeedEnd | null = null;
  private lastHeardAt: number | null = null;
  private connected: boolean;
  private readonly begin: After | null;
  private attempts = 0;
  private retryAt: number | null = null;
  private links = 0;
  private currentCounts: Counts;

  constructor(
    start: Start,
    now: number,
    private readonly random: () => number,
  ) {
    this.now = now;
    this.wanted = start.protocol;
    this.currentCounts = start.counts ?? NO_COUNTS;
    this.begin = start.after ?? null;
    const position = this.begin === 'earliest' ? null : this.begin;
    this.connected = position !== null;
    const delivered = new DeliveredNotifications(now, REREAD_LIMIT);
    for (const notification of start.delivered ?? []) delivered.add(notification);
    const effects = {
      deliver: (delivery: Delivery, recovered: boolean): void => this.deliver(delivery, recovered),
      read: (after: EventId): void => this.read(after),
      malformed: (): void => this.count('malformed'),
    };
    this.sequence = new Sequence(position, delivered, effects, start.isFiltered);
  }

  get protocol(): Protocol {
    return this.wanted;
  }

  get counts(): Counts {
    return this.currentCounts;
  }

  get position(): EventId | null {
    return this.sequence.position;
  }

  /** When the service was last heard, in ms; null before. */
  get heardAt(): number | null {
    return this.lastHeardAt;
  }

  /** When the service last read the feed, in ms, if it can't since; null while it can, or nothing is known. */
  get delayedSince(): number | null {
    return this.active?.delayedSince ?? null;
  }

  /** Why the feed ended by itself; `start` begins again. */
  get end(): FeedEnd | null {
    return this.currentEnd;
  }

  get state(): FeedState {
    if (this.currentEnd !== null) return 'ended';
    if (this.active !== null && this.active.openedAt !== null) {
      return this.active.delayedSince === null ? 'live' : 'delayed';
    }
    if (!this.online) return 'offline';
    return this.attempts > 0 || this.connected ? 'waiting' : 'connecting';
  }

  /** The time of the next tick, in ms; null when none is due. */
  get wakeAt(): number | null {
    const due = [this.retryAt, deadline(this.next), deadline(this.active)];
    const times = due.filter((each) => each !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Handle an input at *now*, and return the decisions. */
  on(input: Input, now: number): readonly Decision[] {
    this.now = now;
    this.decisions = [];
    if (!this.stopped && (this.currentEnd === null || input.type === 'start')) this.handle(input);
    return this.decisions;
  }

  private handle(input: Input): void {
    switch (input.type) {
      case 'start':
        this.currentEnd = null;
        return this.active === null ? this.connect() : undefined;
      case 'connection-event':
        return this.onConnectionEvent(this.linkOf(input.connection), input.event);
      case 'page':
        return this.isPending(input.ticket) ? this.sequence.page(input.page) : undefined;
      case 'read-failed':
        return this.isPending(input.ticket) && this.active !== null ? this.abort(this.active) : undefined;
      case 'use':
        return this.use(input.protocol);
      case 'online':
        return this.onOnline();
      case 'offline':
        return this.onOffline();
      case 'tick':
        return this.onTick();
      case 'stop':
        this.closeAll();
        this.stopped = true;
    }
  }

  private connect(): void {
    this.retryAt = null;
    if (this.active === null) this.active = this.open(this.connected);
    else if (this.active.protocol !== this.wanted && this.next === null) this.next = this.open(false);
  }

  private open(isReconnect: boolean): Link {
    const link = newLink(++this.links, this.wanted, isReconnect, this.now);
    const after = this.sequence.position ?? this.begin;
    this.decisions.push({ type: 'connect', connection: link.number, protocol: link.protocol, after });
    return link;
  }

  private onConnectionEvent(link: Link | null, event: ConnectionEvent): void {
    if (link === null) return;
    if (event.type === 'denied') return this.endWith({ reason: 'denied', status: event.status });
    if (event.type === 'closed') {
      const disconnected = link.isDisconnected || (link.protocol === 'ws' && event.code === DISCONNECTED);
      return disconnected ? this.endWith({ reason: 'disconnected' }) : this.onClosed(link);
    }
    link.lastActivityAt = this.now;
    this.lastHeardAt = this.now;
    if (event.type === 'opened' || event.type === 'position') {
      link.delayedSince = event.delayedMs === undefined ? null : this.now - event.delayedMs;
    }
    switch (event.type) {
      case 'opened':
        link.silenceMs = silenceMs(event.heartbeatMs);
        return this.onOpened(link, event.id, event.head);
      case 'bye':
        link.retryMs = event.retryMs;
        link.isDisconnected = event.reason === 'disconnected';
        return;
      case 'malformed':
        return this.count('malformed');
      case 'reset':
        this.count('resets');
    }
    link.hasReceived = true;
    this.sequence.add(event, link.protocol);
  }

  private onOpened(link: Link, id: EventId, head: EventId): void {
    if (link.openedAt !== null) return;
    this.sequence.position ??= id;
    link.openedAt = this.now;
    this.connected = true;
    if (link === this.next) {
      if (this.active !== null) this.close(this.active);
      this.active = link;
      this.next = null;
    }
    if (!link.isReconnect) return;
    this.count('reconnects');
    this.missedUpTo = head;
  }

  /** *link* was closed: reconnect later, unless another connection is being opened. */
  private onClosed(link: Link): void {
    if (link === this.next) this.next = null;
    else {
      this.abandonRecovery();
      this.active = this.next;
      this.next = null;
      if (this.active !== null) {
        this.active.isReconnect = true;
        return;
      }
    }
    if (wasStable(link, this.now)) this.attempts = 0;
    this.scheduleRetry(link.retryMs ?? backoffMs(this.attempts, this.random));
  }

  private scheduleRetry(waitMs: number): void {
    this.attempts++;
    this.retryAt = this.now + waitMs;
  }

  private use(protocol: Protocol): void {
    if (protocol === this.wanted) return;
    this.wanted = protocol;
    if (this.next !== null) this.close(this.next);
    this.next = null;
    if (this.active?.protocol === protocol) {
      this.retryAt = null;
      return;
    }
    if (this.active !== null && this.active.openedAt === null) {
      this.close(this.active);
      this.active = null;
    }
    this.connect();
  }

  private onOffline(): void {
    this.online = false;
    this.closeAll();
    // a browser that reports offline may still reach a service on its own machine
    this.scheduleRetry(backoffMs(this.attempts, this.random));
  }

  private onOnline(): void {
    this.online = true;
    this.attempts = 0;
    if (this.retryAt !== null) this.retryAt = this.now + this.random() * ONLINE_SPREAD_MS;
  }

  private endWith(end: FeedEnd): void {
    this.closeAll();
    this.attempts = 0;
    this.currentEnd = end;
  }

  private closeAll(): void {
    for (const link of [this.active, this.next]) if (link !== null) this.close(link);
    this.active = null;
    this.next = null;
    this.retryAt = null;
    this.abandonRecovery();
  }

  private abandonRecovery(): void {
    this.pendingRead = null;
    this.sequence.abandon();
  }

  private onTick(): void {
    if (this.retryAt !== null && this.now >= this.retryAt) this.connect();
    for (const link of [this.next, this.active]) {
      const due = deadline(link);
      if (link !== null && due !== null && this.now >= due) this.abort(link);
    }
  }

  private abort(link: Link): void {
    this.close(link);
    this.onClosed(link);
  }

  private deliver(delivery: Delivery, recovered: boolean): void {
    const id = parseEventId(delivery.notification.id);
    this.count('received');
    const upTo = this.missedUpTo;
    const missed = id !== null && upTo?.epoch === id.epoch && !isAfter(id, upTo);
    if (recovered || missed) this.count('missed');
    this.decisions.push({ type: 'deliver', delivery });
  }

  private read(after: EventId): void {
    this.pendingRead = ++this.reads;
    this.decisions.push({ type: 'read', ticket: this.pendingRead, after, limit: PAGE_LIMIT });
  }

  private isPending(read: number): boolean {
    if (read !== this.pendingRead) return false;
    this.pendingRead = null;
    return true;
  }

  private close(link: Link): void {
    this.decisions.push({ type: 'close', connection: link.number });
  }

  private linkOf(number: number): Link | null {
    return [this.active, this.next].find((each) => each?.number === number) ?? null;
  }

  private count(what: keyof Counts, by = 1): void {
    if (by > 0) this.currentCounts = { ...this.currentCounts, [what]: this.currentCounts[what] + by };
  }
}
