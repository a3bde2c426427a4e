import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';

import { texts } from '../texts';
import { DeadLettersPanel } from './dead-letters-panel';

const LETTER = {
  id: 'a1',
  queue: 'processing-queue',
  sentAt: '2026-11-22T10:00:00Z',
  receiveCount: 2,
  sizeBytes: 412,
  reason: 'unreadable-event: <b>no</b> JSON',
  traceId: null,
  type: null,
  subject: null,
};

describe('DeadLettersPanel', () => {
  let fixture: ComponentFixture<DeadLettersPanel>;
  let page: HTMLElement;
  let server: HttpTestingController;

  beforeEach(async () => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(DeadLettersPanel);
    fixture.componentRef.setInput('waiting', 1);
    page = fixture.nativeElement as HTMLElement;
    await fixture.whenStable();
  });

  async function press(name: string): Promise<void> {
    [...page.querySelectorAll('button')].find((each) => each.textContent.trim().startsWith(name))?.click();
    await fixture.whenStable();
  }

  async function look(): Promise<void> {
    await press('Look');
    const [processing, notification] = server.match((sent) => sent.url.includes('/api/dead-letters/'));
    expect(notification?.request.url).toMatch(/\/api\/dead-letters\/notification$/);
    processing!.flush({ letters: [LETTER], hidden: 0 });
    notification!.flush({ letters: [], hidden: 0 });
    await vi.waitFor(() => expect(page.textContent).toContain('1 dead letter found.'));
    await fixture.whenStable();
  }

  it('looks only on request, and shows reasons as text', async () => {
    server.expectNone(() => true);
    expect(page.textContent).toContain('Look at 1 letter');
    await look();
    expect(page.textContent).toContain('unreadable-event: <b>no</b> JSON');
    expect(page.querySelector('b')).toBeNull();
  });

  it('says on which day a letter was sent', async () => {
    await look();
    expect(page.querySelector('dl')?.textContent).toContain(texts.orders.at(Date.parse(LETTER.sentAt)));
  });

  it('claims no more than that it found none', async () => {
    await press('Look');
    for (const sent of server.match(() => true)) sent.flush({ letters: [], hidden: 0 });
    await vi.waitFor(() => expect(page.textContent).toContain('No dead letter was found.'));
    await fixture.whenStable();
    expect(page.textContent).not.toContain('No dead letters');
  });

  it('shows the body of a letter', async () => {
    await look();
    await press('Show');
    server
      .expectOne((sent) => sent.url.endsWith('/dead-letters/processing/a1'))
      .flush({ ...LETTER, body: 'no json', facts: {} });
    await vi.waitFor(async () => {
      await fixture.whenStable();
      expect(page.querySelector('pre')?.textContent).toBe('no json');
    });
  });

  it.each([
    ['Redrive', 'Yes, redrive', 'redrive', 'The letter was sent to the queue of the processing service again.'],
    ['Discard', 'Yes, discard', 'discard', 'The letter of the processing service was deleted.'],
  ])('asks before it is to %s, and says what happened', async (button, yes, path, sentence) => {
    await look();
    await press(button);
    server.expectNone(() => true);
    await press(yes);
    const sent = server.expectOne((each) => each.url.endsWith(`/dead-letters/processing/${path}`));
    expect(sent.request.body).toEqual({ ids: ['a1'] });
    sent.flush({ done: ['a1'], failed: [], unseen: [] });
    await vi.waitFor(() => expect(page.querySelector('[role=status]')?.textContent).toBe(sentence));
    await fixture.whenStable();
    expect(page.querySelector('li')).toBeNull();
  });

  it('keeps a letter that failed, and says why', async () => {
    await look();
    await press('Redrive');
    await press('Yes, redrive');
    server.expectOne(() => true).flush({ done: [], failed: [{ id: 'a1', detail: 'SQS refused it.' }], unseen: [] });
    await vi.waitFor(() => expect(page.textContent).toContain('It stays: SQS refused it.'));
    expect(page.querySelector('li')).not.toBeNull();
  });
});
