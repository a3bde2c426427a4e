/** What happens to a lock that is requested. */
export interface LockEvents {
  /** This tab holds it. */
  held(): void;
  /** Another tab has taken it away; perhaps before this one, which hung, heard that it held it. */
  lost(): void;
  /** This browser has no locks, or denies them to this page: nobody holds any. */
  denied(): void;
}

/** A lock that one tab of this origin holds at a time. */
export interface Lock {
  /** Waits for the lock, or takes it away from its holder. The returned function releases it, or stops waiting. */
  acquire(events: LockEvents, steal?: boolean): () => void;
}

/** The lock *name*, of Web Locks: https://w3c.github.io/web-locks/. */
export function tabLock(name: string): Lock {
  return {
    acquire: (events, steal = false) => {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      const waiting = new AbortController();
      let isOver = false;
      let isHeld = false;
      const hold = (): Promise<void> => {
        if (isOver) return Promise.resolve();
        isHeld = true;
        setTimeout(() => isHeld && !isOver && events.held());
        return released;
      };
      // a request can't have both
      const options: LockOptions = steal ? { steal } : { signal: waiting.signal };
      request(name, options, hold).catch(() => {
        if (isOver) return;
        const wasHeld = isHeld;
        isHeld = false;
        if (wasHeld) events.lost();
        else events.denied();
      });
      return () => {
        isOver = true;
        waiting.abort();
        release();
      };
    },
  };
}

async function request(name: string, options: LockOptions, hold: () => Promise<void>): Promise<void> {
  // undefined outside of secure contexts, despite its type
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks === undefined) throw new Error('This browser has no locks.');
  await locks.request(name, options, hold);
}
