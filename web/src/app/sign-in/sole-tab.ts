import { tabLock } from '../browser';

const LOCK = 'orderstream.session';
/** A page that is being left gives its lock back a moment after the next one has begun. */
const PATIENCE_MS = 1_500;

/**
 * Whether this tab is the only one with the session *id*, and remains so: a duplicated tab has a copy, and with
 * rotation the second use of one refresh token ends the sign-in of both. Without locks it can't be known.
 */
export async function isSoleTab(id: string): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const release = tabLock(`${LOCK}/${id}`).acquire({
      held: () => decide(true), // until the tab is closed
      denied: () => decide(true),
      lost: () => undefined, // nobody takes it away
    });
    const timer = setTimeout(() => {
      release();
      resolve(false);
    }, PATIENCE_MS);
    const decide = (isSole: boolean): void => {
      clearTimeout(timer);
      resolve(isSole);
    };
  });
}
