import { EventId, isAfter, parseEventId } from './event-id.js';
import { ConnectionEvent, Page } from './frames.js';
import { Notification, Protocol } from './notification.js';
import { DeliveredNotifications } from './delivered.js';

/** The maximum number of notifications that are read again; after a longer absence older ones are skipped. */
export const REREAD_LIMIT = 2000;

/** A notification with its protocol and size. */
export interface Delivery {
  readonly notification: Notification;
  readonly protocol: Protocol;
  /** The size as received over HTTP/1.1, including framing. */
  readonly bytes: number;
}

type PositionedEvent = Extract<ConnectionEvent, { type: 'event' | 'position' | 'reset' }>;

interface BufferedEvent {
  readonly event: PositionedEvent;
  readonly protocol: Protocol;
}

interface Recovery {
  readonly target: EventId;
  readonly protocol: Protocol;
  /** Events that arrived during the recovery. */
  buffered: BufferedEvent[];
}

/** The effects that a sequence requests. */
export interface SequenceEffects {
  deliver(delivery: Delivery, recovered: boolean): void;
  /** Read the page of the history after *after*; the result goes to {@link Sequence.page}. */
  read(after: EventId): void;
  malformed(): void;
}

/**
 * Orders events without gaps and duplicates.
 *
 * The sequence numbers of the feed are dense: a repeated number is a duplicate, a skipped one a loss, which is read
 * from the history before later notifications are delivered. With a filter a skipped one may be of another order.
 */
export class Sequence {
  private recovery: Recovery | null = null;
  /** Notifications up to this id may have been delivered under another id. */
  private renamedUpTo: EventId | null = null;
  private readonly pastEpochs = new Set<string>();

  constructor(
    public position: EventId | null,
    private readonly delivered: DeliveredNotifications,
    private readonly effects: SequenceEffects,
    private readonly isFiltered = false,
  ) {}

  add(event: PositionedEvent, protocol: Protocol): void {
    if (this.recovery !== null) this.recovery.buffered.push({ event, protocol });
    else if (event.type === 'event') this.addNotification(event, protocol);
    else this.advanceTo(event.id, event.type === 'reset', protocol);
  }

  /** Handle a page of the history that was requested. */
  page(page: Page): void {
    const recovery = this.recovery;
    if (recovery === null) return;
    for (const notification of page.notifications) {
      if (notification === null) this.effects.malformed();
      else this.recover(notification, recovery);
    }
    if (page.next !== null && isAfter(recovery.target, page.next)) this.effects.read(page.next);
    else this.finishRecovery(recovery);
  }

  /** Cancel the recovery: the next connection resumes from the same position. */
  abandon(): void {
    this.recovery = null;
  }

  private addNotification(event: Extract<ConnectionEvent, { type: 'event' }>, protocol: Protocol): void {
    const { id, notification, bytes } = event;
    if (this.position?.epoch === id.epoch && id.seq <= this.position.seq) return;
    if (this.pastEpochs.has(id.epoch)) return;
    const before = { epoch: id.epoch, seq: id.seq - 1 };
    if (this.position?.epoch === id.epoch && (this.isFiltered || this.position.seq === before.seq)) {
      this.accept({ notification, protocol, bytes }, id, false);
    } else {
      this.read(before, protocol, [{ event, protocol }]);
    }
  }

  /** Everything up to *target* was received, or has to be read. */
  private advanceTo(target: EventId, reset: boolean, protocol: Protocol): void {
    if (this.pastEpochs.has(target.epoch) && !reset) return;
    if (this.isFiltered && !reset && this.position?.epoch === target.epoch) this.moveTo(target);
    else if (this.position?.epoch !== target.epoch || isAfter(target, this.position)) this.read(target, protocol, []);
    else if (reset && isAfter(this.position, target)) {
      // the service has fewer notifications than were delivered: it may assign these numbers again
      this.renamedUpTo = this.position;
      this.position = target;
    }
  }

  private read(target: EventId, protocol: Protocol, buffered: BufferedEvent[]): void {
    const start = this.position?.epoch === target.epoch ? this.position.seq : 0;
    if (this.position !== null && this.position.epoch !== target.epoch) this.renamedUpTo = target;
    this.recovery = { target, protocol, buffered };
    const after = { epoch: target.epoch, seq: Math.max(start, target.seq - REREAD_LIMIT, 0) };
    if (isAfter(target, after)) this.effects.read(after);
    else this.finishRecovery(this.recovery);
  }

  private recover(notification: Notification, { target, protocol }: Recovery): void {
    const id = parseEventId(notification.id);
    if (id === null) this.effects.malformed();
    else if (id.epoch === target.epoch && id.seq <= target.seq && !this.isBehind(id)) {
      this.accept({ notification, protocol, bytes: 0 }, id, true);
    }
  }

  private isBehind(id: EventId): boolean {
    return this.position?.epoch === id.epoch && id.seq <= this.position.seq;
  }

  private finishRecovery(recovery: Recovery): void {
    this.recovery = null;
    this.moveTo(recovery.target);
    for (const { event, protocol } of recovery.buffered) this.add(event, protocol);
  }

  private accept(delivery: Delivery, id: EventId, recovered: boolean): void {
    this.moveTo(id);
    const renamed = this.renamedUpTo !== null && !isAfter(id, this.renamedUpTo);
    if (renamed && this.delivered.covers(delivery.notification)) return;
    this.delivered.add(delivery.notification);
    this.effects.deliver(delivery, recovered);
  }

  private moveTo(id: EventId): void {
    if (this.position !== null && this.position.epoch !== id.epoch) this.pastEpochs.add(this.position.epoch);
    this.pastEpochs.delete(id.epoch);
    if (!this.isBehind(id)) this.position = id;
  }
}
