import { InjectionToken, inject } from '@angular/core';

import { Endpoints } from '../api/endpoints';
import { browserWorld } from './browser-world';
import { World } from './connection';

/** What connections to the notification service are made with. */
export const FEED_WORLD = new InjectionToken<World>('FEED_WORLD', {
  providedIn: 'root',
  factory: () => {
    const endpoints = inject(Endpoints);
    return browserWorld((path) => endpoints.url('notification', path));
  },
});
