import { EventId, isAfter } from './event-id';

/** Counts notifications that were missed during a disconnect, apart from new ones. */
export class MissedCounter {
  private upTo: EventId | null = null;
  /** Ids that arrived while the head at reconnect is unknown. */
  private undecided: EventId[] | null = null;

  /** The connection was re-established; everything up to *head*, where known, was missed. */
  reconnected(head: EventId | null): void {
    this.upTo = head ?? this.upTo;
    this.undecided = head === null ? [] : null;
  }

  /** The head at reconnect was *head*: return how many of the arrivals since then were missed. */
  resolve(head: EventId): number {
    const missed = (this.undecided ?? []).filter((each) => !isAfter(each, head));
    this.upTo = head;
    this.undecided = null;
    return missed.length;
  }

  /** The head at reconnect stays unknown. */
  giveUp(): void {
    this.undecided = null;
  }

  /** Whether the notification at *id* is known to have been missed. */
  covers(id: EventId): boolean {
    this.undecided?.push(id);
    return this.undecided === null && this.upTo?.epoch === id.epoch && !isAfter(id, this.upTo);
  }
}
