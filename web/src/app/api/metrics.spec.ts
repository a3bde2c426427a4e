import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { Endpoints, Service } from './endpoints';
import { Metrics, Readiness, Replica } from './metrics';

const direct: Replica = {
  service: 'notification',
  number: 2,
  of: 2,
  address: 'http://127.0.0.1:8092/',
  balanced: false,
};
const balanced: Replica = { service: 'order', number: 1, of: 1, address: '/api', balanced: true };

describe('Metrics', () => {
  let metrics: Metrics;
  let server: HttpTestingController;
  let addresses: Partial<Record<Service, readonly string[]>>;

  beforeEach(() => {
    addresses = {};
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        { provide: Endpoints, useValue: { replicas: (service: Service) => addresses[service] ?? ['/api'] } },
      ],
    });
    metrics = TestBed.inject(Metrics);
    server = TestBed.inject(HttpTestingController);
  });

  afterEach(() => server.verify());

  function readiness(replica: Replica): (Readiness | { error: unknown })[] {
    const results: (Readiness | { error: unknown })[] = [];
    metrics.readiness(replica).subscribe({
      next: (report) => results.push(report),
      error: (error: unknown) => results.push({ error }),
    });
    return results;
  }

  it('lists every replica', () => {
    addresses = { order: ['http://a:1'], notification: ['http://a:2', 'http://a:3'] };
    const found = metrics.replicas().map((each) => [each.service, each.number, each.of, each.balanced]);
    expect(found.slice(0, 5)).toEqual([
      ['order', 1, 1, false],
      ['inventory', 1, 1, true],
      ['processing', 1, 1, true],
      ['notification', 1, 2, false],
      ['notification', 2, 2, false],
    ]);
  });

  it('reads a replica at its own address', () => {
    const results = readiness(direct);
    server.expectOne('http://127.0.0.1:8092/health/ready').flush({ status: 'ready', checks: { database: 'ok' } });
    expect(results).toEqual([{ ready: true, checks: { database: 'ok' } }]);
    metrics.scrape(direct).subscribe();
    server.expectOne('http://127.0.0.1:8092/metrics').flush('');
  });

  it('reads by service name behind one origin', () => {
    readiness(balanced);
    server.expectOne((sent) => sent.url.endsWith('/api/health/order')).flush({ status: 'ready', checks: {} });
    metrics.scrape(balanced).subscribe();
    server.expectOne((sent) => sent.url.endsWith('/api/metrics/order')).flush('');
  });

  it('accepts a 503 with a report', () => {
    const results = readiness(direct);
    const report = { status: 'not ready', checks: { database: 'ok', queue: 'no answer within 1 s' } };
    server.expectOne(() => true).flush(report, { status: 503, statusText: 'Service Unavailable' });
    expect(results).toEqual([{ ready: false, checks: { database: 'ok', queue: 'no answer within 1 s' } }]);
  });

  it.each([
    ['a 503 of a proxy', '<h1>503</h1>', 503],
    ['a gateway without an upstream', { detail: 'bad gateway' }, 502],
    ['another server', { status: 'fine' }, 200],
    ['a page', 'hello', 200],
    ['nothing', null, 200],
  ])('rejects %s', (_, body, status) => {
    const results = readiness(direct);
    server.expectOne(() => true).flush(body, { status, statusText: 'x' });
    expect(results).toMatchObject([{ error: { name: 'Problem', service: 'notification' } }]);
  });

  it('names the service whose metrics fail', () => {
    const errors: unknown[] = [];
    metrics.scrape(direct).subscribe({ error: (error: unknown) => errors.push(error) });
    server.expectOne(() => true).error(new ProgressEvent('error'));
    expect(errors).toMatchObject([{ service: 'notification', status: 0, unreachable: true }]);
  });
});
