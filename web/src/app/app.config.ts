import { Location } from '@angular/common';
import { provideHttpClient, withFetch, withInterceptors } from '@angular/common/http';
import { ApplicationConfig, inject, provideAppInitializer, provideBrowserGlobalErrorListeners } from '@angular/core';
import {
  provideRouter,
  withComponentInputBinding,
  withInMemoryScrolling,
  withNavigationErrorHandler,
} from '@angular/router';

import { Endpoints } from './api/endpoints';
import { loadCodeOf, routes } from './app.routes';
import { bearer } from './sign-in/bearer';
import { Session } from './sign-in/session';
import { Unloaded } from './unloaded';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideHttpClient(withFetch(), withInterceptors([bearer])),
    provideRouter(
      routes,
      withComponentInputBinding(),
      withInMemoryScrolling({ scrollPositionRestoration: 'enabled' }),
      withNavigationErrorHandler((error) => void inject(Unloaded).onError(error)),
    ),
    provideAppInitializer(() => {
      const [endpoints, session] = [inject(Endpoints), inject(Session)];
      loadCodeOf(inject(Location).path());
      const loading = endpoints.load();
      void endpoints.loaded().then(() => session.start());
      return loading;
    }),
  ],
};
