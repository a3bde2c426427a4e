import { TestBed } from '@angular/core/testing';

import { Theme } from './theme';

describe('Theme', () => {
  afterEach(() => delete document.documentElement.dataset['theme']);

  it('notices a change of the theme', async () => {
    const theme = TestBed.inject(Theme);
    const before = theme.version();
    document.documentElement.dataset['theme'] = 'dark';
    await vi.waitFor(() => expect(theme.version()).toBeGreaterThan(before));
  });

  it('removes its probe element', () => {
    const elements = document.body.childElementCount;
    TestBed.inject(Theme).colour('--accent');
    expect(document.body.childElementCount).toBe(elements);
  });
});
