import { EventId, isAfter } from './event-id';

/** Tells what comes after a return because it was missed from what happens now. */
export class Missed {
  private upTo: EventId | null = null;
  /** What came while it is not known yet how far the feed was. */
  private undecided: EventId[] | null = null;

  /** There is a connection again; what the feed has up to *head* was missed, where that is known. */
  returned(head: EventId | null): void {
    this.upTo = head ?? this.upTo;
    this.undecided = head === null ? [] : null;
  }

  /** The feed was at *head* when there was a connection again: how much of what came since was missed. */
  decide(head: EventId): number {
    const missed = (this.undecided ?? []).filter((each) => !isAfter(each, head));
    this.upTo = head;
    this.undecided = null;
    return missed.length;
  }

  /** It will not be known. */
  giveUp(): void {
    this.undecided = null;
  }

  /** Whether what came at *id* is known to have been missed. */
  covers(id: EventId): boolean {
    this.undecided?.push(id);
    return this.undecided === null && this.upTo?.epoch === id.epoch && !isAfter(id, this.upTo);
  }
}
