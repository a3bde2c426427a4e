const LOCK = 'orderstream.session';
/** A page that is being left gives its lock back a moment after the next one has begun. */
const PATIENCE_MS = 1_500;

/**
 * Whether this tab is the only one with the session *id*, and remains so: a duplicated tab has a copy, and with
 * rotation the second use of one refresh token ends the sign-in of both.
 */
export async function isSoleTab(id: string): Promise<boolean> {
  // undefined outside of secure contexts, despite its type
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks === undefined) return true;
  return new Promise<boolean>((resolve) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    locks
      .request(`${LOCK}/${id}`, { signal }, () => {
        resolve(true);
        return new Promise<never>(() => undefined); // until the tab is closed
      })
      .catch(() => resolve(false));
  });
}
