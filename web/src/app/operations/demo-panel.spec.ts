import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { DemoPanel } from './demo-panel';

describe('DemoPanel', () => {
  it.each([
    [['Place 100 orders'], 'orders', { placed: 98, refused: 2 }, '98 orders were placed, 2 were refused.'],
    [
      ['Freeze inventory', 'Yes, freeze it'],
      'freeze-inventory',
      { frozen: 1, seconds: 20 },
      'The inventory service answers nothing for 20 s.',
    ],
    [
      ['Kill processing', 'Yes, kill it'],
      'kill-processing',
      { killed: 1 },
      '1 process was killed, and is started again.',
    ],
  ])('does what %j says', async (buttons, path, answer, sentence) => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    const fixture = TestBed.createComponent(DemoPanel);
    const page = fixture.nativeElement as HTMLElement;
    const server = TestBed.inject(HttpTestingController);
    await fixture.whenStable();
    for (const button of buttons) {
      server.expectNone(() => true);
      [...page.querySelectorAll('button')].find((each) => each.textContent.trim().startsWith(button))?.click();
      await fixture.whenStable();
    }
    const sent = server.expectOne((each) => each.url.endsWith(`/demo/${path}`));
    expect(sent.request.body).toEqual({});
    sent.flush(answer);
    await vi.waitFor(() => expect(page.querySelector('[role=status]')?.textContent).toBe(sentence));
  });
});
