/** The purpose of a history read: the start position, the missed count, a liveness check, or a recovery. */
export type Purpose = 'start' | 'missed' | 'silence' | 'recovery';

/** The pending reads of history pages: one for each purpose, identified by a ticket. */
export class PendingReads {
  private readonly pending = new Map<Purpose, number>();
  private last = 0;

  /** Add a read; it replaces an earlier one with the same purpose. */
  add(purpose: Purpose): number {
    this.pending.set(purpose, ++this.last);
    return this.last;
  }

  /** Remove the read with *ticket* and return its purpose; null when it was replaced or cancelled. */
  take(ticket: number): Purpose | null {
    for (const [purpose, each] of this.pending) {
      if (each === ticket) {
        this.pending.delete(purpose);
        return purpose;
      }
    }
    return null;
  }

  isPending(purpose: Purpose): boolean {
    return this.pending.has(purpose);
  }

  cancel(...purposes: readonly Purpose[]): void {
    for (const each of purposes) this.pending.delete(each);
  }

  clear(): void {
    this.pending.clear();
  }
}
