import { TestBed } from '@angular/core/testing';

import { AsOf } from './as-of';

describe('AsOf', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] }));
  afterEach(() => vi.useRealTimers());

  it('says how old values are, and marks them when that is unusual', () => {
    const fixture = TestBed.createComponent(AsOf);
    const element = fixture.nativeElement as HTMLElement;
    const shown = (): readonly [string, boolean] => [element.textContent, element.classList.contains('old')];
    const readAt = (at: number | null): void => {
      fixture.componentRef.setInput('at', at);
      fixture.detectChanges();
    };
    const later = (ms: number): void => {
      vi.advanceTimersByTime(ms);
      fixture.detectChanges();
    };
    readAt(null);
    expect(shown()).toEqual(['', false]);
    readAt(Date.now());
    later(20_000);
    expect(shown()).toEqual(['As of 20 s ago', false]);
    later(1_000);
    expect(shown()).toEqual(['As of 21 s ago', true]);
    later(98_000);
    expect(shown()).toEqual(['As of 1 min ago', true]);
    later(1_000);
    expect(shown()).toEqual(['As of 2 min ago', true]);
    readAt(Date.now());
    expect(shown()).toEqual(['As of 0 s ago', false]);
  });
});
