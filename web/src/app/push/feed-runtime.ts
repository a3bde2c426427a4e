import { InjectionToken, inject } from '@angular/core';
import { FeedRuntime, networkRuntime, newTicket } from 'orderstream-client';

import { Endpoints } from '../api/endpoints';
import { authorizedFetch } from '../sign-in/bearer';
import { Session } from '../sign-in/session';

/** A service that is silent for twice as long and 2 s is away. */
const HEARTBEAT_S = 5;

/** The runtime of all connections to the notification service. */
export const FEED_RUNTIME = new InjectionToken<FeedRuntime>('FEED_RUNTIME', {
  providedIn: 'root',
  factory: () => {
    const [endpoints, session] = [inject(Endpoints), inject(Session)];
    const address = (path: string): URL => endpoints.url('notification', path);
    if (!session.required) return networkRuntime({ address, heartbeatS: HEARTBEAT_S });
    const authorized = authorizedFetch(session);
    return networkRuntime({
      address,
      heartbeatS: HEARTBEAT_S,
      // browsers can't add a header to a WebSocket
      parameters: async () => ({ ticket: await newTicket(address('/tickets'), await session.token(), authorized) }),
      // a connection has its ticket: the service refuses both
      fetch: (target, init) => (hasTicket(target) ? fetch(target, init) : authorized(target, init)),
    });
  },
});

function hasTicket(target: RequestInfo | URL): boolean {
  return new URL(target instanceof Request ? target.url : target).searchParams.has('ticket');
}
