import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';

import { Order, TaggedOrder } from '../api/orders';
import { texts } from '../texts';
import { order } from './facts.testing';
import { OrderEditor } from './order-editor';

const labels = texts.orders.editor;

describe('OrderEditor', () => {
  let fixture: ComponentFixture<OrderEditor>;
  let page: HTMLElement;
  let server: HttpTestingController;
  let changed: TaggedOrder[];
  let doubts: number;

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(OrderEditor);
    page = fixture.nativeElement as HTMLElement;
    changed = [];
    doubts = 0;
    fixture.componentInstance.changed.subscribe((each) => changed.push(each));
    fixture.componentInstance.outdated.subscribe(() => (doubts += 1));
    show(order());
  });

  afterEach(() => server.verify());

  function show(shown: Order): void {
    fixture.componentRef.setInput('tagged', { order: shown, etag: `"${shown.version.toString()}"` });
    fixture.detectChanges();
  }

  function input(): HTMLInputElement {
    return page.querySelector('input')!;
  }

  function type(text: string): void {
    input().value = text;
    input().dispatchEvent(new Event('input'));
    fixture.detectChanges();
  }

  function button(text: string): HTMLButtonElement {
    return [...page.querySelectorAll('button')].find((each) => each.textContent.trim() === text)!;
  }

  function press(text: string): void {
    button(text).click();
    fixture.detectChanges();
  }

  async function answer(method: string, respond: (sent: TestRequest) => void): Promise<TestRequest> {
    const sent = server.expectOne({ method });
    respond(sent);
    await fixture.whenStable();
    fixture.detectChanges();
    return sent;
  }

  it('saves quantities for the shown version', async () => {
    const saved = order({ version: 2, orderItems: [{ id: 2, productId: '123', quantity: 5 }] });
    expect(button(labels.save).disabled).toBe(true);
    type('5');
    press(labels.save);
    expect(button(labels.saving).disabled).toBe(true);
    const sent = await answer('PUT', (put) => put.flush(saved, { headers: { ETag: '"2"' } }));
    expect(sent.request.headers.get('If-Match')).toBe('"1"');
    expect(sent.request.body).toEqual({ orderItems: [{ productId: '123', quantity: 5 }] });
    expect(changed).toEqual([{ order: saved, etag: '"2"' }]);
    show(saved);
    expect(page.querySelector('[role=status]')?.textContent).toBe(labels.changed(2));
    expect(page.querySelector('[role=alert]')).toBeNull();
    show(order({ version: 3 }));
    expect(page.textContent).not.toContain(labels.changed(2));
  });

  it.each(['0', '-1', '2.5', '', '1000001', 'x'])('does not send %j', (text) => {
    type(text);
    expect(button(labels.save).disabled).toBe(true);
    expect(input().getAttribute('aria-invalid')).toBe('true');
    expect(page.textContent).toContain(labels.invalid(1_000_000));
  });

  it('reports a concurrent change and requests a reload', async () => {
    type('5');
    press(labels.save);
    await answer('PUT', (put) => put.flush({}, { status: 412, statusText: 'Precondition Failed' }));
    expect(page.querySelector('[role=alert]')?.textContent).toContain(labels.stale);
    expect(doubts).toBe(1);
    show(order({ version: 2, orderItems: [{ id: 2, productId: '123', quantity: 9 }] }));
    expect(input().value).toBe('9');
  });

  it('keeps the input while the same version is read again', () => {
    type('5');
    show(order());
    expect(input().value).toBe('5');
    expect(page.querySelector('[role=alert]')).toBeNull();
  });

  it('reports that a new version replaced the input', () => {
    type('5');
    show(order({ version: 2, orderItems: [{ id: 2, productId: '123', quantity: 9 }] }));
    expect(input().value).toBe('9');
    expect(page.querySelector('[role=alert]')?.textContent).toContain(labels.stale);
  });

  it('cancels after a confirmation', async () => {
    press(labels.cancel);
    await fixture.whenStable();
    expect(document.activeElement).toBe(button(labels.no));
    press(labels.no);
    server.expectNone({ method: 'DELETE' });
    press(labels.cancel);
    press(labels.yes);
    const sent = await answer('DELETE', (call) => call.flush(order({ status: 'CANCELLED' })));
    expect(sent.request.headers.get('If-Match')).toBe('"1"');
    show(changed[0]!.order);
    expect(page.textContent).toContain(labels.cancelled);
    expect(page.querySelector('form')).toBeNull();
  });

  it('reports that it is too late', async () => {
    press(labels.cancel);
    press(labels.yes);
    await answer('DELETE', (call) => call.flush({ errors: [] }, { status: 409, statusText: 'Conflict' }));
    expect(page.querySelector('[role=alert]')?.textContent).toContain(labels.tooLate);
    expect(doubts).toBe(1);
  });

  it('is hidden for an ended order', () => {
    show(order({ status: 'CLOSED' }));
    expect(page.querySelector('form')).toBeNull();
  });
});
