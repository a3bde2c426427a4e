import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';

import { Problem } from '../api/problem';
import { LatePanel } from './late-panel';
import { LateSaga } from './late-sagas';
import { LateSagasView } from './monitor';

const SAGA: LateSaga = {
  orderId: 7,
  version: 2,
  state: 'STOCK_TAKEN',
  attempts: 9,
  lastError: 'close order: order-service answered 403: <b>no</b>',
  nextRunAt: '2026-11-22T10:00:00Z',
};
const DOWN = new Problem('processing', 0, '', '', null, []);

async function shown(view: LateSagasView, late = view.sagas?.length ?? 0): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(LatePanel);
  fixture.componentRef.setInput('view', view);
  fixture.componentRef.setInput('late', late);
  await fixture.whenStable();
  return fixture.nativeElement as HTMLElement;
}

describe('LatePanel', () => {
  beforeEach(() =>
    TestBed.configureTestingModule({
      providers: [provideRouter([]), provideHttpClient(), provideHttpClientTesting()],
    }),
  );

  it('has a saga retried by those who may, and says so', async () => {
    const fixture = TestBed.createComponent(LatePanel);
    const page = fixture.nativeElement as HTMLElement;
    fixture.componentRef.setInput('view', { sagas: [SAGA], problem: null });
    fixture.componentRef.setInput('late', 1);
    await fixture.whenStable();
    expect(page.querySelector('button')).toBeNull();
    fixture.componentRef.setInput('mayAct', true);
    await fixture.whenStable();
    let retried = 0;
    fixture.componentInstance.retry.subscribe(() => (retried += 1));
    page.querySelector('button')?.click();
    await fixture.whenStable();
    page.querySelector('button')?.click();
    TestBed.inject(HttpTestingController)
      .expectOne((sent) => sent.method === 'POST' && sent.url.endsWith('/sagas/7/retry'))
      .flush({ sagas: [] });
    await vi.waitFor(() => expect(page.textContent).toContain('The waiting step of order 7 is due now.'));
    expect(retried).toBe(1);
  });

  it('has each late order with its last error, as text', async () => {
    const page = await shown({ sagas: [SAGA], problem: null });
    expect(page.querySelector('a')?.getAttribute('href')).toBe('/orders/7');
    expect(page.textContent).toContain('close order: order-service answered 403: <b>no</b>');
    expect(page.querySelector('b')).toBeNull();
  });

  it('reports that there are more', async () => {
    expect((await shown({ sagas: [SAGA], problem: null }, 350)).textContent).toContain('The newest 1 of 350.');
  });

  it('reports that no order is late', async () => {
    expect((await shown({ sagas: [], problem: null })).textContent).toContain('No late orders');
  });

  it('shows a placeholder while loading', async () => {
    expect((await shown({ sagas: null, problem: null })).querySelector('app-skeleton')).not.toBeNull();
  });

  it('names the unreachable service and keeps the last orders', async () => {
    const page = await shown({ sagas: [SAGA], problem: DOWN });
    expect(page.textContent).toContain('The processing service is unavailable.');
    expect(page.textContent).toContain('Order 7, version 2');
    expect((await shown({ sagas: null, problem: DOWN })).querySelector('app-skeleton')).toBeNull();
  });
});
