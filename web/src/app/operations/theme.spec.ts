import { TestBed } from '@angular/core/testing';

import { Theme } from './theme';

describe('Theme', () => {
  afterEach(() => delete document.documentElement.dataset['theme']);

  it('notices that somebody chose other colours', async () => {
    const theme = TestBed.inject(Theme);
    const before = theme.version();
    document.documentElement.dataset['theme'] = 'dark';
    await vi.waitFor(() => expect(theme.version()).toBeGreaterThan(before));
  });

  it('leaves nothing behind of asking for a colour', () => {
    const elements = document.body.childElementCount;
    TestBed.inject(Theme).colour('--accent');
    expect(document.body.childElementCount).toBe(elements);
  });
});
