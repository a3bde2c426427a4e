import { InjectionToken, inject } from '@angular/core';

import { Endpoints } from '../api/endpoints';
import { browserRuntime } from './browser-runtime';
import { FeedRuntime } from './connection';

/** The runtime of all connections to the notification service. */
export const FEED_RUNTIME = new InjectionToken<FeedRuntime>('FEED_RUNTIME', {
  providedIn: 'root',
  factory: () => {
    const endpoints = inject(Endpoints);
    return browserRuntime((path) => endpoints.url('notification', path));
  },
});
