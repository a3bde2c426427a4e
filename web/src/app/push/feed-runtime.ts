import { InjectionToken, inject } from '@angular/core';
import { FeedRuntime, networkRuntime } from 'orderstream-client';

import { Endpoints } from '../api/endpoints';

/** The runtime of all connections to the notification service. */
export const FEED_RUNTIME = new InjectionToken<FeedRuntime>('FEED_RUNTIME', {
  providedIn: 'root',
  factory: () => {
    const endpoints = inject(Endpoints);
    return networkRuntime({ address: (path) => endpoints.url('notification', path) });
  },
});
