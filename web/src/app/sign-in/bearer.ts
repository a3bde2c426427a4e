import { HttpErrorResponse, HttpInterceptorFn, HttpRequest } from '@angular/common/http';
import { inject } from '@angular/core';
import { catchError, defer, from, switchMap, throwError } from 'rxjs';

import { Endpoints } from '../api/endpoints';
import { texts } from '../texts';
import { Session } from './session';
import { NoTokenError } from './tokens';

const UNAUTHORIZED = 401;

/**
 * Adds the access token to requests to our own services. A refused one is renewed and the request repeated, once: the
 * service has not processed it.
 */
export const bearer: HttpInterceptorFn = (request, next) => {
  const session = inject(Session);
  if (!session.required || !inject(Endpoints).isService(request.url)) return next(request);
  return defer(() => session.token()).pipe(
    switchMap((token) =>
      next(withToken(request, token)).pipe(
        catchError((error: unknown) => {
          if (!(error instanceof HttpErrorResponse) || error.status !== UNAUTHORIZED) return throwError(() => error);
          return from(session.replacement(token)).pipe(switchMap((another) => next(withToken(request, another))));
        }),
      ),
    ),
    catchError((error: unknown) => throwError(() => (error instanceof NoTokenError ? unauthorized(error) : error))),
  );
};

/** The same for fetch. */
export function authorizedFetch(session: Session): typeof fetch {
  return async (target, init) => {
    const send = (token: string): Promise<Response> => {
      const headers = new Headers(init?.headers);
      headers.set('Authorization', `Bearer ${token}`);
      return fetch(target, { ...init, headers });
    };
    const token = await session.token();
    const response = await send(token);
    return response.status === UNAUTHORIZED ? send(await session.replacement(token)) : response;
  };
}

function withToken(request: HttpRequest<unknown>, token: string): HttpRequest<unknown> {
  return request.clone({ setHeaders: { Authorization: `Bearer ${token}` } });
}

/** What a service would answer to the request without a token. */
function unauthorized({ reason }: NoTokenError): HttpErrorResponse {
  return new HttpErrorResponse({ status: UNAUTHORIZED, error: { detail: texts.signIn.noToken[reason] } });
}
