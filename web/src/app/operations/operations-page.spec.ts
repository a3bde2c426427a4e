import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';

import { OperationsPage } from './operations-page';

describe('OperationsPage', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    TestBed.configureTestingModule({
      providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter([])],
    });
  });

  afterEach(() => vi.useRealTimers());

  it('polls all services, shows their metrics and names those that fail', async () => {
    const fixture = TestBed.createComponent(OperationsPage);
    const page = fixture.nativeElement as HTMLElement;
    const server = TestBed.inject(HttpTestingController);
    await vi.advanceTimersByTimeAsync(0);
    expect(page.textContent).toContain('Checking all services');

    for (const { request, flush, error } of server
      .match(() => true)
      .map((sent) => ({
        request: sent.request,
        flush: sent.flush.bind(sent),
        error: sent.error.bind(sent),
      }))) {
      if (request.url.includes('/inventory')) error(new ProgressEvent('error'));
      else if (request.url.includes('/health/')) flush({ status: 'ready', checks: { database: 'ok' } });
      else if (request.url.includes('/sagas')) flush({ sagas: [] });
      else flush('orderstream_outbox_pending_events 0\norderstream_outbox_oldest_pending_seconds 0\n');
    }
    await vi.advanceTimersByTimeAsync(0);
    fixture.detectChanges();

    expect(page.querySelector('app-status-line')?.textContent).toContain('Inventory service can’t be reached.');
    expect(page.querySelector('app-late-panel')?.textContent).toContain('No late orders');
    expect(page.querySelectorAll('app-lag-panel tbody tr').length).toBe(3);
    expect(page.querySelector('app-skeleton')).toBeNull();
    expect(page.querySelectorAll('h1').length).toBe(1);
  });

  it('does not say that all is well without metrics', async () => {
    const fixture = TestBed.createComponent(OperationsPage);
    const page = fixture.nativeElement as HTMLElement;
    const server = TestBed.inject(HttpTestingController);
    await vi.advanceTimersByTimeAsync(0);
    for (const sent of server.match(() => true)) {
      if (sent.request.url.includes('/health/')) sent.flush({ status: 'ready', checks: { database: 'ok' } });
      else sent.error(new ProgressEvent('error'));
    }
    await vi.advanceTimersByTimeAsync(0);
    fixture.detectChanges();
    const state = page.querySelector('app-status-line')?.textContent;
    expect(state).toContain('Partly unknown');
    expect(state).toContain('The inventory service returns no metrics.');
  });

  it('stops polling when it is destroyed', async () => {
    const fixture = TestBed.createComponent(OperationsPage);
    const server = TestBed.inject(HttpTestingController);
    await vi.advanceTimersByTimeAsync(0);
    fixture.destroy();
    server.match(() => true);
    await vi.advanceTimersByTimeAsync(60_000);
    server.expectNone(() => true);
  });
});
