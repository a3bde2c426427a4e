import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { LateSagas } from './late-sagas';

describe('LateSagas', () => {
  let server: HttpTestingController;
  let results: unknown[];

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    results = [];
    TestBed.inject(LateSagas)
      .find()
      .subscribe({ next: (sagas) => results.push(sagas), error: (error: unknown) => results.push(error) });
  });

  it('reads late sagas only', () => {
    server
      .expectOne((sent) => sent.url.endsWith('/sagas?late=true&limit=20'))
      .flush({ sagas: [{ orderId: 7, version: 1, state: 'STARTED' }] });
    expect(results).toMatchObject([[{ orderId: 7 }]]);
  });

  it('names the processing service in a failure', () => {
    server.expectOne(() => true).flush('<h1>502</h1>', { status: 502, statusText: 'Bad Gateway' });
    expect(results).toMatchObject([{ service: 'processing', status: 502, unreachable: true }]);
  });
});
