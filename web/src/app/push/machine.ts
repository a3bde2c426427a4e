import { backoffMs, refusedMs } from './backoff';
import { EventId, isAfter, parseEventId } from './event-id';
import { Heard, Page } from './frames';
import { Counts, FeedState, NO_COUNTS, Notification, Protocol } from './notification';
import { Seen } from './seen';
import { Delivery, REREAD_LIMIT, Sequence } from './sequence';

/** Three heartbeats. */
export const SILENCE_MS = 45_000;
export const OPENING_LIMIT_MS = 10_000;
/** A connection that lasted so long was a good one, though nothing came. */
const STEADY_MS = 5000;
/** One that ends at once, without a word, was refused: an EventSource is not told so. */
const BRIEF_MS = 1000;
const ONLINE_SPREAD_MS = 500;
const TRY_AGAIN_LATER = 1013;
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

interface Connection {
  readonly number: number;
  readonly protocol: Protocol;
  /** It replaces one that was lost. */
  isReturn: boolean;
  openedAt: number | null;
  /** When it was begun, or said something last. */
  aliveAt: number;
  saidSomething: boolean;
  retryMs: number | null;
}

/** Why a page is read: where to begin, how much was missed, whether silence is right, what was lost. */
type Purpose = 'start' | 'missed' | 'silence' | 'recovery';

/**
 * Decides for the live feed when to connect, where to go on from, and what to deliver. Pure: it is told what happens
 * and what time it is (ms), and says what to do.
 *
 * A switch of protocol opens the new connection beside the old one, which goes on until the new one is there.
 */
export class FeedMachine {
  private readonly sequence: Sequence;
  private readonly reads = new Map<number, Purpose>();
  private decisions: Decision[] = [];
  private now: number;
  private wanted: Protocol;
  private active: Connection | null = null;
  /** The one that takes the active one's place as soon as it is open. */
  private next: Connection | null = null;
  private online = true;
  private stopped = false;
  private connected: boolean;
  private attempts = 0;
  private retryAt: number | null = null;
  private lastNumber = 0;
  private missedUpTo: EventId | null = null;
  /** What came since the return, while it is not known how much was missed. */
  private sinceReturn: EventId[] = [];
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
    const due = [this.retryAt, deadline(this.next), this.awaits('silence') ? null : deadline(this.active)];
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
        return this.hear(this.connectionOf(input.connection), input.heard);
      case 'page':
        return this.answered(input.ticket, input.page);
      case 'unread':
        return this.unanswered(input.ticket);
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
      if (!this.awaits('start')) this.read('start', null, 1);
    } else if (this.active === null) this.active = this.connect(after, this.connected);
    else if (this.active.protocol !== this.wanted && this.next === null) this.next = this.connect(after, false);
  }

  private connect(after: EventId, isReturn: boolean): Connection {
    const connection = {
      number: ++this.lastNumber,
      protocol: this.wanted,
      isReturn,
      openedAt: null,
      aliveAt: this.now,
      saidSomething: false,
      retryMs: null,
    };
    this.decisions.push({ type: 'connect', connection: connection.number, protocol: this.wanted, after });
    return connection;
  }

  private hear(connection: Connection | null, heard: Heard): void {
    if (connection === null) return;
    if (heard.type === 'closed') return this.lose(connection, heard.code);
    connection.aliveAt = this.now;
    switch (heard.type) {
      case 'opened':
        return this.opened(connection, heard.head);
      case 'bye':
        connection.retryMs = heard.retryMs;
        return;
      case 'malformed':
        return this.count('malformed');
      case 'reset':
        this.count('resets');
    }
    connection.saidSomething = true;
    this.sequence.hear(heard, connection.protocol);
  }

  private opened(connection: Connection, head: EventId | null): void {
    if (connection.openedAt !== null) return;
    connection.openedAt = this.now;
    this.connected = true;
    if (connection === this.next) {
      if (this.active !== null) this.close(this.active);
      this.active = connection;
      this.next = null;
    }
    if (!connection.isReturn) return;
    this.count('reconnects');
    this.sinceReturn = [];
    if (head === null) this.read('missed', this.sequence.position, 1);
    else this.missedUpTo = head;
  }

  /** *connection* is gone: another is tried later, unless one is on its way. */
  private lose(connection: Connection, code: number | null): void {
    if (connection === this.next) {
      this.next = null;
      return this.tryLater(this.delayAfter(connection, code));
    }
    this.forget('silence', 'recovery');
    this.sequence.abandon();
    this.active = this.next;
    this.next = null;
    if (this.active === null) this.tryLater(this.delayAfter(connection, code));
    else this.active.isReturn = true;
  }

  private delayAfter(connection: Connection, code: number | null): number {
    const openFor = connection.openedAt === null ? null : this.now - connection.openedAt;
    const silent = !connection.saidSomething;
    if (openFor !== null && (!silent || openFor >= STEADY_MS)) this.attempts = 0;
    if (connection.retryMs !== null) return connection.retryMs;
    const brief = connection.protocol === 'sse' && silent && openFor !== null && openFor < BRIEF_MS;
    return code === TRY_AGAIN_LATER || brief ? refusedMs(this.random) : backoffMs(this.attempts, this.random);
  }

  private tryLater(delayMs: number): void {
    this.attempts++;
    this.retryAt = this.now + delayMs;
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
    for (const connection of [this.active, this.next]) if (connection !== null) this.close(connection);
    this.active = null;
    this.next = null;
    this.retryAt = null;
    this.reads.clear();
    this.sequence.abandon();
  }

  private tick(): void {
    if (this.retryAt !== null && this.now >= this.retryAt) this.begin();
    for (const connection of [this.next, this.active]) {
      const due = deadline(connection);
      if (connection !== null && due !== null && this.now >= due) this.doubt(connection);
    }
  }

  /** Nothing came for too long. A WebSocket has heartbeats; those of an EventSource are hidden from the page. */
  private doubt(connection: Connection): void {
    if (connection.openedAt === null || connection.protocol === 'ws') this.drop(connection);
    else if (!this.awaits('silence')) this.read('silence', this.sequence.position, 1);
  }

  private drop(connection: Connection): void {
    this.close(connection);
    this.lose(connection, null);
  }

  private answered(ticket: number, page: Page): void {
    const purpose = this.reads.get(ticket);
    this.reads.delete(ticket);
    switch (purpose) {
      case 'start':
        this.sequence.position ??= page.head;
        return this.begin();
      case 'missed':
        for (const id of this.sinceReturn) if (!isAfter(id, page.head)) this.count('missed');
        this.sinceReturn = [];
        this.missedUpTo = page.head;
        return;
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

  private unanswered(ticket: number): void {
    const purpose = this.reads.get(ticket);
    this.reads.delete(ticket);
    if (purpose === 'start') this.tryLater(backoffMs(this.attempts, this.random));
    else if (purpose === 'missed') this.sinceReturn = [];
    else if (purpose !== undefined && this.active !== null) this.drop(this.active);
  }

  private deliver(delivery: Delivery, recovered: boolean): void {
    const id = parseEventId(delivery.notification.id);
    this.count('received');
    if (recovered || (id !== null && this.missedUpTo?.epoch === id.epoch && !isAfter(id, this.missedUpTo))) {
      this.count('missed');
    } else if (id !== null && this.awaits('missed')) this.sinceReturn.push(id);
    this.decisions.push({ type: 'deliver', delivery });
  }

  private read(purpose: Purpose, after: EventId | null, limit: number): void {
    this.forget(purpose);
    const ticket = ++this.lastNumber;
    this.reads.set(ticket, purpose);
    this.decisions.push({ type: 'read', ticket, after, limit });
  }

  private awaits(purpose: Purpose): boolean {
    return [...this.reads.values()].includes(purpose);
  }

  private forget(...purposes: readonly Purpose[]): void {
    for (const [ticket, purpose] of this.reads) if (purposes.includes(purpose)) this.reads.delete(ticket);
  }

  private close(connection: Connection): void {
    this.decisions.push({ type: 'close', connection: connection.number });
  }

  private connectionOf(number: number): Connection | null {
    return [this.active, this.next].find((each) => each?.number === number) ?? null;
  }

  private count(what: keyof Counts): void {
    this.counted = { ...this.counted, [what]: this.counted[what] + 1 };
  }
}

/** When something should have been heard of *connection*. */
function deadline(connection: Connection | null): number | null {
  if (connection === null) return null;
  return connection.aliveAt + (connection.openedAt === null ? OPENING_LIMIT_MS : SILENCE_MS);
}
