import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { LateSagas } from './late-sagas';

describe('LateSagas', () => {
  let server: HttpTestingController;
  let told: unknown[];

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    told = [];
    TestBed.inject(LateSagas)
      .find()
      .subscribe({ next: (sagas) => told.push(sagas), error: (error: unknown) => told.push(error) });
  });

  it('asks for those that are late, and not for all of them', () => {
    server
      .expectOne((sent) => sent.url.endsWith('/sagas?late=true&limit=20'))
      .flush({ sagas: [{ orderId: 7, version: 1, state: 'STARTED' }] });
    expect(told).toMatchObject([[{ orderId: 7 }]]);
  });

  it('says that it was the processing service that failed', () => {
    server.expectOne(() => true).flush('<h1>502</h1>', { status: 502, statusText: 'Bad Gateway' });
    expect(told).toMatchObject([{ service: 'processing', status: 502, unreachable: true }]);
  });
});
