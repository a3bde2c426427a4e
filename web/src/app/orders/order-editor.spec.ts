import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';

import { Order, TaggedOrder } from '../api/orders';
import { texts } from '../texts';
import { order } from './facts.testing';
import { OrderEditor } from './order-editor';

const said = texts.orders.editor;

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
    fixture.componentInstance.doubted.subscribe(() => (doubts += 1));
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

  it('saves other quantities of the version that is shown', async () => {
    const saved = order({ version: 2, orderItems: [{ id: 2, productId: '123', quantity: 5 }] });
    expect(button(said.save).disabled).toBe(true);
    type('5');
    press(said.save);
    expect(button(said.saving).disabled).toBe(true);
    const sent = await answer('PUT', (put) => put.flush(saved, { headers: { ETag: '"2"' } }));
    expect(sent.request.headers.get('If-Match')).toBe('"1"');
    expect(sent.request.body).toEqual({ orderItems: [{ productId: '123', quantity: 5 }] });
    expect(changed).toEqual([{ order: saved, etag: '"2"' }]);
    show(saved);
    expect(page.querySelector('[role=status]')?.textContent).toBe(said.changed(2));
    expect(page.querySelector('[role=alert]')).toBeNull();
  });

  it.each(['0', '-1', '2.5', '', '1000001', 'x'])('does not send %j', (text) => {
    type(text);
    expect(button(said.save).disabled).toBe(true);
    expect(input().getAttribute('aria-invalid')).toBe('true');
    expect(page.textContent).toContain(said.wrong(1_000_000));
  });

  it('says that another was faster, and has the order read again', async () => {
    type('5');
    press(said.save);
    await answer('PUT', (put) => put.flush({}, { status: 412, statusText: 'Precondition Failed' }));
    expect(page.querySelector('[role=alert]')?.textContent).toContain(said.stale);
    expect(doubts).toBe(1);
    show(order({ version: 2, orderItems: [{ id: 2, productId: '123', quantity: 9 }] }));
    expect(input().value).toBe('9');
  });

  it('keeps what is typed while the same version is read again', () => {
    type('5');
    show(order());
    expect(input().value).toBe('5');
    expect(page.querySelector('[role=alert]')).toBeNull();
  });

  it('does not lose what is typed without a word', () => {
    type('5');
    show(order({ version: 2, orderItems: [{ id: 2, productId: '123', quantity: 9 }] }));
    expect(input().value).toBe('9');
    expect(page.querySelector('[role=alert]')?.textContent).toContain(said.stale);
  });

  it('cancels after a second thought only', async () => {
    press(said.cancel);
    await fixture.whenStable();
    expect(document.activeElement).toBe(button(said.no));
    press(said.no);
    server.expectNone({ method: 'DELETE' });
    press(said.cancel);
    press(said.yes);
    const sent = await answer('DELETE', (call) => call.flush(order({ status: 'CANCELLED' })));
    expect(sent.request.headers.get('If-Match')).toBe('"1"');
    show(changed[0]!.order);
    expect(page.textContent).toContain(said.cancelled);
    expect(page.querySelector('form')).toBeNull();
  });

  it('says that it is too late', async () => {
    press(said.cancel);
    press(said.yes);
    await answer('DELETE', (call) => call.flush({ errors: [] }, { status: 409, statusText: 'Conflict' }));
    expect(page.querySelector('[role=alert]')?.textContent).toContain(said.tooLate);
    expect(doubts).toBe(1);
  });

  it('offers nothing for an order that has ended', () => {
    show(order({ status: 'CLOSED' }));
    expect(page.querySelector('form')).toBeNull();
  });
});
