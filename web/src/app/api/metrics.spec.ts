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
    const told: (Readiness | { error: unknown })[] = [];
    metrics.readiness(replica).subscribe({
      next: (report) => told.push(report),
      error: (error: unknown) => told.push({ error }),
    });
    return told;
  }

  it('knows every replica that can be asked', () => {
    addresses = { order: ['http://a:1'], notification: ['http://a:2', 'http://a:3'] };
    expect(metrics.replicas().map((each) => [each.service, each.number, each.of, each.balanced])).toEqual([
      ['order', 1, 1, false],
      ['inventory', 1, 1, true],
      ['processing', 1, 1, true],
      ['notification', 1, 2, false],
      ['notification', 2, 2, false],
    ]);
  });

  it('asks a replica at its own address', () => {
    const told = readiness(direct);
    server.expectOne('http://127.0.0.1:8092/health/ready').flush({ status: 'ready', checks: { database: 'ok' } });
    expect(told).toEqual([{ ready: true, checks: { database: 'ok' } }]);
    metrics.numbers(direct).subscribe();
    server.expectOne('http://127.0.0.1:8092/metrics').flush('');
  });

  it('asks behind one origin by the name of the service', () => {
    readiness(balanced);
    server.expectOne((sent) => sent.url.endsWith('/api/health/order')).flush({ status: 'ready', checks: {} });
    metrics.numbers(balanced).subscribe();
    server.expectOne((sent) => sent.url.endsWith('/api/metrics/order')).flush('');
  });

  it('takes a 503 with a report for what it is', () => {
    const told = readiness(direct);
    const report = { status: 'not ready', checks: { database: 'ok', queue: 'no answer within 1 s' } };
    server.expectOne(() => true).flush(report, { status: 503, statusText: 'Service Unavailable' });
    expect(told).toEqual([{ ready: false, checks: { database: 'ok', queue: 'no answer within 1 s' } }]);
  });

  it.each([
    ['a 503 of a proxy', '<h1>503</h1>', 503],
    ['a gateway that finds nobody', { detail: 'bad gateway' }, 502],
    ['another server', { status: 'fine' }, 200],
    ['a page', 'hello', 200],
    ['nothing', null, 200],
  ])('does not take %s for a service', (_, body, status) => {
    const told = readiness(direct);
    server.expectOne(() => true).flush(body, { status, statusText: 'x' });
    expect(told).toMatchObject([{ error: { name: 'Problem', service: 'notification' } }]);
  });

  it('says who does not tell its numbers', () => {
    const errors: unknown[] = [];
    metrics.numbers(direct).subscribe({ error: (error: unknown) => errors.push(error) });
    server.expectOne(() => true).error(new ProgressEvent('error'));
    expect(errors).toMatchObject([{ service: 'notification', status: 0, unreachable: true }]);
  });
});
