import { backoffMs } from './backoff';
import { EventId, parseEventId } from './event-id';
import { Heard, Page } from './frames';
import { Link, deadline, delayMs, hasWorked, newLink } from './link';
import { Missed } from './missed';
import { Counts, FeedState, NO_COUNTS, Notification, Protocol } from './notification';
import { Purpose, Reads } from './reads';
import { Seen } from './seen';
import { Delivery, REREAD_LIMIT, Sequence } from './sequence';

const ONLINE_SPREAD_MS = 500;
const PAGE_LIMIT = 200;

export type Input =
  | { readonly type: 'start' }
  | { readonly type: 'heard'; readonly connection: number; readonly heard: Heard }
  | { readonly type: 'page'; readonly ticket: number; readonly page: Page }
  | { readonly type: 'unread'; readonly ticket: number }
  | { readonly type: 'online' }
  | { readonly type: 'offline' }
  | { readonly type: 'use'; readonly protocol: Protocol }
  | { readonly type: 'tick' }
  | { readonly type: 'stop' };

export type Decision =
  /** Open a connection that goes on after *after*. */
  | { readonly type: 'connect'; readonly connection: number; readonly protocol: Protocol; readonly after: EventId }
  | { readonly type: 'close'; readonly connection: number }
  /** Read a page of the history; without *after* only where the feed is, its head, is of interest. */
  | { readonly type: 'read'; readonly ticket: number; readonly after: EventId | null; readonly limit: number }
  | { readonly type: 'deliver'; readonly delivery: Delivery };

/** Where to begin: a tab that takes over goes on from what another has heard. */
export interface Start {
  readonly protocol: Protocol;
  readonly position?: EventId | null;
  readonly counts?: Counts;
  /** What was delivered last, the oldest first. */
  readonly known?: readonly Notification[];
}

/**
 * Decides for the live feed when to connect, where to go on from, and what to deliver. Pure: it is told what happens
 * and what time it is (ms), and says what to do.
 *
 * A switch of protocol opens the new connection beside the old one, which goes on until the new one is there.
 */
export class FeedMachine {
  private readonly sequence: Sequence;
  private readonly reads = new Reads();
  private readonly missed = new Missed();
  private decisions: Decision[] = [];
  private now: number;
  private wanted: Protocol;
  private active: Link | null = null;
  /** The one that takes the active one's place as soon as it is open. */
  private next: Link | null = null;
  private online = true;
  private stopped = false;
  private connected: boolean;
  private attempts = 0;
  private retryAt: number | null = null;
  private links = 0;
  private counted: Counts;

  constructor(
    start: Start,
    now: number,
    private readonly random: () => number,
  ) {
    this.now = now;
    this.wanted = start.protocol;
    this.counted = start.counts ?? NO_COUNTS;
    this.connected = start.position != null;
    const seen = new Seen(now, REREAD_LIMIT);
    for (const notification of start.known ?? []) seen.add(notification);
    this.sequence = new Sequence(start.position ?? null, seen, {
      deliver: (delivery, recovered) => this.deliver(delivery, recovered),
      read: (after) => this.read('recovery', after, PAGE_LIMIT),
      malformed: () => this.count('malformed'),
    });
  }

  get protocol(): Protocol {
    return this.wanted;
  }

  get counts(): Counts {
    return this.counted;
  }

  get position(): EventId | null {
    return this.sequence.position;
  }

  get state(): FeedState {
    if (this.active !== null && this.active.openedAt !== null) return 'live';
    if (!this.online) return 'offline';
    return this.attempts > 0 || this.connected ? 'waiting' : 'connecting';
  }

  /** When a tick is due, in ms; null when nothing is waited for. */
  get wakeAt(): number | null {
    const due = [this.retryAt, deadline(this.next), this.reads.awaits('silence') ? null : deadline(this.active)];
    const times = due.filter((each) => each !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Take in what happened at *now*, and say what to do. */
  on(input: Input, now: number): readonly Decision[] {
    this.now = now;
    this.decisions = [];
    if (!this.stopped) this.obey(input);
    return this.decisions;
  }

  private obey(input: Input): void {
    switch (input.type) {
      case 'start':
        return this.begin();
      case 'heard':
        return this.hear(this.linkOf(input.connection), input.heard);
      case 'page':
        return this.answered(this.reads.take(input.ticket), input.page);
      case 'unread':
        return this.unanswered(this.reads.take(input.ticket));
      case 'use':
        return this.use(input.protocol);
      case 'online':
        return this.cameOnline();
      case 'offline':
        return this.wentOffline();
      case 'tick':
        return this.tick();
      case 'stop':
        this.leave();
        this.stopped = true;
    }
  }

  private begin(): void {
    this.retryAt = null;
    const after = this.sequence.position;
    if (after === null) {
      if (!this.reads.awaits('start')) this.read('start', null, 1);
    } else if (this.active === null) this.active = this.connect(after, this.connected);
    else if (this.active.protocol !== this.wanted && this.next === null) this.next = this.connect(after, false);
  }

  private connect(after: EventId, isReturn: boolean): Link {
    const link = newLink(++this.links, this.wanted, isReturn, this.now);
    this.decisions.push({ type: 'connect', connection: link.number, protocol: link.protocol, after });
    return link;
  }

  private hear(link: Link | null, heard: Heard): void {
    if (link === null) return;
    if (heard.type === 'closed') return this.lose(link, heard.code);
    link.aliveAt = this.now;
    switch (heard.type) {
      case 'opened':
        return this.opened(link, heard.head);
      case 'bye':
        link.retryMs = heard.retryMs;
        return;
      case 'malformed':
        return this.count('malformed');
      case 'reset':
        this.count('resets');
    }
    link.saidSomething = true;
    this.sequence.hear(heard, link.protocol);
  }

  private opened(link: Link, head: EventId | null): void {
    if (link.openedAt !== null) return;
    link.openedAt = this.now;
    this.connected = true;
    if (link === this.next) {
      if (this.active !== null) this.close(this.active);
      this.active = link;
      this.next = null;
    }
    if (!link.isReturn) return;
    this.count('reconnects');
    this.missed.returned(head);
    if (head === null) this.read('missed', this.sequence.position, 1);
  }

  /** *link* is gone: another is tried later, unless one is on its way. */
  private lose(link: Link, code: number | null): void {
    if (link === this.next) this.next = null;
    else {
      this.reads.forget('silence', 'recovery');
      this.sequence.abandon();
      this.active = this.next;
      this.next = null;
      if (this.active !== null) {
        this.active.isReturn = true;
        return;
      }
    }
    if (hasWorked(link, this.now)) this.attempts = 0;
    this.tryLater(delayMs(link, code, this.now, this.attempts, this.random));
  }

  private tryLater(waitMs: number): void {
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
    this.begin();
  }

  private wentOffline(): void {
    this.online = false;
    this.leave();
    // a browser that calls itself offline may still reach a service on its own machine
    this.tryLater(backoffMs(this.attempts, this.random));
  }

  private cameOnline(): void {
    this.online = true;
    this.attempts = 0;
    if (this.retryAt !== null) this.retryAt = this.now + this.random() * ONLINE_SPREAD_MS;
  }

  private leave(): void {
    for (const link of [this.active, this.next]) if (link !== null) this.close(link);
    this.active = null;
    this.next = null;
    this.retryAt = null;
    this.reads.forgetAll();
    this.missed.giveUp();
    this.sequence.abandon();
  }

  private tick(): void {
    if (this.retryAt !== null && this.now >= this.retryAt) this.begin();
    for (const link of [this.next, this.active]) {
      const due = deadline(link);
      if (link !== null && due !== null && this.now >= due) this.doubt(link);
    }
  }

  /** Nothing came for too long. A WebSocket has heartbeats; those of an EventSource are hidden from the page. */
  private doubt(link: Link): void {
    if (link.openedAt === null || link.protocol === 'ws') this.drop(link);
    else if (!this.reads.awaits('silence')) this.read('silence', this.sequence.position, 1);
  }

  private drop(link: Link): void {
    this.close(link);
    this.lose(link, null);
  }

  private answered(purpose: Purpose | null, page: Page): void {
    switch (purpose) {
      case 'start':
        this.sequence.position ??= page.head;
        return this.begin();
      case 'missed':
        return this.count('missed', this.missed.decide(page.head));
      case 'silence':
        return this.compare(page.head);
      case 'recovery':
        return this.sequence.page(page);
    }
  }

  private compare(head: EventId): void {
    const position = this.sequence.position;
    if (this.active === null) return;
    if (head.epoch === position?.epoch && head.seq <= position.seq) this.active.aliveAt = this.now;
    else this.drop(this.active);
  }

  private unanswered(purpose: Purpose | null): void {
    if (purpose === 'start') this.tryLater(backoffMs(this.attempts, this.random));
    else if (purpose === 'missed') this.missed.giveUp();
    else if (purpose !== null && this.active !== null) this.drop(this.active);
  }

  private deliver(delivery: Delivery, recovered: boolean): void {
    const id = parseEventId(delivery.notification.id);
    this.count('received');
    if (recovered || (id !== null && this.missed.covers(id))) this.count('missed');
    this.decisions.push({ type: 'deliver', delivery });
  }

  private read(purpose: Purpose, after: EventId | null, limit: number): void {
    this.decisions.push({ type: 'read', ticket: this.reads.ask(purpose), after, limit });
  }

  private close(link: Link): void {
    this.decisions.push({ type: 'close', connection: link.number });
  }

  private linkOf(number: number): Link | null {
    return [this.active, this.next].find((each) => each?.number === number) ?? null;
  }

  private count(what: keyof Counts, by = 1): void {
    if (by > 0) this.counted = { ...this.counted, [what]: this.counted[what] + by };
  }
}
