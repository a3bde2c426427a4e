import { inject } from '@angular/core';
import { CanActivateFn, CanMatchFn } from '@angular/router';

import { Session } from './session';

/** Waits until somebody has signed in, or nobody has to. */
export const signedIn: CanActivateFn = async () => {
  await inject(Session).settled();
  return true;
};

/** For people who see the orders of all customers; for others, the next route of the same path. */
export const seesAll: CanMatchFn = async () => {
  const session = inject(Session);
  await session.settled();
  return session.may().seeAll;
};
