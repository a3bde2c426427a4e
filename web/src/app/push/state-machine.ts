import { backoffMs } from './backoff';
import { EventId, parseEventId } from './event-id';
import { ConnectionEvent, Page } from './frames';
import { Link, deadline, delayMs, wasStable, newLink } from './link';
import { MissedCounter } from './missed-counter';
import { Counts, FeedState, NO_COUNTS, Notification, Protocol } from './notification';
import { Purpose, PendingReads } from './pending-reads';
import { DeliveredNotifications } from './delivered';
import { Delivery, REREAD_LIMIT, Sequence } from './sequence';

const ONLINE_SPREAD_MS = 500;
const PAGE_LIMIT = 200;

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
  /** Open a connection that resumes after *after*. */
  | { readonly type: 'connect'; readonly connection: number; readonly protocol: Protocol; readonly after: EventId }
  | { readonly type: 'close'; readonly connection: number }
  /** Read a page of the history; without *after* only the head of the feed is used. */
  | { readonly type: 'read'; readonly ticket: number; readonly after: EventId | null; readonly limit: number }
  | { readonly type: 'deliver'; readonly delivery: Delivery };

/** The start state: a tab that becomes the leader resumes from the position of the previous one. */
export interface Start {
  readonly protocol: Protocol;
  readonly position?: EventId | null;
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
  private readonly reads = new PendingReads();
  private readonly missed = new MissedCounter();
  private decisions: Decision[] = [];
  private now: number;
  private wanted: Protocol;
  private active: Link | null = null;
  /** Replaces the active connection as soon as it is open. */
  private next: Link | null = null;
  private online = true;
  private stopped = false;
  private connected: boolean;
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
    this.connected = start.position != null;
    const delivered = new DeliveredNotifications(now, REREAD_LIMIT);
    for (const notification of start.delivered ?? []) delivered.add(notification);
    this.sequence = new Sequence(start.position ?? null, delivered, {
      deliver: (delivery, recovered) => this.deliver(delivery, recovered),
      read: (after) => this.read('recovery', after, PAGE_LIMIT),
      malformed: () => this.count('malformed'),
    });
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

  get state(): FeedState {
    if (this.active !== null && this.active.openedAt !== null) return 'live';
    if (!this.online) return 'offline';
    return this.attempts > 0 || this.connected ? 'waiting' : 'connecting';
  }

  /** The time of the next tick, in ms; null when none is due. */
  get wakeAt(): number | null {
    const due = [this.retryAt, deadline(this.next), this.reads.isPending('silence') ? null : deadline(this.active)];
    const times = due.filter((each) => each !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Handle an input at *now*, and return the decisions. */
  on(input: Input, now: number): readonly Decision[] {
    this.now = now;
    this.decisions = [];
    if (!this.stopped) this.handle(input);
    return this.decisions;
  }

  private handle(input: Input): void {
    switch (input.type) {
      case 'start':
        return this.connectOrRead();
      case 'connection-event':
        return this.onConnectionEvent(this.linkOf(input.connection), input.event);
      case 'page':
        return this.onPage(this.reads.take(input.ticket), input.page);
      case 'read-failed':
        return this.onReadFailed(this.reads.take(input.ticket));
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

  private connectOrRead(): void {
    this.retryAt = null;
    const after = this.sequence.position;
    if (after === null) {
      if (!this.reads.isPending('start')) this.read('start', null, 1);
    } else if (this.active === null) this.active = this.connect(after, this.connected);
    else if (this.active.protocol !== this.wanted && this.next === null) this.next = this.connect(after, false);
  }

  private connect(after: EventId, isReconnect: boolean): Link {
    const link = newLink(++this.links, this.wanted, isReconnect, this.now);
    this.decisions.push({ type: 'connect', connection: link.number, protocol: link.protocol, after });
    return link;
  }

  private onConnectionEvent(link: Link | null, event: ConnectionEvent): void {
    if (link === null) return;
    if (event.type === 'closed') return this.onClosed(link, event.code);
    link.lastActivityAt = this.now;
    switch (event.type) {
      case 'opened':
        return this.onOpened(link, event.head);
      case 'bye':
        link.retryMs = event.retryMs;
        return;
      case 'malformed':
        return this.count('malformed');
      case 'reset':
        this.count('resets');
    }
    link.hasReceived = true;
    this.sequence.add(event, link.protocol);
  }

  private onOpened(link: Link, head: EventId | null): void {
    if (link.openedAt !== null) return;
    link.openedAt = this.now;
    this.connected = true;
    if (link === this.next) {
      if (this.active !== null) this.close(this.active);
      this.active = link;
      this.next = null;
    }
    if (!link.isReconnect) return;
    this.count('reconnects');
    this.missed.reconnected(head);
    if (head === null) this.read('missed', this.sequence.position, 1);
  }

  /** *link* was closed: reconnect later, unless another connection is being opened. */
  private onClosed(link: Link, code: number | null): void {
    if (link === this.next) this.next = null;
    else {
      this.reads.cancel('silence', 'recovery');
      this.sequence.abandon();
      this.active = this.next;
      this.next = null;
      if (this.active !== null) {
        this.active.isReconnect = true;
        return;
      }
    }
    if (wasStable(link, this.now)) this.attempts = 0;
    this.scheduleRetry(delayMs(link, code, this.now, this.attempts, this.random));
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
    this.connectOrRead();
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

  private closeAll(): void {
    for (const link of [this.active, this.next]) if (link !== null) this.close(link);
    this.active = null;
    this.next = null;
    this.retryAt = null;
    this.reads.clear();
    this.missed.giveUp();
    this.sequence.abandon();
  }

  private onTick(): void {
    if (this.retryAt !== null && this.now >= this.retryAt) this.connectOrRead();
    for (const link of [this.next, this.active]) {
      const due = deadline(link);
      if (link !== null && due !== null && this.now >= due) this.checkLiveness(link);
    }
  }

  /** Liveness check after silence. A WebSocket has heartbeats; an EventSource hides them from the page. */
  private checkLiveness(link: Link): void {
    if (link.openedAt === null || link.protocol === 'ws') this.abort(link);
    else if (!this.reads.isPending('silence')) this.read('silence', this.sequence.position, 1);
  }

  private abort(link: Link): void {
    this.close(link);
    this.onClosed(link, null);
  }

  private onPage(purpose: Purpose | null, page: Page): void {
    switch (purpose) {
      case 'start':
        this.sequence.position ??= page.head;
        return this.connectOrRead();
      case 'missed':
        return this.count('missed', this.missed.resolve(page.head));
      case 'silence':
        return this.checkHead(page.head);
      case 'recovery':
        return this.sequence.page(page);
    }
  }

  private checkHead(head: EventId): void {
    const position = this.sequence.position;
    if (this.active === null) return;
    if (head.epoch === position?.epoch && head.seq <= position.seq) this.active.lastActivityAt = this.now;
    else this.abort(this.active);
  }

  private onReadFailed(purpose: Purpose | null): void {
    if (purpose === 'start') this.scheduleRetry(backoffMs(this.attempts, this.random));
    else if (purpose === 'missed') this.missed.giveUp();
    else if (purpose !== null && this.active !== null) this.abort(this.active);
  }

  private deliver(delivery: Delivery, recovered: boolean): void {
    const id = parseEventId(delivery.notification.id);
    this.count('received');
    if (recovered || (id !== null && this.missed.covers(id))) this.count('missed');
    this.decisions.push({ type: 'deliver', delivery });
  }

  private read(purpose: Purpose, after: EventId | null, limit: number): void {
    this.decisions.push({ type: 'read', ticket: this.reads.add(purpose), after, limit });
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
