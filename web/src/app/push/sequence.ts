import { EventId, isAfter, parseEventId } from './event-id';
import { Heard, Page } from './frames';
import { Notification, Protocol } from './notification';
import { Seen } from './seen';

/** As much of the history is read again at most; who was away for more goes on from what is recent. */
export const REREAD_LIMIT = 2000;

/** A notification with how it came. */
export interface Delivery {
  readonly notification: Notification;
  readonly protocol: Protocol;
  /** As received over HTTP/1.1, with what frames it. */
  readonly bytes: number;
}

type Placed = Extract<Heard, { type: 'event' | 'position' | 'reset' }>;

interface Held {
  readonly heard: Placed;
  readonly protocol: Protocol;
}

interface Recovery {
  readonly target: EventId;
  readonly protocol: Protocol;
  /** What came meanwhile. */
  held: Held[];
}

/** What a sequence wants done. */
export interface Outlet {
  deliver(delivery: Delivery, recovered: boolean): void;
  /** Ask for the page of the history after *after*; the answer goes to {@link Sequence.page}. */
  read(after: EventId): void;
  malformed(): void;
}

/**
 * Brings what connections say into one order without holes or doubles.
 *
 * The feed that all orders share has a number for each notification, without a hole. A number that was there is a
 * double, one that is left out is a loss: what is missing is then read from the history, before anything goes on.
 */
export class Sequence {
  private recovery: Recovery | null = null;
  /** What has an id up to this one may be known under another. */
  private renamedUpTo: EventId | null = null;
  private readonly past = new Set<string>();

  constructor(
    public position: EventId | null,
    private readonly seen: Seen,
    private readonly outlet: Outlet,
  ) {}

  hear(heard: Placed, protocol: Protocol): void {
    if (this.recovery !== null) this.recovery.held.push({ heard, protocol });
    else if (heard.type === 'event') this.take(heard, protocol);
    else this.reach(heard.id, heard.type === 'reset', protocol);
  }

  /** A page of the history that was asked for. */
  page(page: Page): void {
    const recovery = this.recovery;
    if (recovery === null) return;
    for (const notification of page.notifications) {
      if (notification === null) this.outlet.malformed();
      else this.recover(notification, recovery);
    }
    if (page.next !== null && isAfter(recovery.target, page.next)) this.outlet.read(page.next);
    else this.goOn(recovery);
  }

  /** Forget what is being recovered: it comes again with the next connection. */
  abandon(): void {
    this.recovery = null;
  }

  private take(event: Extract<Heard, { type: 'event' }>, protocol: Protocol): void {
    const { id, notification, bytes } = event;
    if (this.position?.epoch === id.epoch && id.seq <= this.position.seq) return;
    if (this.past.has(id.epoch)) return;
    const before = { epoch: id.epoch, seq: id.seq - 1 };
    if (this.position?.epoch === id.epoch && this.position.seq === before.seq) {
      this.accept({ notification, protocol, bytes }, id, false);
    } else {
      this.read(before, protocol, [{ heard: event, protocol }]);
    }
  }

  /** Everything up to *target* was said, or is to be read. */
  private reach(target: EventId, reset: boolean, protocol: Protocol): void {
    if (this.past.has(target.epoch) && !reset) return;
    if (this.position?.epoch !== target.epoch || isAfter(target, this.position)) this.read(target, protocol, []);
    else if (reset && isAfter(this.position, target)) {
      // the service has less than was seen: other notifications may get these numbers
      this.renamedUpTo = this.position;
      this.position = target;
    }
  }

  private read(target: EventId, protocol: Protocol, held: Held[]): void {
    const known = this.position?.epoch === target.epoch ? this.position.seq : 0;
    if (this.position !== null && this.position.epoch !== target.epoch) this.renamedUpTo = target;
    this.recovery = { target, protocol, held };
    const after = { epoch: target.epoch, seq: Math.max(known, target.seq - REREAD_LIMIT, 0) };
    if (isAfter(target, after)) this.outlet.read(after);
    else this.goOn(this.recovery);
  }

  private recover(notification: Notification, { target, protocol }: Recovery): void {
    const id = parseEventId(notification.id);
    if (id === null) this.outlet.malformed();
    else if (id.epoch === target.epoch && id.seq <= target.seq && !this.isBehind(id)) {
      this.accept({ notification, protocol, bytes: 0 }, id, true);
    }
  }

  private isBehind(id: EventId): boolean {
    return this.position?.epoch === id.epoch && id.seq <= this.position.seq;
  }

  private goOn(recovery: Recovery): void {
    this.recovery = null;
    this.moveTo(recovery.target);
    for (const { heard, protocol } of recovery.held) this.hear(heard, protocol);
  }

  private accept(delivery: Delivery, id: EventId, recovered: boolean): void {
    this.moveTo(id);
    const renamed = this.renamedUpTo !== null && !isAfter(id, this.renamedUpTo);
    if (renamed && this.seen.covers(delivery.notification)) return;
    this.seen.add(delivery.notification);
    this.outlet.deliver(delivery, recovered);
  }

  private moveTo(id: EventId): void {
    if (this.position !== null && this.position.epoch !== id.epoch) this.past.add(this.position.epoch);
    this.past.delete(id.epoch);
    if (!this.isBehind(id)) this.position = id;
  }
}
