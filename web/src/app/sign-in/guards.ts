import { inject } from '@angular/core';
import { CanActivateFn, CanMatchFn } from '@angular/router';

import { Endpoints } from '../api/endpoints';
import { Session } from './session';

/** Waits until somebody has signed in, or nobody has to. */
export const signedIn: CanActivateFn = async () => {
  await settled();
  return true;
};

/** For people who see the orders of all customers; for others, the next route of the same path. */
export const seesAll: CanMatchFn = async () => {
  const session = inject(Session);
  await settled();
  return session.may().seeAll;
};

async function settled(): Promise<void> {
  const [endpoints, session] = [inject(Endpoints), inject(Session)];
  await endpoints.loaded();
  await session.settled();
}
