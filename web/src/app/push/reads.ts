/** Why a page of the history is read: where to begin, how much was missed, whether silence is right, what was lost. */
export type Purpose = 'start' | 'missed' | 'silence' | 'recovery';

/** The pages that were asked for and have not come: one for each purpose, known by its ticket. */
export class Reads {
  private readonly pending = new Map<Purpose, number>();
  private last = 0;

  /** Ask for another page; the one before, for the same purpose, is no longer of interest. */
  ask(purpose: Purpose): number {
    this.pending.set(purpose, ++this.last);
    return this.last;
  }

  /** What the page of *ticket* was asked for; null when nobody waits for it. */
  take(ticket: number): Purpose | null {
    for (const [purpose, each] of this.pending) {
      if (each === ticket) {
        this.pending.delete(purpose);
        return purpose;
      }
    }
    return null;
  }

  awaits(purpose: Purpose): boolean {
    return this.pending.has(purpose);
  }

  forget(...purposes: readonly Purpose[]): void {
    for (const each of purposes) this.pending.delete(each);
  }

  forgetAll(): void {
    this.pending.clear();
  }
}
