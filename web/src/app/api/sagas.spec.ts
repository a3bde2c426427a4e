import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Observable } from 'rxjs';

import { Notifications } from './notifications';
import { Problem } from './problem';
import { Sagas } from './sagas';

function outcome<T>(call: Observable<T>): { values: T[]; errors: unknown[] } {
  const result: { values: T[]; errors: unknown[] } = { values: [], errors: [] };
  call.subscribe({ next: (value) => result.values.push(value), error: (error) => result.errors.push(error) });
  return result;
}

describe('the data about one order', () => {
  let server: HttpTestingController;

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
  });

  afterEach(() => server.verify());

  it('has no sagas before the first event', () => {
    const sagas = outcome(TestBed.inject(Sagas).of(7));
    server.expectOne((sent) => sent.url.endsWith('/api/sagas?orderId=7&limit=200')).flush({ sagas: [] });
    expect(sagas).toEqual({ values: [[]], errors: [] });
  });

  it('names the service that does not answer', () => {
    const sagas = outcome(TestBed.inject(Sagas).of(7));
    server.expectOne((sent) => sent.url.includes('/api/sagas?')).error(new ProgressEvent('error'));
    const results = outcome(TestBed.inject(Notifications).of(7));
    server
      .expectOne((sent) => sent.url.endsWith('/api/notifications?orderId=7&limit=200'))
      .flush({}, { status: 503, statusText: 'Service Unavailable' });
    expect([...sagas.errors, ...results.errors].map((error) => (error as Problem).service)).toEqual([
      'processing',
      'notification',
    ]);
  });

  it('has the notifications in their order', () => {
    const results = outcome(TestBed.inject(Notifications).of(7));
    server.expectOne((sent) => sent.url.includes('/notifications')).flush({ notifications: [], next: null });
    expect(results.values).toEqual([[]]);
  });
});
