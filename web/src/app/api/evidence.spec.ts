import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Observable } from 'rxjs';

import { Role } from '../sign-in/person';
import { signedInAs } from '../sign-in/session.testing';
import { Evidence } from './evidence';
import { Problem } from './problem';

describe('Evidence', () => {
  let evidence: Evidence;
  let server: HttpTestingController;

  function open(role: Role): void {
    TestBed.configureTestingModule({
      providers: [provideHttpClient(), provideHttpClientTesting(), signedInAs(role)],
    });
    evidence = TestBed.inject(Evidence);
    server = TestBed.inject(HttpTestingController);
  }

  function outcome(read: Observable<unknown>): { value?: unknown; error?: unknown } {
    const found: { value?: unknown; error?: unknown } = {};
    read.subscribe({ next: (value) => (found.value = value), error: (error: unknown) => (found.error = error) });
    return found;
  }

  it('reads what the outboxes and the inventory have of an order', () => {
    open('viewer');
    const all = [
      evidence.eventsOf('order', 7),
      evidence.eventsOf('processing', 7),
      evidence.dataOf('processing', 7, 'x'),
      evidence.operationsOf(7),
    ].map(outcome);
    server.expectOne((sent) => sent.url.endsWith('/order/events?orderId=7')).flush({ events: [1] });
    server.expectOne((sent) => sent.url.endsWith('/sagas/7/events')).flush({ events: [2] });
    server
      .expectOne((sent) => sent.url.endsWith('/sagas/7/events?event=x&data=true'))
      .flush({ events: [{ id: 'x', data: 4 }] });
    server.expectOne((sent) => sent.url.includes('/stock-operations?prefix=7%3A&')).flush({ operations: [3] });
    expect(all.map((each) => each.value)).toEqual([[1], [2], 4, [3]]);
  });

  it('has nothing of an unknown order, and asks no stock operations for customers', () => {
    open('operator');
    const unknown = outcome(evidence.eventsOf('processing', 7));
    server.expectOne(() => true).flush({}, { status: 404, statusText: 'Not Found' });
    expect(unknown.value).toEqual([]);
    TestBed.resetTestingModule();
    open('customer');
    expect(outcome(evidence.operationsOf(7)).value).toEqual([]);
    server.verify();
  });

  it('reads all events of a service that can’t tell one alone', () => {
    open('operator');
    const said = outcome(evidence.dataOf('order', 7, 'x'));
    server
      .expectOne((sent) => sent.url.endsWith('?orderId=7&event=x&data=true'))
      .flush({}, { status: 422, statusText: 'Unprocessable Content' });
    const events = [{ id: 'w' }, { id: 'x', data: 4 }];
    server.expectOne((sent) => sent.url.endsWith('?orderId=7&data=true')).flush({ events });
    expect(said.value).toBe(4);
  });

  it('fails with a problem', () => {
    open('operator');
    const failed = outcome(evidence.operationsOf(7));
    server.expectOne(() => true).flush({}, { status: 503, statusText: 'Service Unavailable' });
    expect(failed.error).toBeInstanceOf(Problem);
    expect((failed.error as Problem).service).toBe('inventory');
  });
});
